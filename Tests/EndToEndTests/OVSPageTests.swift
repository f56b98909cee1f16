import Foundation
import Support
import Testing

/// docs/ovs.md, run on two hosts from its first command to its last.
@Suite(
  .enabled(
    if: Tool.dockerd.isThere && Tool.busybox.isThere && Tool.root.isThere && Tool.ovs.isThere,
    "needs root, dockerd, busybox and Open vSwitch"),
  .serialized)
struct OVSPageTests {
  /// A fenced block of the page, and where the line before it says that it belongs.
  private struct Step {
    /// Indices of hosts: A is 0, B is 1.
    var hosts: [Int]
    var language: String
    var text: String
    /// The file that a `json` block is the content of.
    var file: String?
  }

  private func steps() throws -> [Step] {
    let page = try String(contentsOfFile: "\(Built.root)/docs/ovs.md", encoding: .utf8)
    var steps: [Step] = []
    var before = ""
    var open: Step?
    for line in page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if var step = open {
        if line == "```" {
          steps.append(step)
          open = nil
        } else {
          step.text += line + "\n"
          open = step
        }
      } else if line.hasPrefix("```") {
        let file = before.firstMatch(of: /networks\.d\/([a-z]+)\.json/).map { String($0.output.1) }
        let hosts = before.hasPrefix("On host A") ? [0] : before.hasPrefix("On host B") ? [1] : [0, 1]
        open = Step(hosts: hosts, language: String(line.dropFirst(3)), text: "", file: file)
      } else if !line.isEmpty {
        before = line
      }
    }
    return steps
  }

  @Test func everyCommandOfThePageRuns() throws {
    try DockerEngine.with { _, one in
      try DockerEngine.with { _, two in
        try HostPair.link(one, two)
        let switches = try HostPair.switches(on: one, two)
        var ran = 0
        for step in try steps() {
          for number in step.hosts {
            switch step.language {
            case "json":
              let file = try #require(step.file, "no file is named before \(step.text)")
              try switches[number].host.writeNetwork(file, step.text)
            case "sh":
              ran += 1
              let result = try run(step.text, on: switches[number])
              #expect(result.succeeded, "host \("AB".map(String.init)[number]): \(step.text)\(result)")
            default: break
            }
          }
        }
        #expect(ran > 10)
        for ovs in switches {
          #expect(try ovs.host.list().isEmpty)
          #expect(try ovs.host.wirehook("gc", "--dry-run").stdout == "nothing is left\n")
        }
      }
    }
  }

  /// As a person types it on that host: `docker`, `wirehook` and `ovs-vsctl` find what is the host's.
  private func run(_ text: String, on ovs: RealSwitch) throws -> Command.Result {
    let folder = "\(ovs.host.folder)/tools"
    let sudo = "mkdir -p \(folder) && printf '#!/bin/sh\\nexec \"$@\"\\n' >\(folder)/sudo && chmod +x \(folder)/sudo"
    try Command.require(["sh", "-c", sudo])
    let bin = try Built.path("wirehook").split(separator: "/").dropLast().joined(separator: "/")
    let environment = [
      "PATH=\(folder):/\(bin):/usr/bin:/usr/sbin:/bin:/sbin",
      "DOCKER_HOST=unix://\(ovs.host.folder)/docker/docker.sock",
      "WIREHOOK_CONFIG=\(ovs.host.configFile)", "OVS_RUNDIR=\(ovs.socket.dropLast("/db.sock".count))",
    ]
    return try ovs.host.run(["env"] + environment + ["sh", "-ec", text], limit: .seconds(60))
  }
}
