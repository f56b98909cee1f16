import Support
import Testing

/// Who reaches what: loopback only, source lists, isolation, internal networks.
@Suite(needsRoot) struct AccessTests {
  private func addNetwork(_ host: Sandbox, _ name: String, third: Int, _ more: String = "") throws {
    try host.writeNetwork(
      name,
      """
      {"driver": "bridge", "bridge": "wh-\(name)", \(more)
       "subnets": [{"subnet": "10.211.\(third).0/24", "gateway": "10.211.\(third).1"},
                   {"subnet": "fd42:211:\(third)::/64", "gateway": "fd42:211:\(third)::1"}]}
      """)
  }

  @Test(arguments: [true, false]) func aPortOnLoopbackIsThisMachinesOnly(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      try addNetwork(host, "back", third: 0)
      let web = try host.started("web", ["wirehook.ports": "127.0.0.1:8081:80", "wirehook.ip": "10.210.4.9"])
      try web.serve(80)
      let far = try host.started("far", ["wirehook.network": "back"])
      let near = try host.started("near")
      #expect(try host.ask("127.0.0.1", 8081).server == "web")
      try host.outside.ip("route add 10.210.4.0/24 via 192.168.77.1")
      try host.outside.setSysctl("net/ipv4/conf/all/route_localnet", "1")
      try host.outside.ip("addr del 127.0.0.1/8 dev lo")
      try host.outside.ip("route add 127.0.0.0/8 via 192.168.77.1")
      for (client, address, port) in [
        (host.outside, "127.0.0.1", 8081), (host.outside, "192.168.77.1", 8081), (host.outside, "10.210.4.9", 80),
        (far, "192.168.77.1", 8081), (far, "10.211.0.1", 8081), (near, "192.168.77.1", 8081),
        (near, "10.210.4.1", 8081),
      ] as [(any Place, String, UInt16)] {
        let answer = try client.ask(address, port, within: .milliseconds(300))
        #expect(answer.server == nil, "\(client.name) asks \(address):\(port)")
      }
    }
  }

  @Test func loopbackOfIPv6AnswersFast() throws {
    try Sandbox.with(.init(bridgeFilter: false)) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      for _ in 0..<200 {
        let start = ContinuousClock.now
        let answer = try host.ask("::1", 8080)
        let time = ContinuousClock.now - start
        #expect(answer.server == "web" && time < .milliseconds(50), "\(answer) after \(time)")
        guard answer.server == "web" else { break }
      }
    }
  }

  @Test func loopbackOfIPv6ResetsWhereTheContainerListensOnIPv4Only() throws {
    try Sandbox.with(.init(bridgeFilter: false)) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80, on: "0.0.0.0")
      #expect(try host.ask("::1", 8080) == .refused)
      #expect(try host.ask("127.0.0.1", 8080).server == "web")
    }
  }

  @Test func onlySourcesThatAreAllowedMayCall() throws {
    try Sandbox.with { host in
      let stranger = try host.neighbour("s", link: "up1")
      try host.ip("addr add 192.168.88.1/24 dev up1")
      try host.ip("addr add fd88::1/64 dev up1 nodad")
      try stranger.ip("addr add 192.168.88.2/24 dev eth0")
      try stranger.ip("addr add fd88::2/64 dev eth0 nodad")
      try stranger.ip("route add default via 192.168.88.1")
      try stranger.ip("-6 route add default via fd88::1")
      let web = try host.started(
        "web",
        [
          "wirehook.ports": "8080:80,8081:81", "wirehook.allow": "192.168.77.0/24,fd77::/64",
          "wirehook.allow.8081": "192.168.88.0/24,fd88::/64",
        ])
      try web.serve(80)
      try web.serve(81)
      for (client, address, port, admitted) in [
        (host.outside, "192.168.77.1", 8080, true), (host.outside, "fd77::1", 8080, true),
        (stranger, "192.168.88.1", 8080, false), (stranger, "fd88::1", 8080, false),
        (host.outside, "192.168.77.1", 8081, false), (host.outside, "fd77::1", 8081, false),
        (stranger, "192.168.88.1", 8081, true), (stranger, "fd88::1", 8081, true),
      ] as [(Neighbour, String, UInt16, Bool)] {
        let answer = try client.ask(address, port, within: .milliseconds(admitted ? 1500 : 300))
        #expect((answer.server != nil) == admitted, "\(client.name) asks \(address):\(port): \(answer)")
      }
      let other = try host.started("other", ["wirehook.ports": "8082:82"])
      try other.serve(82)
      #expect(try stranger.ask("192.168.88.1", 8082).server == "other")
    }
  }

  @Test(arguments: [true, false]) func networksAreIsolatedButWhatIsPublishedIsReached(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      try addNetwork(host, "b", third: 7)
      let a = try host.started("a")
      let b = try host.started(
        "b",
        [
          "wirehook.network": "b", "wirehook.ports": "8080:80,8080:80/udp,127.0.0.1:8081:80",
          "wirehook.ip": "10.211.7.9,fd42:211:7::9",
        ])
      try b.serve(80)
      for address in ["10.211.7.9", "fd42:211:7::9"] {
        #expect(try a.ask(address, 80, within: .milliseconds(300)).server == nil, "\(address)")
      }
      for address in ["192.168.77.1", "fd77::1", "10.211.7.1", "fd42:211:7::1", "10.210.4.1"] {
        #expect(try a.ask(address, 8080).server == "b", "\(address)")
        #expect(try a.askUDP(address, 8080).server == "b", "\(address) over UDP")
      }
      #expect(try a.ask("192.168.77.1", 8081, within: .milliseconds(300)).server == nil)
      #expect(try a.ask("192.168.77.1", 8080).client?.hasPrefix("10.210.4.") == true)
    }
  }

  @Test(arguments: [true, false]) func containersOfOneNetworkMayBeIsolatedToo(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      try addNetwork(host, "c", third: 8, #""isolate": "containers","#)
      let one = try host.started(
        "one", ["wirehook.network": "c", "wirehook.ports": "8080:80", "wirehook.ip": "10.211.8.9"])
      let two = try host.started("two", ["wirehook.network": "c"])
      try one.serve(80)
      #expect(try two.ask("10.211.8.9", 80, within: .milliseconds(300)).server == nil)
      #expect(try two.ask("192.168.77.1", 8080).server == "one")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "one")
      #expect(try two.pings("192.168.77.2"))
    }
  }

  @Test func networksThatAreNotIsolatedReachEachOther() throws {
    try Sandbox.with { host in
      try addNetwork(host, "d", third: 9, #""isolate": false,"#)
      try addNetwork(host, "e", third: 10, #""isolate": false,"#)
      let one = try host.started("one", ["wirehook.network": "d", "wirehook.ip": "10.211.9.9"])
      let two = try host.started("two", ["wirehook.network": "e"])
      try one.serve(80)
      #expect(try two.ask("10.211.9.9", 80).server == "one")
    }
  }

  @Test func anExposedNetworkIsReachedByWhoHasARoute() throws {
    try Sandbox.with { host in
      try addNetwork(host, "open", third: 11, #""expose": "all","#)
      let one = try host.started("one", ["wirehook.network": "open", "wirehook.ip": "10.211.11.9"])
      try one.serve(80)
      try host.outside.ip("route add 10.211.11.0/24 via 192.168.77.1")
      #expect(try host.outside.ask("10.211.11.9", 80).server == "one")
    }
  }

  @Test func anInternalNetworkHasNoWayOut() throws {
    try Sandbox.with { host in
      try addNetwork(host, "in", third: 12, #""internal": true,"#)
      let target = try host.started("target", ["wirehook.ip": "10.210.4.9"])
      try target.serve(80)
      let server = try host.outside.serve(7)
      defer { server.stop() }
      let program = try host.serve(6000)
      defer { program.stop() }
      let inner = try host.started("inner", ["wirehook.network": "in", "wirehook.ports": "8080:80"])
      let peer = try host.started("peer", ["wirehook.network": "in", "wirehook.ip": "10.211.12.9"])
      try peer.serve(80)
      try inner.serve(80)
      #expect(try inner.ip("-4 route show default") == "")
      try inner.ip("route add default via 10.211.12.1")
      try inner.ip("-6 route add default via fd42:211:12::1")
      try host.outside.ip("addr add 169.254.169.254/32 dev lo")
      try host.ip("route add 169.254.169.254/32 via 192.168.77.2")
      for (address, port) in [
        ("192.168.77.2", 7), ("fd77::2", 7), ("169.254.169.254", 7), ("10.210.4.9", 80), ("192.168.77.1", 6000),
        ("10.211.12.1", 6000), ("fd77::1", 6000),
      ] as [(String, UInt16)] {
        #expect(try inner.ask(address, port, within: .milliseconds(250)).server == nil, "\(address):\(port)")
      }
      #expect(try inner.ask("10.211.12.9", 80).server == "peer")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "inner")
    }
  }

  @Test(arguments: [true, false]) func aUDPAnswerComesFromTheAddressThatWasAsked(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      try addNetwork(host, "b", third: 7)
      let server = try host.started("server", ["wirehook.ports": "5454:53/udp"])
      try server.serve(53)
      let near = try host.started("near")
      let far = try host.started("far", ["wirehook.network": "b"])
      for client in [near, far, server, host, host.outside] as [any Place] {
        #expect(try client.askUDP("192.168.77.1", 5454).server == "server", "from \(client.name)")
        #expect(try client.askUDP("fd77::1", 5454).server == "server", "from \(client.name) over IPv6")
      }
    }
  }

  @Test func publishOnLimitsWhatNamesNoAddress() throws {
    try Sandbox.with { host in
      try host.ip("addr add 192.168.77.10/24 dev up0")
      try host.writeMain(["publish_on": .list([.text("192.168.77.10")])])
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.10", 8080).server == "web")
      #expect(try host.outside.ask("192.168.77.1", 8080) == .refused)
    }
  }
}
