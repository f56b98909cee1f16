import Support
import Testing

/// One container on the default network, seen from everywhere, with bridge-nf-call-* on and off.
@Suite(needsRoot) struct WiringTests {
  @Test func itGetsAddressesDefaultRoutesAndLoopback() throws {
    try Sandbox.with { host in
      let web = try host.started("web")
      let addresses = try web.addresses("eth0")
      #expect(addresses.count == 2)
      #expect(addresses.contains { $0.hasPrefix("10.210.4.") && $0.hasSuffix("/24") })
      #expect(addresses.contains { $0.hasPrefix("fd42:210:4:") && $0.hasSuffix("/64") })
      #expect(try web.ip("-4 route show default").contains("via 10.210.4.1 dev eth0"))
      #expect(try web.ip("-6 route show default").contains("via fd42:210:4::1 dev eth0"))
      #expect(try web.addresses("lo") == ["127.0.0.1/8", "::1/128"])
      #expect(try web.pings("127.0.0.1"))
      #expect(try web.links() == ["eth0", "lo"])
    }
  }

  @Test func theHostEndSaysWhoseItIs() throws {
    try Sandbox.with { host in
      _ = try host.started("0123456789abcdef")
      let ends = try host.json("-d link show master wh-front").array
      #expect(ends.count == 1)
      #expect(ends.first?["ifalias"].string?.contains("0123456789abcdef") == true)
    }
  }

