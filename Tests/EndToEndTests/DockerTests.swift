import Foundation
import Glibc
import Support
import Testing

/// `docker run --runtime wirehook --net=none` with a real dockerd.
@Suite(
  .enabled(if: Tool.dockerd.isThere && Tool.busybox.isThere && Tool.root.isThere, "needs root, dockerd and busybox"),
  .serialized)
struct DockerTests {
  @Test func aPortPublishedByALabelIsReachedAndARestartKeepsIt() throws {
    try DockerEngine.with { docker, host in
      #expect(try host.sh("iptables -S FORWARD").contains("-P FORWARD DROP"))
      try docker.run("warm", "--net=none")
      try docker.require("rm", "-f", "warm")
      let before = try host.snapshot()
      let web = try docker.run("web", "--net=none", "--label", "wirehook.ports=8080:80")
      let addresses = try web.addresses("eth0")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      for address in [Sandbox.address4, "127.0.0.1"] { #expect(try host.reaches("web", address, 8080), "\(address)") }
      #expect(try web.pings(Sandbox.outside4))
      #expect(try web.pings(Sandbox.outside6))
      let hosts = try docker.require("exec", "web", "cat", "/etc/hosts")
      for address in addresses {
        let line = "\(address.prefix { $0 != "/" })\t\(web.id.prefix(12)) web\t"
        #expect(hosts.contains(line), "\(line) in \(hosts)")
      }
      #expect(hosts.contains("10.210.4.1\thost.docker.internal host.containers.internal\t"))
      try docker.require("restart", "-t", "0", "web")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      #expect(try docker.container("web").addresses("eth0") == addresses)
      #expect(try docker.require("exec", "web", "cat", "/etc/hosts") == hosts)
      // A new container of that name, while the old address has been free for a while.
      try docker.require("rm", "-f", "web")
      try docker.run("other", "--net=none")
      let again = try docker.run("web", "--net=none", "--label", "wirehook.ports=8080:80")
      #expect(try again.addresses("eth0") == addresses)
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      try docker.require("rm", "-f", "web", "other")
      let differences = try host.differences(from: before)
      #expect(differences == [])
    }
  }

  @Test func onlyTheModeNoneIsWiredAndNoLabelOfAnImageCounts() throws {
    try DockerEngine.with { docker, host in
      let first = try docker.run("first", "--net=none")
      #expect(try first.links() == ["eth0", "lo"])
      #expect(try first.addresses("eth0").count == 2)
      #expect(try docker.run("optout", "--net=none", "--label", "wirehook.network=none").links() == ["lo"])
      let before = try host.snapshot()
      let label = "wirehook.ports=8080:80"
      let shared = try docker.run("shared", "--net=host", "--label", label, program: ["sleep", "900"])
      #expect(Sandbox.inode(shared.netns) == Sandbox.inode(host.netns))
      let joined = try docker.run("joined", "--net=container:first", "--label", label, program: ["sleep", "900"])
      #expect(Sandbox.inode(joined.netns) == Sandbox.inode(first.netns))
      #expect(try first.links() == ["eth0", "lo"])
      try docker.require("rm", "-f", "shared", "joined")
      let differences = try host.differences(from: before)
      #expect(differences == [])
      #expect(try docker.run("bridged", "--label", label).addresses("eth0").first?.hasPrefix("172.") == true)
      try docker.require("network", "create", "mine")
      #expect(try docker.run("own", "--net=mine", "--label", label).addresses("eth0").first?.hasPrefix("172.") == true)
      let image = try docker.run("image", "--net=none", image: DockerEngine.labelled)
      #expect(try image.links() == ["eth0", "lo"])
      #expect(try host.list().compactMap { $0["name"].string }.sorted() == ["first", "image"])
      #expect(try host.list().allSatisfy { $0["ports"].array.isEmpty })
      try docker.run("user", "--net=none", "--label", "wirehook.ports=9998:80", image: DockerEngine.labelled)
      #expect(try host.outside.reaches("user", Sandbox.address4, 9998))
    }
  }

  @Test func aRefusalIsReadInOneLineAndTheContainerCanBeRemoved() throws {
    try DockerEngine.with { docker, host in
      try docker.run("first", "--net=none", "--label", "wirehook.ports=8080:80")
      let before = try host.snapshot()
      let refused = try docker.tryRun("second", ["--net=none", "--label", "wirehook.ports=8080:80"])
      #expect(refused.exitCode == 125)
      let line = refused.stderr.split(separator: "\n").first { $0.contains("wirehook: ") } ?? ""
      #expect(line.contains("8080") && line.contains("\"first\""), "\(refused.stderr)")
      let typo = try docker.tryRun("typo", ["--net=none", "--label", "wirehook.prots=8080:80"])
      #expect(typo.stderr.contains("wirehook.prots") && typo.stderr.contains("did you mean"), "\(typo.stderr)")
      let differences = try host.differences(from: before)
      #expect(differences == [])
      try docker.require("rm", "typo")
      try docker.require("rm", "-f", "first")
      try docker.require("start", "second")
      #expect(try host.outside.reaches("second", Sandbox.address4, 8080))
    }
  }

  /// The mistakes of the shim itself: no such runtime.
  @Test func aRuntimeThatIsNotThereIsNamed() throws {
    try DockerEngine.with { docker, host in
      try host.writeMain(["runtime": .text("no-such-runtime")])
      let result = try docker.tryRun("web", ["--net=none"])
      #expect(result.stderr.contains("no-such-runtime"), "\(result.stderr)")
      #expect(try docker.docker("run", "--rm", DockerEngine.image, "true").succeeded, "without wirehook")
    }
  }

  @Test func whatEndsWhileTheDaemonIsDeadIsTakenBackAndTheOthersAnswer() throws {
    try DockerEngine.with { docker, host in
      try docker.run("stays", "--net=none", "--label", "wirehook.ports=8080:80")
      let ends = try docker.run("ends", "--net=none", "--label", "wirehook.ports=8081:80")
      #expect(try host.outside.reaches("ends", Sandbox.address4, 8081))
      try docker.kill9()
      kill(ends.pid, SIGKILL)
      #expect(try host.outside.reaches("stays", Sandbox.address4, 8080))
      try docker.start()
      let gone = try eventually(within: .seconds(10)) { try host.list().map { $0["name"].string } == ["stays"] }
      #expect(gone)
      #expect(try host.outside.reaches("stays", Sandbox.address4, 8080))
      try docker.require("start", "ends")
      #expect(try host.outside.reaches("ends", Sandbox.address4, 8081))
      #expect(try host.wirehook("gc", "--dry-run").stdout == "nothing is left\n")
    }
  }

  @Test func thirtyAtOnce() throws {
    try DockerEngine.with { docker, host in
      try docker.run("warm", "--net=none")
      try docker.require("rm", "-f", "warm")
      let before = try host.snapshot()
      let started = try concurrently(Array(0..<30), width: 30) { number in
        try docker.tryRun("c\(number)", ["--net=none", "--label", "wirehook.ports=\(9000 + number):80"])
      }
      #expect(started.filter { !$0.succeeded }.map(\.description) == [])
      let listed = try host.list()
      #expect(listed.count == 30)
      #expect(Set(listed.flatMap { $0["interfaces"][0]["addresses"].array }).count == 60)
      for number in [0, 7, 29] {
        #expect(try host.outside.reaches("c\(number)", Sandbox.address4, UInt16(9000 + number)), "\(number)")
      }
      let removed = try concurrently(Array(0..<30), width: 30) { try docker.docker("rm", "-f", "c\($0)") }
      #expect(removed.filter { !$0.succeeded }.map(\.description) == [])
      let differences = try host.differences(from: before)
      #expect(differences == [])
    }
  }

  @Test func whatHappensToARunningContainerLeavesItsNetworkRight() throws {
    try DockerEngine.with { docker, host in
      let label = "wirehook.ports=8080:80"
      let web = try docker.run("web", "--net=none", "--init", "--read-only", "--restart=always", "--label", label)
      let addresses = try web.addresses("eth0")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      try docker.require("pause", "web")
      try docker.require("unpause", "web")
      try docker.require("update", "--cpu-shares", "512", "web")
      #expect(try docker.require("exec", "web", "ip", "addr").contains("10.210.4."))
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      // It ends by itself and comes again.
      kill(web.pid, SIGKILL)
      let again = try eventually(within: .seconds(10)) {
        guard let now = try? docker.container("web"), now.pid != web.pid else { return false }
        return try now.addresses("eth0") == addresses && host.outside.ask(Sandbox.address4, 8080).server == "web"
      }
      #expect(again)
      try docker.require("rename", "web", "shop")
      #expect(try host.list().map { $0["name"].string } == ["shop"])
      #expect(try host.wirehook("inspect", "shop").exitCode == 0)
      try docker.require("stop", "-t", "0", "shop")
      #expect(try host.list().isEmpty)
      try docker.require("start", "shop")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      #expect(try docker.container("shop").addresses("eth0") == addresses)
      // containerd's shim of the container is killed: Docker sees it end, and starts it anew.
      let pid = try docker.container("shop").pid
      let shim = try Command.require(["sh", "-c", "awk '{print $4}' /proc/\(pid)/stat"])
      kill(Int32(shim.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1, SIGKILL)
      #expect(try eventually(within: .seconds(10)) { try docker.docker("rm", "-f", "shop").succeeded })
      #expect(try eventually(within: .seconds(5)) { try host.list().isEmpty })
      #expect(try host.wirehook("gc", "--dry-run").stdout == "nothing is left\n")
    }
  }

  @Test func withRemappedUsersAllIsTheSame() throws {
    try DockerEngine.with(["--userns-remap", "wiretest"]) { docker, host in
      let web = try docker.run("web", "--net=none", "--label", "wirehook.ports=8080:80")
      #expect(try String(contentsOfFile: "/proc/\(web.pid)/uid_map", encoding: .utf8).contains("100000"))
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      #expect(try docker.require("exec", "web", "cat", "/etc/hosts").contains(" web\t"))
      #expect(try host.list().map { $0["name"].string } == ["web"])
      try docker.require("rm", "-f", "web")
      #expect(try host.list().isEmpty)
    }
  }

  /// Somebody flushed Docker's chain since the network was set up, or Docker was not there yet.
  @Test func theNextContainerIsAdmittedToDockersChainAgain() throws {
    try DockerEngine.with { docker, host in
      try docker.run("first", "--net=none")
      try host.sh("iptables -F DOCKER-USER")
      try docker.run("web", "--net=none", "--label", "wirehook.ports=8080:80")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
    }
  }

  @Test(.enabled(if: Tool.iptablesLegacy.isThere, "needs iptables-legacy"))
  func besideDockersRulesInLegacyTablesAPublishedPortIsReached() throws {
    try DockerEngine.with(legacy: true) { docker, host in
      #expect(try host.sh("iptables-legacy -S FORWARD").contains("-P FORWARD DROP"))
      try docker.run("web", "--net=none", "--label", "wirehook.ports=8080:80")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
    }
  }
}
