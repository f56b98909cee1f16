import Foundation
import Support
import Testing

/// `wirehook attach` and `detach`, on containers that run.
@Suite(needsRoot) struct LiveAttachTests {
  @Test func aRunningContainerGetsANetworkAndGivesItBack() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.container("web")
      try web.serve(80)
      let made = try host.wirehook("attach", "\(web.pid)", "--ports", "8080:80", "--ip", "10.210.4.77")
      #expect(made.succeeded && made.stdout.contains("eth0 on front: 10.210.4.77/24"), "\(made)")
      #expect(try web.pings(Sandbox.outside4))
      #expect(try web.pings(Sandbox.outside6))
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
      #expect(try host.list().first?["pid"].int == Int(web.pid))
      #expect(try host.wirehook("check").succeeded)
      let gone = try host.wirehook("detach", "\(web.pid)")
      #expect(gone.succeeded && gone.stdout.contains("eth0 gone"), "\(gone)")
      #expect(try web.links() == ["lo"])
      try expectUnchanged(host, since: before)
      expectOneErrorLine(try host.wirehook("detach", "\(web.pid)"), naming: ["nothing of that id or name is wired"])
    }
  }

  @Test func aFurtherNetworkIsOneMoreInterfaceAndGoesAlone() throws {
    try Sandbox.with { host in
      try #require(try host.wirehook("network", "create", "back", "--subnet", "10.20.0.0/24").succeeded)
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      try host.stop(try host.started("other", ["wirehook.network": "back"]))
      let before = try host.snapshot()
      let inside = try web.sh("ip -4 route show table all") + web.sh("ip -4 rule show") + web.sh("ip -6 rule show")
      expectOneErrorLine(try host.wirehook("attach", "web"), naming: ["it is on network front already, by eth0"])
      let made = try host.wirehook("attach", "web", "--network", "back", "--ports", "8081:80", "--json")
      #expect(made.succeeded, "\(made)")
      #expect(try JSON(parsing: made.stdout)["interfaces"].array.map { $0["name"].string } == ["eth0", "eth1"])
      #expect(try web.ip("-4 route show default").contains("dev eth0"), "who gave the default route goes on giving it")
      for port in [UInt16(8080), 8081] { #expect(try host.outside.ask(Sandbox.address4, port).server == "web") }
      #expect(try host.wirehook("check").stdout.contains("everything is as recorded"))
      let gone = try host.wirehook("detach", "web", "--network", "back")
      #expect(gone.succeeded && gone.stdout.contains("eth1 gone"), "\(gone)")
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
      try expectUnchanged(host, since: before)
      let now = try web.sh("ip -4 route show table all") + web.sh("ip -4 rule show") + web.sh("ip -6 rule show")
      #expect(now == inside)
    }
  }

  @Test func anAdditionThatFailsLeavesWhatTheContainerHas() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      try host.ip("link add br3 address 02:00:00:00:00:03 up type bridge")
      let before = try host.snapshot()
      // A port that it has already; and a setting that there is none of, found after the pair and the port were made.
      for words in [
        ["--ip", "10.9.0.2/24", "--ports", "8080:81"],
        ["--ip", "10.9.0.2/24", "--ports", "8089:81", "--annotation", "wirehook.sysctl=net.ipv4.conf.eth1.no_such=1"],
      ] {
        let result = try host.run(
          [Built.path("wirehook"), "attach", "web", "--network", "bridge:br3"] + words + ["--config", host.configFile])
        expectOneErrorLine(result)
        try expectUnchanged(host, since: before)
        #expect(try web.links() == ["eth0", "lo"])
      }
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
      #expect(try host.wirehook("check").succeeded)
    }
  }

  @Test func aNamespaceWithoutAProcessLivesAsLongAsItsFile() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let blue = "\(host.name)b"
      try Command.require(["ip", "netns", "add", blue])
      defer { _ = try? Command(["ip", "netns", "del", blue]).run() }
      let made = try host.wirehook("attach", "/run/netns/\(blue)", "--network", "front", "--ip", "10.210.4.9")
      #expect(made.succeeded, "\(made)")
      #expect(try host.pings("10.210.4.9"))
      #expect(try host.wirehook("gc").stdout.contains("nothing is left"))
      #expect(try host.list().first?["status"].string == "attached")
      try host.nft("flush ruleset")
      #expect(try host.wirehook("repair", blue).succeeded)
      try Command.require(["ip", "netns", "del", blue])
      #expect(try host.list().first?["status"].string == "gone")
      #expect(try host.wirehook("gc").succeeded)
      try expectUnchanged(host, since: before)
    }
  }

  @Test func theHostItselfAndATakenNameAreRefused() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      expectOneErrorLine(try host.wirehook("attach", host.netns), naming: ["it shares the host's network"])
      expectOneErrorLine(try host.wirehook("attach", "/etc/hostname"), naming: ["not a network namespace"])
      expectOneErrorLine(try host.wirehook("attach", "nobody"), naming: ["\"nobody\""])
      let web = try host.container("web")
      try web.ip("link add eth0 type veth peer name other")
      expectOneErrorLine(
        try host.wirehook("attach", "\(web.pid)", "--network", "front:eth0"), naming: ["a link named eth0"])
      try expectUnchanged(host, since: before)
      #expect(try host.wirehook("attach", "\(web.pid)").stdout.contains("eth1 on front"))
    }
  }

  @Test func whatAContainerThatEndedLeftIsTakenByTheNextOne() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      try #require(try host.wirehook("attach", "\(web.pid)", "--ports", "8080:80").succeeded)
      web.kill()
      let next = try host.container("next")
      try next.serve(80)
      let made = try host.wirehook("attach", "\(next.pid)", "--ports", "8080:80")
      #expect(made.succeeded, "\(made)")
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "next")
    }
  }
}
