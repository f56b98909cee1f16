import Foundation
import Glibc
import Support
import Testing

/// The kernel says of a list that it changed while it was given (NLM_F_DUMP_INTR): it is asked for again, a limited number
/// of times, and then that is the error.
@Suite(needsRoot, .enabled(if: Clang.path != nil, "needs clang"), .serialized) struct InterruptedDumpTests {
  /// How often a list is asked for in all.
  private static let attempts = 8

  static let commands = [["check"], ["repair"], ["gc"], ["graph", "--format", "text"], ["doctor"]]

  /// Each list of a command is interrupted, one after the other.
  @Test(arguments: commands) func aListThatChangedIsAskedForAgainALimitedNumberOfTimes(_ words: [String]) throws {
    try Self.withContainers { host in
      let dumps = try Dumps(in: host.folder)
      let counted = "\(host.folder)/count"
      let expected = try run(words, under: dumps.counting(in: counted), host)
      let count = Dumps.count(in: counted)
      print("\(words.joined(separator: " ")): \(count) dumps")
      #expect(count > 1)
      let before = try host.snapshot()
      for dump in 1...max(1, count) {
        let what = "\(words.joined(separator: " ")), dump \(dump)"
        for times in [1, Self.attempts - 1] {
          let result = try run(words, under: dumps.interrupting(dump, times: times), host)
          #expect(result.exitCode == expected.exitCode, "\(what), \(times) times: \(result)")
          #expect(lines(result) == lines(expected), "\(what), \(times) times: \(result)")
        }
        let result = try run(words, under: dumps.interrupting(dump, times: Self.attempts), host)
        let said = result.stdout + result.stderr
        #expect(said.contains("kept changing") || said.contains("changed meanwhile"), "\(what): \(result)")
        if words != ["doctor"] { expectOneErrorLine(result, naming: ["try again"]) }
      }
      try expectUnchanged(host, since: before)
    }
  }

  /// What a command said, without the count of tracked connections, and the engines of this machine, which others use.
  private func lines(_ result: Command.Result) -> [Substring] {
    let elsewhere = ["nf_conntrack", "docker", "podman", "containerd", "runc", "crun"]
    return result.stdout.split(separator: "\n").filter { line in !elsewhere.contains { line.contains($0) } }
  }

  /// The first attach of a host has no network yet and chooses subnets by the host's routes.
  @Test func theFirstAttachOfAHostIsWholeOrNothing() throws {
    let folder = "/tmp/wht-dumps-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let dumps = try Dumps(in: folder)
    try firstAttach(under: dumps.counting(in: "\(folder)/count"), succeeds: true)
    let count = Dumps.count(in: "\(folder)/count")
    print("first attach: \(count) dumps")
    #expect(count > 1)
    for dump in 1...max(1, count) {
      try firstAttach(under: dumps.interrupting(dump, times: 1), succeeds: true)
      try firstAttach(under: dumps.interrupting(dump, times: Self.attempts), succeeds: false)
    }
  }

  /// On a host without configured networks.
  private func firstAttach(under wrapper: [String], succeeds: Bool) throws {
    try Sandbox.with { host in
      try FileManager.default.removeItem(atPath: "\(host.folder)/networks.d/front.json")
      try host.writeMain(["default_network": .text("default")])
      let web = try host.container("web")
      let result = try host.tryAttach(web, ["wirehook.ports": "8080:80"], under: wrapper)
      guard !succeeds else {
        #expect(result.exitCode == 0, "\(result)")
        let checked = try host.wirehook("check")
        #expect(checked.exitCode == 0, "\(wrapper): \(checked)")
        return
      }
      expectOneErrorLine(result, naming: ["try again"])
      let links = try web.links()
      let records = try host.list()
      #expect(links == ["lo"], "\(wrapper)")
      #expect(records == [], "\(wrapper)")
      try host.attach(web)
    }
  }

  /// Pairs of links come and go all the time, among so many that the kernel gives the list in parts.
  @Test(.enabled(if: Tool.strace.isThere, "needs strace")) func whileLinksComeAndGoAllIsWholeOrNothing() throws {
    try Self.withContainers { host in
      let file = "\(host.folder)/links"
      try (0..<60).map { "link add many\($0) type veth peer name peer\($0)" }.joined(separator: "\n")
        .write(toFile: file, atomically: true, encoding: .utf8)
      try host.ip("-batch \(file)")
      let churns = try (0..<4).map { number in
        try Spawn.start([
          "nsenter", "--net=\(host.netns)", "sh", "-c",
          "while :; do ip link add c\(number) type veth peer name d\(number); ip link del c\(number); done",
        ])
      }
      defer {
        for churn in churns {
          kill(churn, SIGKILL)
          waitpid(churn, nil, 0)
        }
      }
      for number in 0..<6 { try expectWholeOrNothing(try host.container("c\(number)"), host) }
      // Once at least it was really so.
      let wasSeen = try eventually(within: .seconds(60)) {
        let trace = "\(host.folder)/trace"
        let result = try run(
          ["gc"], under: ["strace", "-qq", "-s", "4096", "-e", "trace=recvfrom", "-o", trace], host)
        if result.exitCode != 0 { expectOneErrorLine(result, naming: ["try again"]) }
        return try String(contentsOfFile: trace, encoding: .utf8).contains("NLM_F_DUMP_INTR")
      }
      #expect(wasSeen, "no list was interrupted")
    }
  }

  private func expectWholeOrNothing(_ container: Container, _ host: Sandbox) throws {
    let result = try host.tryAttach(container, ["wirehook.bandwidth": "egress=10mbit"])
    let links = try container.links()
    #expect(links == (result.succeeded ? ["eth0", "lo"] : ["lo"]), "\(result)")
    if !result.succeeded { expectOneErrorLine(result, naming: ["try again"]) }
    let checked = try host.wirehook("check", container.id)
    #expect(checked.exitCode == 0 || !result.succeeded || checked.stderr.contains("try again"), "\(checked)")
  }

  /// Two containers with published ports on a bridge, beside Docker's chain.
  private static func withContainers(_ body: (Sandbox) throws -> Void) throws {
    try Sandbox.with { host in
      try host.sh("iptables-nft -w -N DOCKER-USER")
      for (id, port) in [("web", 8080), ("db", 5432)] {
        _ = try host.started(id, ["wirehook.ports": "\(port):80"])
      }
      try body(host)
    }
  }

  private func run(_ words: [String], under wrapper: [String], _ host: Sandbox) throws -> Command.Result {
    try host.run(wrapper + [Built.path("wirehook")] + words + ["--config", host.configFile])
  }
}
