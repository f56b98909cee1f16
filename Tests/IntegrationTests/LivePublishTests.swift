import Foundation
import Support
import Testing

/// `wirehook publish` and `unpublish`, on containers that run.
@Suite(needsRoot) struct LivePublishTests {
  /// A container as another engine would wire it: on a bridge of its own, with an address and a default route.
  private func foreign(_ host: Sandbox, _ id: String, _ address: String = "172.30.0.2") throws -> Container {
    let container = try host.container(id)
    if try !host.links().contains("eng0") {
      try host.ip("link add eng0 address 02:00:00:00:00:01 up type bridge")
      try host.ip("addr add 172.30.0.1/24 dev eng0")
    }
    try host.ip("link add v\(id) up master eng0 type veth peer name eth0 netns \(container.pid)")
    try container.ip("link set lo up")
    try container.ip("addr add \(address)/24 dev eth0")
    try container.ip("link set eth0 up")
    try container.ip("route add default via 172.30.0.1")
    return container
  }

  @Test func aPortComesAndGoesWhileTheContainerRuns() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      try web.serve(81)
      let before = try host.snapshot()
      let made = try host.wirehook("publish", "web", "8081:81", "127.0.0.1:9000:80")
      #expect(made.succeeded && made.stdout.contains("published 8081:81/tcp"), "\(made)")
      for address in [Sandbox.address4, Sandbox.address6] {
        #expect(try host.outside.ask(address, 8081).server == "web")
      }
      for address in [Sandbox.address4, "127.0.0.1"] { #expect(try host.ask(address, 8081).server == "web") }
      #expect(try host.ask("127.0.0.1", 9000).server == "web")
      #expect(try web.ask(Sandbox.address4, 8081).server == "web", "the container itself")
      #expect(try host.wirehook("check").succeeded)
      for (words, parts) in [
        (["8081:81"], ["publishes 8081:81/tcp already"]), (["8080:99"], ["8080"]), (["0:x"], ["\"0:x\""]),
      ] {
        expectOneErrorLine(
          try host.run([Built.path("wirehook"), "publish", "web"] + words + ["--config", host.configFile]),
          naming: parts)
      }
      expectOneErrorLine(try host.wirehook("unpublish", "web", "7"), naming: ["it is not published", "8081:81/tcp"])
      let gone = try host.wirehook("unpublish", "web", "8081", "127.0.0.1:9000")
      #expect(gone.succeeded && gone.stdout.contains("unpublished 8081:81/tcp"), "\(gone)")
      try expectUnchanged(host, since: before)
      #expect(try host.outside.ask(Sandbox.address4, 8081, within: .milliseconds(300)).server == nil)
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
    }
  }

  @Test func aPortOfAnotherContainerOrOfTheHostIsRefused() throws {
    try Sandbox.with { host in
      _ = try host.started("one", ["wirehook.ports": "8080:80"])
      _ = try host.started("two")
      let server = try host.serve(9090)
      defer { server.stop() }
      let before = try host.snapshot()
      expectOneErrorLine(try host.wirehook("publish", "two", "8080:80"), naming: ["container \"one\" publishes it"])
      expectOneErrorLine(try host.wirehook("publish", "two", "9090:80"), naming: ["host port 9090/tcp is taken"])
      try expectUnchanged(host, since: before)
    }
  }

  /// Field case B14 (d): a flow that was there before its rule would go on past it.
  @Test func aFlowOfUDPFindsTheNewPortAndLosesTheOldOne() throws {
    try Sandbox.with { host in
      let web = try host.started("web")
      try web.serve(53)
      func call() throws -> String? { try host.outside.askUDP(Sandbox.address4, 5353, from: 40_000).server }
      #expect(try call() == nil)
      try #require(try host.wirehook("publish", "web", "5353:53/udp").succeeded)
      #expect(try call() == "web", "the same flow")
      try #require(try host.wirehook("unpublish", "web", "5353/udp").succeeded)
      #expect(try call() == nil, "the same flow")
    }
  }

  /// As Docker has it in both of the kernel's firewalls: what nobody knows is dropped.
  private static let firewalls = [
    """
    nft 'table ip filter {
      chain DOCKER-USER { counter return; }
      chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER
        iifname "eng0" accept; oifname "eng0" ct state established,related accept; }
    }'
    """,
    """
    iptables-legacy -N DOCKER-USER && iptables-legacy -A DOCKER-USER -j RETURN &&
      iptables-legacy -A FORWARD -j DOCKER-USER && iptables-legacy -A FORWARD -i eng0 -j ACCEPT &&
      iptables-legacy -A FORWARD -o eng0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT &&
      iptables-legacy -P FORWARD DROP
    """,
  ]

  @Test(arguments: firewalls) func aContainerOnABridgeOfAnotherEngineIsPublished(firewall: String) throws {
    try Sandbox.with { host in
      func shell(_ line: String) throws { try #require(try host.run(["sh", "-c", line]).succeeded) }
      try shell(firewall)
      try host.warmUp()
      let web = try foreign(host, "web")
      try web.serve(80)
      let other = try foreign(host, "other", "172.30.0.3")
      let before = try host.snapshot()
      let made = try host.wirehook("publish", "\(web.pid)", "90:80")
      #expect(made.succeeded && made.stdout.contains("published 90:80/tcp to 172.30.0.2"), "\(made)")
      #expect(made.stderr.contains("route_localnet"), "127.0.0.1 is said not to lead there")
      let call = try host.outside.ask(Sandbox.address4, 90)
      #expect(call.server == "web" && call.client == Sandbox.outside4, "\(call)")
      #expect(try host.ask(Sandbox.address4, 90).server == "web")
      #expect(try other.ask(Sandbox.address4, 90).server == "web", "from its own bridge")
      // Nothing else of the bridge is opened.
      try host.outside.ip("route add 172.30.0.0/24 via \(Sandbox.address4)")
      #expect(try host.outside.ask("172.30.0.2", 80, within: .milliseconds(300)).server == nil)
      let check = try host.wirehook("check")
      #expect(check.succeeded, "\(check)")
      #expect(try host.wirehook("ls").stdout.contains("90"))
      // Docker's restart, or a person, empties the chain.
      let legacy = firewall.contains("legacy")
      try shell(legacy ? "iptables-legacy -F DOCKER-USER" : "nft flush chain ip filter DOCKER-USER")
      #expect(try host.outside.ask(Sandbox.address4, 90, within: .milliseconds(300)).server == nil)
      #expect(try host.wirehook("check").stdout.contains("does not accept what is published to 172.30.0.2"))
      let repair = try host.wirehook("repair")
      #expect(repair.succeeded, "\(repair)")
      #expect(try host.outside.ask(Sandbox.address4, 90).server == "web")
      try shell(
        legacy
          ? "iptables-legacy -A DOCKER-USER -j RETURN" : "nft add rule ip filter DOCKER-USER counter return")
      try #require(try host.wirehook("unpublish", "\(web.pid)", "90").succeeded)
      try expectUnchanged(host, since: before)
    }
  }

  @Test func aContainerOfAnotherEngineThatGoesTakesItsPortsAlong() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try foreign(host, "web")
      let before = try host.snapshot()
      try #require(try host.wirehook("publish", "\(web.pid)", "90:80").succeeded)
      web.kill()
      #expect(try host.wirehook("gc").stdout.contains("pid-\(web.pid)"))
      let left = try host.differences(from: before).filter { !$0.contains("vweb") }
      #expect(left == [])
    }
  }

  @Test func anAddressThatChangesIsFollowed() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try foreign(host, "web")
      try web.serve(80)
      try #require(try host.wirehook("publish", "\(web.pid)", "90:80").succeeded)
      try web.ip("addr flush dev eth0")
      try web.ip("addr add 172.30.0.9/24 dev eth0")
      try web.ip("route add default via 172.30.0.1")
      let check = try host.wirehook("check")
      #expect(check.exitCode == 1 && check.stdout.contains("172.30.0.9"), "\(check)")
      #expect(try host.wirehook("repair").succeeded)
      #expect(try host.outside.ask(Sandbox.address4, 90).server == "web")
      #expect(try host.sh("nft list map inet wirehook ports4").contains("172.30.0.2") == false)
    }
  }

  @Test func whoeverHasNoAddressOnABridgeOfThisHostIsRefused() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let before = try host.snapshot()
      expectOneErrorLine(try host.wirehook("publish", "\(web.pid)", "90:80"), naming: ["wirehook attach"])
      expectOneErrorLine(try host.wirehook("publish", host.netns, "90:80"), naming: ["it shares the host's network"])
      try expectUnchanged(host, since: before)
    }
  }
}