  @Test(arguments: [true, false]) func itReachesTheOutside(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      let web = try host.started("web")
      let server = try host.outside.serve(7)
      defer { server.stop() }
      let name = host.outside.name
      #expect(try web.ask("192.168.77.2", 7) == .reply(from: name, seenAs: "192.168.77.1"))
      #expect(try web.ask("fd77::2", 7) == .reply(from: name, seenAs: "fd77::1"))
      #expect(try web.askUDP("192.168.77.2", 7) == .reply(from: name, seenAs: "192.168.77.1"))
      #expect(try web.askUDP("fd77::2", 7) == .reply(from: name, seenAs: "fd77::1"))
      #expect(try web.pings("192.168.77.2"))
      #expect(try web.pings("fd77::2"))
    }
  }

  @Test(arguments: [true, false]) func theOutsideReachesItsPublishedPortAndIsSeen(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80,8080:80/udp"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080) == .reply(from: "web", seenAs: "192.168.77.2"))
      #expect(try host.outside.ask("fd77::1", 8080) == .reply(from: "web", seenAs: "fd77::2"))
      #expect(try host.outside.askUDP("192.168.77.1", 8080) == .reply(from: "web", seenAs: "192.168.77.2"))
      #expect(try host.outside.askUDP("fd77::1", 8080) == .reply(from: "web", seenAs: "fd77::2"))
    }
  }

  @Test(arguments: [true, false]) func theHostReachesItByEachOfItsAddresses(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80,8080:80/udp"])
      try web.serve(80)
      // With bridge-nf-call-ip6tables the answers to ::1 are dropped in the bridge.
      let loopback6 = bridgeFilter ? [] : ["::1"]
      for address in ["192.168.77.1", "fd77::1", "10.210.4.1", "fd42:210:4::1", "127.0.0.1", "127.0.0.53"] + loopback6 {
        #expect(try host.ask(address, 8080).server == "web", "\(address)")
        #expect(try host.askUDP(address, 8080).server == "web", "\(address) over UDP")
      }
      #expect(try host.ask("192.168.77.1", 8080).client == "192.168.77.1")
    }
  }

  @Test(arguments: [true, false]) func itReachesItselfThroughTheHost(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80,8080:80/udp"])
      try web.serve(80)
      for address in ["192.168.77.1", "fd77::1", "10.210.4.1", "fd42:210:4::1"] {
        #expect(try web.ask(address, 8080).server == "web", "\(address)")
        #expect(try web.askUDP(address, 8080).server == "web", "\(address) over UDP")
      }
    }
  }

  @Test(arguments: [true, false]) func anotherContainerReachesItThroughTheHostAndDirectly(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      let web = try host.started(
        "web", ["wirehook.ports": "8080:80,8080:80/udp", "wirehook.ip": "10.210.4.9,fd42:210:4::9"])
      try web.serve(80)
      let other = try host.started("other")
      for address in ["192.168.77.1", "fd77::1", "10.210.4.1"] {
        #expect(try other.ask(address, 8080).server == "web", "\(address)")
        #expect(try other.askUDP(address, 8080).server == "web", "\(address) over UDP")
      }
      #expect(try other.ask("10.210.4.9", 80).server == "web")
      #expect(try other.ask("fd42:210:4::9", 80).server == "web")
    }
  }

  @Test func theOutsideReachesTheVeryFirstContainerAtOnce() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      try web.serve(80)
      try host.attach(web, ["wirehook.ports": "8080:80"])
      #expect(try host.outside.ask("fd77::1", 8080, within: .milliseconds(950)).server == "web")
      #expect(try host.outside.ask("192.168.77.1", 8080, within: .milliseconds(950)).server == "web")
    }
  }

  @Test(arguments: [true, false]) func anUnpublishedPortIsClosedEvenToWhoHasARoute(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80", "wirehook.ip": "10.210.4.9,fd42:210:4::9"])
      try web.serve(80)
      try web.serve(81)
      try host.outside.ip("route add 10.210.4.0/24 via 192.168.77.1")
      try host.outside.ip("-6 route add fd42:210:4::/64 via fd77::1")
      for address in ["10.210.4.9", "fd42:210:4::9"] {
        #expect(try host.outside.ask(address, 80, within: .milliseconds(300)).server == nil)
        #expect(try host.outside.ask(address, 81, within: .milliseconds(300)).server == nil)
        #expect(try host.outside.askUDP(address, 81, within: .milliseconds(300)).server == nil)
      }
      #expect(try host.outside.ask("192.168.77.1", 81).server == nil)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
    }
  }

  @Test func everythingGoesWithIt() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.started(
        "web", ["wirehook.ports": "8080:80,127.0.0.1:5353:53/udp,[::1]:8443:443,9000-9005:9000-9005"])
      #expect(try host.snapshot() != before)
      try host.stop(web)
      try expectUnchanged(host, since: before)
      #expect(try host.list().isEmpty)
    }
  }

  @Test func aBridgeOfOursKeepsItsMACWhileItsPortsChange() throws {
    try Sandbox.with { host in
      let addresses = try (0..<4).map { number in
        let container = try host.started("c\(number)", ["wirehook.mac": "02:00:00:00:00:0\(9 - number)"])
        if number == 2 { try host.stop(container) }
        return try host.json("link show wh-front")[0]["address"]
      }
      #expect(Set(addresses).count == 1)
      #expect(try host.json("-d link show wh-front")[0]["linkinfo"]["info_data"]["forward_delay"].int == 0)
    }
  }

  @Test func successIsSilentAndHoldsNoPipe() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      for result in [try host.tryAttach(web, ["wirehook.ports": "8080:80"]), try host.tryDetach("web")] {
        #expect(result.exitCode == 0)
        #expect(result.stdout == "" && result.stderr == "")
        #expect(!result.leftPipesOpen)
      }
    }
  }

  @Test(arguments: [Stage.createRuntime, .prestart, nil]) func theStageMayBeSaidOrRead(stage: Stage?) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let result = try host.hook(stage, input: host.state(web))
      #expect(result.exitCode == 0, "\(result)")
      #expect(try web.links() == ["eth0", "lo"])
      let end = try host.hook(nil, input: #"{"ociVersion":"1.0","id":"web","status":"stopped","pid":0,"bundle":"/"}"#)
      #expect(end.exitCode == 0, "\(end)")
      #expect(try web.links() == ["lo"])
    }
  }

  /// A hook entry may lack the program's name as its first argument, and `env -i` leaves not even PATH.
  @Test(arguments: [
    ["env", "-i"], ["env", "-i", "WIREHOOK_CONFIG=FILE"], ["sh", "-c", "exec -a --config \"$@\"", "sh"],
  ])
  func itMayBeCalledInSeveralWays(wrapper: [String]) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      var words = wrapper.map { $0.replacing("FILE", with: host.configFile) } + [try Built.path("wirehook-oci")]
      switch wrapper.count {
      case 2: words += ["--config", host.configFile, "createRuntime"]
      case 3: words += ["createRuntime"]
      default: words = ["bash"] + words.dropFirst() + [host.configFile, "createRuntime"]
      }
      let result = try host.run(words, input: Array(host.state(web).utf8))
      #expect(result.exitCode == 0, "\(result)")
      #expect(try web.links() == ["eth0", "lo"])
      #expect(try host.links().contains("wh-front"))
    }
  }

  @Test func forwardingIsSwitchedOnAndTheRouterStaysKnown() throws {
    try Sandbox.with(.init(forwarding: false)) { host in
      try host.setSysctl("net/ipv6/conf/up0/accept_ra", "1")
      try host.ip("link add quiet0 type veth peer name quiet1")
      try host.setSysctl("net/ipv6/conf/quiet0/accept_ra", "0")
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.sysctl("net/ipv4/ip_forward") == "1")
      #expect(try host.sysctl("net/ipv6/conf/all/forwarding") == "1")
      #expect(try host.sysctl("net/ipv6/conf/up0/accept_ra") == "2")
      #expect(try host.sysctl("net/ipv6/conf/quiet0/accept_ra") == "0")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.outside.ask("fd77::1", 8080).server == "web")
    }
  }

  @Test func aHostWithoutIPv6GetsIPv4Alone() throws {
    try Sandbox.with(.init(ipv6: false)) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try web.addresses("eth0").count == 1)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
    }
  }

  @Test(arguments: [true, false]) func theBridgeFilterIsNotTouched(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80"])
      #expect(try host.sysctl("net/bridge/bridge-nf-call-iptables") == (bridgeFilter ? "1" : "0"))
      #expect(try host.sysctl("net/bridge/bridge-nf-call-ip6tables") == (bridgeFilter ? "1" : "0"))
    }
  }
}
