import Foundation
import Glibc
import Support
import Testing

/// Containers that a real dockerd wired on docker0, changed while they run.
@Suite(
  .enabled(if: Tool.dockerd.isThere && Tool.busybox.isThere && Tool.root.isThere, "needs root, dockerd and busybox"),
  .serialized)
struct LiveDockerTests {
  /// `docker run` without any option of ours, on Docker's own bridge.
  private func plain(_ docker: DockerEngine, _ name: String, _ options: [String] = []) throws -> DockerContainer {
    try docker.require(
      ["run", "-d", "--name", name] + options + [DockerEngine.image] + DockerEngine.server(name))
    return try docker.container(name)
  }

  @Test func aPlainContainerIsPublishedAndNothingElseOfDocker0IsOpened() throws {
    try DockerEngine.with { docker, host in
      #expect(try host.sh("iptables -S FORWARD").contains("-P FORWARD DROP"))
      try docker.run("warm", "--net=none")
      try docker.require("rm", "-f", "warm")
      let other = try plain(docker, "other")
      let web = try plain(docker, "live-web")
      let address = try #require(web.addresses("eth0").first).split(separator: "/")[0]
      let before = try host.snapshot()
      let made = try host.wirehook("publish", "live-web", "90:80")
      #expect(made.succeeded && made.stdout.contains("published 90:80/tcp to \(address)"), "\(made)")
      #expect(try host.outside.reaches("live-web", Sandbox.address4, 90))
      #expect(try host.reaches("live-web", Sandbox.address4, 90))
      #expect(try other.reaches("live-web", Sandbox.address4, 90), "from docker0 itself")
      let rules = try host.sh("iptables -S DOCKER-USER")
      #expect(rules.contains("-d \(address)/32 -o docker0 -m conntrack --ctstate DNAT"), "\(rules)")
      #expect(!rules.contains("-i docker0 -m comment") && !rules.contains("-A DOCKER-USER -o docker0 -m comment"))
      try host.outside.ip("route add 172.17.0.0/16 via \(Sandbox.address4)")
      #expect(
        try host.outside.ask(String(address), 80, within: .milliseconds(300)).server == nil, "only what is published")
      let check = try host.wirehook("check")
      #expect(check.succeeded, "\(check)")
      try #require(try host.wirehook("unpublish", "live-web", "90").succeeded)
      #expect(try host.outside.ask(Sandbox.address4, 90, within: .milliseconds(300)).server == nil)
      let left = try host.differences(from: before)
      #expect(left == [])
    }
  }

  @Test func aPortGoesWithItsContainerAndAnotherOneMayHaveIt() throws {
    try DockerEngine.with { docker, host in
      _ = try plain(docker, "one")
      let before = try host.snapshot()
      try #require(try host.wirehook("publish", "one", "90:80").succeeded)
      try docker.require("rm", "-f", "one")
      _ = try plain(docker, "two")
      let made = try host.wirehook("publish", "two", "90:80")
      #expect(made.succeeded, "\(made)")
      #expect(try host.outside.reaches("two", Sandbox.address4, 90))
      try docker.require("rm", "-f", "two")
      #expect(try host.wirehook("gc").succeeded)
      let rules = try host.sh("iptables -S DOCKER-USER")
      #expect(!rules.contains("wirehook docker0"), "\(rules)")
      _ = before
    }
  }

  @Test func aDockerContainerGetsAFurtherNetworkByItsName() throws {
    try DockerEngine.with { docker, host in
      let web = try plain(docker, "live-web")
      let made = try host.wirehook("attach", "live-web", "--ports", "8080:80")
      #expect(made.succeeded && made.stdout.contains("eth1 on front"), "\(made)")
      #expect(try host.outside.reaches("live-web", Sandbox.address4, 8080))
      #expect(try web.pings(Sandbox.outside4), "by docker0, as before")
      #expect(try host.list().first?["name"].string == "live-web")
      #expect(try host.wirehook("detach", "live-web").succeeded)
      #expect(try web.links() == ["eth0", "lo"])
      // Docker knows nothing of us: its container ends without a word.
      try #require(try host.wirehook("attach", "live-web").succeeded)
      try docker.require("rm", "-f", "live-web")
      #expect(try host.wirehook("gc").stdout.contains(web.id))
    }
  }
}
