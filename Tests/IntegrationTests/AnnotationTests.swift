import Support
import Testing

/// The annotations about networks, addresses and links, one by one.
@Suite(needsRoot) struct AnnotationTests {
  private func withTwoNetworks(_ body: (Sandbox) throws -> Void) throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "storage",
        """
        {"driver": "bridge", "bridge": "wh-storage",
         "subnets": [{"subnet": "10.211.0.0/24", "gateway": "10.211.0.1"}, {"subnet": "fd42:211::/64", "gateway": "fd42:211::1"}]}
        """)
      try body(host)
    }
  }

  @Test func severalNetworksBecomeEth0AndTheNamedLink() throws {
    try withTwoNetworks { host in
      let web = try host.started("web", ["wirehook.network": "front,storage:san0"])
      #expect(try web.links() == ["eth0", "lo", "san0"])
      #expect(try web.addresses("eth0").contains { $0.hasPrefix("10.210.4.") })
      #expect(try web.addresses("san0").contains { $0.hasPrefix("10.211.0.") })
    }
  }

  @Test func theSecondNetworkBecomesEth1() throws {
    try withTwoNetworks { host in
      let web = try host.started("web", ["wirehook.network": "front, storage"])
      #expect(try web.links() == ["eth0", "eth1", "lo"])
    }
  }

  @Test func aKeyWithALinksNameIsAboutThatLink() throws {
    try withTwoNetworks { host in
      let web = try host.started(
        "web",
        [
          "wirehook.network": "front,storage:san0", "wirehook.ip": "10.210.4.77", "wirehook.ip.san0": "10.211.0.88/24",
          "wirehook.mac.san0": "02:42:64:01:01:06", "wirehook.mtu.san0": "1280",
        ])
      #expect(try web.addresses("eth0").contains("10.210.4.77/24"))
      #expect(try web.addresses("san0").contains("10.211.0.88/24"))
      let link = try web.json("link show san0")[0]
      #expect(link["address"].string == "02:42:64:01:01:06")
      #expect(link["mtu"].int == 1280)
      #expect(try web.json("link show eth0")[0]["mtu"].int == 1500)
    }
  }

  @Test func addressesOfBothFamiliesAreTakenAsGiven() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ip": "10.210.4.77/24,fd42:210:4::77"])
      #expect(try web.addresses("eth0") == ["10.210.4.77/24", "fd42:210:4::77/64"])
    }
  }

  @Test func aFamilyThatIsNotGivenComesFromThePool() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ip": "10.210.4.77"])
      let addresses = try web.addresses("eth0")
      #expect(addresses.first == "10.210.4.77/24")
      #expect(addresses.last?.hasPrefix("fd42:210:4:") == true)
    }
  }

  @Test func noAddressIsNoAddress() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ip": "none"])
      #expect(try web.links() == ["eth0", "lo"])
      #expect(try web.addresses("eth0") == [])
    }
  }

  @Test func aMACAddressIsTakenAsGiven() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.mac": "02:42:64:01:01:06"])
      #expect(try web.json("link show eth0")[0]["address"].string == "02:42:64:01:01:06")
      #expect(try web.pings("10.210.4.1"))
    }
  }

  @Test func anMTUIsTakenAsGiven() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.mtu": "1300"])
      #expect(try web.json("link show eth0")[0]["mtu"].int == 1300)
    }
  }

  @Test func theMTUIsTheUplinksOtherwise() throws {
    try Sandbox.with(.init(mtu: 1400)) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80, padding: 2_000_000)
      #expect(try web.json("link show eth0")[0]["mtu"].int == 1400)
      #expect(try host.outside.download("192.168.77.1", 8080) > 2_000_000)
      #expect(try host.outside.download("fd77::1", 8080) > 2_000_000)
    }
  }

  @Test func anMTUBeyondTheBridgeIsRefusedOrLowered() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let result = try host.tryAttach(web, ["wirehook.mtu": "9000", "wirehook.ports": "8080:80"])
      guard result.succeeded else {
        expectOneErrorLine(result, naming: ["9000"])
        return
      }
      try web.serve(80, padding: 2_000_000)
      #expect(try host.outside.download("192.168.77.1", 8080) > 2_000_000)
    }
  }

  @Test func routesAreAdded() throws {
    try Sandbox.with { host in
      let web = try host.started(
        "web",
        [
          "wirehook.routes":
            "100.1.2.0/24 dev eth0, 10.99.0.0/16 via 10.210.4.254 metric 7, fd99::/64 via fd42:210:4::fe"
        ])
      let routes = try web.ip("-4 route show") + web.ip("-6 route show")
      #expect(routes.contains("100.1.2.0/24 dev eth0"))
      #expect(routes.contains("10.99.0.0/16 via 10.210.4.254 dev eth0") && routes.contains("metric 7"))
      #expect(routes.contains("fd99::/64 via fd42:210:4::fe dev eth0"))
    }
  }

  @Test func aGatewayIsTakenAsGivenOrLeftOut() throws {
    try Sandbox.with { host in
      let one = try host.started("one", ["wirehook.gateway": "10.210.4.200"])
      #expect(try one.ip("-4 route show default").contains("via 10.210.4.200 dev eth0"))
      let none = try host.started("none", ["wirehook.gateway": "none"])
      #expect(try none.ip("-4 route show default") == "")
      #expect(try none.ip("-6 route show default") == "")
    }
  }

  @Test func theFirstNetworkThatHasAGatewayGivesTheDefaultRoute() throws {
    try withTwoNetworks { host in
      try host.writeNetwork(
        "closed",
        #"{"driver": "bridge", "bridge": "wh-closed", "internal": true, "subnets": [{"subnet": "10.212.0.0/24"}]}"#)
      let web = try host.started("web", ["wirehook.network": "closed,storage,front"])
      let route = try web.ip("-4 route show default")
      #expect(route.contains("via 10.211.0.1 dev eth1"))
      #expect(route.split(separator: "\n").count == 1)
      #expect(try web.ip("-6 route show default").contains("via fd42:211::1 dev eth1"))
    }
  }

  @Test func answersLeaveByTheLinkThatTheQuestionCameInOn() throws {
    try withTwoNetworks { host in
      for key in ["all", "default", "up0"] { try host.setSysctl("net/ipv4/conf/\(key)/rp_filter", "1") }
      let web = try host.started(
        "web",
        [
          "wirehook.network": "front,storage", "wirehook.ports": "8080:80",
          "wirehook.ports.eth1": "8081:80,8081:80/udp",
        ])
      for key in ["all", "eth0", "eth1"] { try web.setSysctl("net/ipv4/conf/\(key)/rp_filter", "1") }
      try web.serve(80)
      for address in ["192.168.77.1", "fd77::1"] {
        #expect(try host.outside.ask(address, 8080).server == "web", "\(address) on the first network")
        #expect(try host.outside.ask(address, 8081).server == "web", "\(address) on the second network")
        #expect(try host.ask(address, 8081).server == "web", "\(address) from the host")
      }
    }
  }

  @Test func whatLeavesTheHostHasTheAddressAskedFor() throws {
    try Sandbox.with { host in
      try host.ip("addr add 192.168.77.50/24 dev up0")
      let web = try host.started("web", ["wirehook.snat": "192.168.77.50"])
      let server = try host.outside.serve(7)
      defer { server.stop() }
      #expect(try web.ask("192.168.77.2", 7).client == "192.168.77.50")
      #expect(try web.ask("fd77::2", 7).client == "fd77::1")
      let other = try host.started("other")
      #expect(try other.ask("192.168.77.2", 7).client == "192.168.77.1")
    }
  }

  @Test func sysctlsAreSetInTheContainerAlone() throws {
    try Sandbox.with { host in
      let web = try host.started(
        "web", ["wirehook.sysctl": "net.ipv4.conf.eth0.arp_notify=1,net.ipv4.ip_unprivileged_port_start=80"])
      #expect(try web.sysctl("net/ipv4/conf/eth0/arp_notify") == "1")
      #expect(try web.sysctl("net/ipv4/ip_unprivileged_port_start") == "80")
      #expect(try host.sysctl("net/ipv4/ip_unprivileged_port_start") == "1024")
    }
  }

  @Test func aSysctlOfTheSecondLinkIsSet() throws {
    try withTwoNetworks { host in
      let web = try host.started(
        "web", ["wirehook.network": "front,storage", "wirehook.sysctl": "net.ipv4.conf.eth1.arp_notify=1"])
      #expect(try web.sysctl("net/ipv4/conf/eth1/arp_notify") == "1")
    }
  }

  @Test(arguments: [
    "net.ipv4.conf.eth0.no_such_key=1", "kernel.hostname=x", "net.ipv4/../../kernel/hostname=x", "net.../x=1",
    "net.ipv4.conf.eth0.arp_notify",
  ])
  func aSysctlThatCannotBeIsRefused(setting: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      try expectRefused(host, host.container("web"), ["wirehook.sysctl": setting], naming: "sysctl")
    }
  }

  @Test func bandwidthIsLimitedInBothDirections() throws {
    try Sandbox.with { host in
      let web = try host.started(
        "web", ["wirehook.bandwidth": "ingress=10mbit,egress=10mbit", "wirehook.ports": "8080:80"])
      let megabyte = 1_000_000
      try web.serve(80, padding: megabyte)
      let server = try host.outside.serve(7, padding: megabyte)
      defer { server.stop() }
      for (client, address, port) in [(web, "192.168.77.2", 7), (host.outside, "192.168.77.1", 8080)]
        as [(any Place, String, UInt16)]
      {
        let start = ContinuousClock.now
        #expect(try client.download(address, port) > megabyte)
        let time = ContinuousClock.now - start
        #expect(time > .milliseconds(500) && time < .milliseconds(2500), "\(client.name): \(time)")
      }
    }
  }

  @Test func theHelperLinkOfBandwidthGoesToo() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.started("web", ["wirehook.bandwidth": "ingress=10mbit,egress=10mbit"])
      try host.stop(web)
      try expectUnchanged(host, since: before)
    }
  }

  @Test func aVLANOnABridgeIsSetOrClearlyRefused() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let result = try host.tryAttach(web, ["wirehook.vlan": "10"])
      guard !result.succeeded else { return }
      expectOneErrorLine(result, naming: ["VLAN"])
      #expect(try web.links() == ["lo"])
    }
  }
}
