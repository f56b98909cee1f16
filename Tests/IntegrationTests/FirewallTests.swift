import Support
import Testing

/// Beside other people's rules: Docker's, a user's own, and a firewall that flushes everything.
@Suite(needsRoot) struct FirewallTests {
  private func publish(_ host: Sandbox) throws -> Container {
    let web = try host.started("web", ["wirehook.ports": "8080:80"])
    try web.serve(80)
    return web
  }

  @Test func aDetachIsContentWithMissingRules() throws {
    try Sandbox.with { host in
      let web = try publish(host)
      try host.nft("flush ruleset")
      try host.stop(web)
      #expect(try host.list().isEmpty)
    }
  }

  @Test func aDetachIsContentWithAMissingBridge() throws {
    try Sandbox.with { host in
      let web = try publish(host)
      try host.ip("link del wh-front")
      try host.stop(web)
      #expect(try host.list().isEmpty)
    }
  }

  @Test func anAttachAfterAFlushRebuildsTheTable() throws {
    try Sandbox.with { host in
      _ = try publish(host)
      try host.nft("flush ruleset")
      let next = try host.started("next", ["wirehook.ports": "8081:80"])
      try next.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8081).server == "next")
      #expect(try host.outside.ask("fd77::1", 8081).server == "next")
      let server = try host.outside.serve(7)
      defer { server.stop() }
      #expect(try next.ask("192.168.77.2", 7).client == "192.168.77.1")
    }
  }

  @Test func anAttachAfterTheBridgeWentMakesItAgain() throws {
    try Sandbox.with { host in
      try host.warmUp()
      try host.ip("link del wh-front")
      _ = try publish(host)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.outside.ask("fd77::1", 8080).server == "web")
    }
  }

  @Test(.enabled(if: Tool.iptables.isThere, "needs iptables"), arguments: [true, false])
  func dockersForwardPolicyIsPassed(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      for line in ["-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-A FORWARD -j DOCKER-USER", "-P FORWARD DROP"] {
        try host.sh("iptables -w \(line)")
        try host.sh("ip6tables -w \(line)")
      }
      let web = try publish(host)
      let server = try host.outside.serve(7)
      defer { server.stop() }
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.outside.ask("fd77::1", 8080).server == "web")
      #expect(try web.ask("192.168.77.2", 7).client == "192.168.77.1")
      #expect(try web.ask("fd77::2", 7).client == "fd77::1")
      _ = try host.started("second", ["wirehook.ports": "8081:80"])
      let rules = try host.sh("iptables -w -S DOCKER-USER").split(separator: "\n")
      #expect(rules.count <= 4, "once per network: \(rules)")
      #expect(try host.sh("iptables -w -S FORWARD") == "-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n")
    }
  }

  @Test func aUsersOwnTableStaysAsItIs() throws {
    try Sandbox.with { host in
      try host.warmUp()
      try host.nft(
        """
        add table inet mine
        add chain inet mine f { type filter hook forward priority 0; policy accept; }
        add rule inet mine f tcp dport 9 drop
        add table ip nat
        add chain ip nat POSTROUTING { type nat hook postrouting priority 100; }
        add rule ip nat POSTROUTING ip saddr 10.99.0.0/16 masquerade
        """)
      let before = try host.snapshot().lines.filter { $0.contains("\"mine\"") || $0.contains("\"table\":\"nat\"") }
      let web = try publish(host)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      try host.stop(web)
      #expect(try host.snapshot().lines.isSuperset(of: before))
      #expect(before.count >= 4)
    }
  }

  @Test func whatOnlyPassesThroughIsNotOurs() throws {
    try Sandbox.with { host in
      let far = try host.neighbour("f", link: "far0")
      try host.ip("addr add 192.168.99.1/24 dev far0")
      try far.ip("addr add 192.168.99.2/24 dev eth0")
      try far.ip("route add default via 192.168.99.1")
      try host.outside.ip("route add 192.168.99.0/24 via 192.168.77.1")
      _ = try publish(host)
      let server = try far.serve(8080)
      defer { server.stop() }
      #expect(try host.outside.ask("192.168.99.2", 8080) == .reply(from: far.name, seenAs: "192.168.77.2"))
    }
  }
}
