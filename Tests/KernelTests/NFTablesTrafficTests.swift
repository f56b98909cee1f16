import Testing
import WireCore

@testable import WireNFTables

/// Long enough for an answer that must not come.
private let briefly: Int32 = 250

@Suite(.serialized) struct NFTablesTraffic {
  @Test(arguments: [0, 1], [false, true])
  func aPublishedPortAnswersEverybody(nfCall: Int, udp: Bool) throws {
    let lab = try FirewallLab(nfCall: nfCall)
    // From outside the source is kept (B27).
    #expect(lab.outside.ask("192.168.1.9", 8080, udp: udp) == "192.168.1.20")
    #expect(lab.outside.ask("2001:db8::9", 8080, udp: udp) == "2001:db8::20")
    // The host by any of its addresses.
    #expect(lab.host.ask("192.168.1.9", 8080, udp: udp) == "192.168.1.9")
    // (A secondary address has the primary one as its source.)
    #expect(lab.host.ask("192.168.1.10", 8080, udp: udp) == "192.168.1.9")
    #expect(lab.host.ask("2001:db8::9", 8080, udp: udp) == "2001:db8::9")
    #expect(lab.host.ask("10.210.5.1", 8080, udp: udp) == "10.210.5.1")
    #expect(lab.host.ask("127.0.0.1", 8080, udp: udp) == "10.210.4.1")
    if nfCall == 0 { #expect(lab.host.ask("::1", 8080, udp: udp) == "fd42:4::1") }
    // Another network: the source is kept, by each address of the host (B24, B25).
    for address in ["192.168.1.9", "10.210.4.1", "10.210.5.1"] {
      #expect(lab.b1.ask(address, 8080, udp: udp) == "10.210.5.2")
    }
    #expect(lab.b1.ask("2001:db8::9", 8080, udp: udp) == "fd42:5::2")
    // The same segment, and the container itself: the answer must come back through the host (B25, B41).
    for container in [lab.a1, lab.a2] {
      #expect(container.ask("192.168.1.9", 8080, udp: udp) == "10.210.4.1")
      #expect(container.ask("10.210.4.1", 8080, udp: udp) == "10.210.4.1")
      #expect(container.ask("2001:db8::9", 8080, udp: udp) == "fd42:4::1")
    }
  }

  @Test func oneAddressOfTheHostIsOneAddress() throws {
    let lab = try FirewallLab()
    #expect(lab.outside.ask("192.168.1.10", 8082) == "192.168.1.20")
    #expect(lab.host.ask("192.168.1.10", 8082) == "192.168.1.9")
    #expect(lab.b1.ask("192.168.1.10", 8082) == "10.210.5.2")
    #expect(lab.outside.ask("192.168.1.9", 8082) == "refused")
    #expect(lab.host.ask("127.0.0.1", 8082) == "refused")
  }

  @Test func loopbackIsForTheHostAlone() throws {
    let lab = try FirewallLab()
    #expect(lab.host.ask("127.0.0.1", 8081) == "10.210.4.1")
    #expect(lab.host.ask("::1", 8081) == "fd42:4::1")
    // B20: by routing 127/8 here, from outside, from another container and from its own segment.
    for (peer, gateway) in [(lab.outside, "192.168.1.9"), (lab.b1, "10.210.5.1"), (lab.a2, "10.210.4.1")] {
      peer.sh(
        """
        sysctl -qw net.ipv4.conf.all.route_localnet=1; ip addr del 127.0.0.1/8 dev lo
        ip route add 127.0.0.0/8 via \(gateway)
        """)
      for port: UInt16 in [8080, 8081] {
        let before = lab.dropped
        #expect(peer.ask("127.0.0.1", port, within: briefly) == "timeout")
        #expect(lab.dropped > before, "dropped but not counted")
      }
    }
    #expect(lab.outside.ask("192.168.1.9", 8081) == "refused")
    #expect(lab.b1.ask("10.210.4.1", 8081) == "refused")
  }

  @Test func aForgedLoopbackSourceIsDropped() throws {
    let lab = try FirewallLab()
    for peer in [lab.outside, lab.b1] {
      peer.sh("sysctl -qw net.ipv4.conf.all.route_localnet=1")
      // With the host's MAC address known: it answers no ARP request of such an address.
      #expect(peer.ask("192.168.1.9", 8080, udp: true) != "timeout")
      let before = lab.dropped
      #expect(peer.ask("192.168.1.9", 8080, udp: true, from: "127.0.0.9", within: briefly) == "timeout")
      #expect(lab.dropped > before)
    }
  }

  @Test(arguments: [0, 1]) func whatIsNotPublishedIsClosed(nfCall: Int) throws {
    let lab = try FirewallLab(nfCall: nfCall)
    for peer in [lab.outside, lab.b1] {
      let before = lab.dropped
      #expect(peer.ask("10.210.4.2", 80, within: briefly) == "timeout")
      #expect(peer.ask("fd42:4::2", 80, within: briefly) == "timeout")
      #expect(lab.dropped >= before + 2)
    }
    #expect(lab.outside.ask("192.168.1.9", 80) == "refused")
    // The host itself reaches all.
    #expect(lab.host.ask("10.210.4.2", 80) == "10.210.4.1")
    try lab.remove(port(8080, to: "10.210.4.2"))
    #expect(lab.outside.ask("192.168.1.9", 8080) == "refused")
  }

  @Test(arguments: [0, 1]) func oneNetworkIsOneSegment(nfCall: Int) throws {
    let lab = try FirewallLab(nfCall: nfCall)
    #expect(lab.a2.ask("10.210.4.2", 80) == "10.210.4.3")
    #expect(lab.a2.ask("fd42:4::2", 80) == "fd42:4::3")
    try lab.remove(.intra(link("wh-a"), link("wh-a")))
    let expected = nfCall == 0 ? "10.210.4.3" : "timeout"
    #expect(lab.a2.ask("10.210.4.2", 80, within: briefly) == expected)
    #expect(lab.a2.ask("192.168.1.9", 8080) == "10.210.4.1")
  }

  @Test func openNetworksReachEachOther() throws {
    let lab = try FirewallLab()
    try lab.add(.open(link("wh-a")))
    #expect(lab.b1.ask("10.210.4.2", 80, within: briefly) == "timeout")
    try lab.add(.open(link("wh-b")))
    #expect(lab.b1.ask("10.210.4.2", 80) == "10.210.5.2")
    #expect(lab.outside.ask("10.210.4.2", 80, within: briefly) == "timeout")
  }

  @Test func anExposedNetworkIsReachableFromOutsideOnly() throws {
    let lab = try FirewallLab()
    try lab.add(.exposed(link("wh-a")))
    #expect(lab.outside.ask("10.210.4.2", 80) == "192.168.1.20")
    #expect(lab.outside.ask("fd42:4::2", 80) == "2001:db8::20")
    #expect(lab.b1.ask("10.210.4.2", 80, within: briefly) == "timeout")
  }

  @Test func leavingTheHostIsMasqueraded() throws {
    let lab = try FirewallLab()
    #expect(lab.a1.ask("192.168.1.20", 80) == "192.168.1.9")
    #expect(lab.a1.ask("2001:db8::20", 80) == "2001:db8::9")
    try lab.add(.snat(prefix("10.210.4.0/24"), to: address("192.168.1.10")))
    #expect(lab.a1.ask("192.168.1.20", 80) == "192.168.1.10")
    try lab.add(.snat(address("10.210.4.2"), to: address("192.168.1.9")))
    #expect(lab.a1.ask("192.168.1.20", 80) == "192.168.1.9")
    #expect(lab.a2.ask("192.168.1.20", 80) == "192.168.1.10")
    // Without any of it the source stays.
    lab.outside.sh("ip route replace 10.210.5.0/24 via 192.168.1.9")
    try lab.remove(.masquerade(prefix("10.210.5.0/24")))
    #expect(lab.b1.ask("192.168.1.20", 80) == "10.210.5.2")
  }

  @Test func aRestrictedPortAnswersThoseItNames() throws {
    let lab = try FirewallLab()
    let (c4, c6) = (address("10.210.4.2"), address("fd42:4::2"))
    try lab.add(.restricted(.tcp, hostPort: 8080, of: c4), .restricted(.tcp, hostPort: 8080, of: c6))
    let before = lab.dropped
    #expect(lab.outside.ask("192.168.1.9", 8080, within: briefly) == "timeout")
    #expect(lab.outside.ask("2001:db8::9", 8080, within: briefly) == "timeout")
    #expect(lab.b1.ask("192.168.1.9", 8080, within: briefly) == "timeout")
    #expect(lab.dropped >= before + 3)
    // The host may, and other ports are not concerned.
    #expect(lab.host.ask("127.0.0.1", 8080) == "10.210.4.1")
    #expect(lab.outside.ask("192.168.1.10", 8082) == "192.168.1.20")
    #expect(lab.outside.ask("192.168.1.9", 8080, udp: true) == "192.168.1.20")
    try lab.add(
      .allow(.tcp, hostPort: 8080, of: c4, from: prefix("192.168.1.16/28")),
      .allow(.tcp, hostPort: 8080, of: c6, from: prefix("2001:db8::/64")))
    #expect(lab.outside.ask("192.168.1.9", 8080) == "192.168.1.20")
    #expect(lab.outside.ask("2001:db8::9", 8080) == "2001:db8::20")
    #expect(lab.b1.ask("192.168.1.9", 8080, within: briefly) == "timeout")
  }

  @Test(arguments: [0, 1]) func anInternalNetworkHasNoWayOut(nfCall: Int) throws {
    let lab = try FirewallLab(nfCall: nfCall)
    let service = AddressTeller(in: lab.host, port: 22)
    defer { withExtendedLifetime(service) {} }
    #expect(lab.b1.ask("10.210.5.1", 22) == "10.210.5.2")
    try lab.add(.internal(link("wh-b")))
    // B52: outside, the host by any address, another network, the metadata address.
    for (target, port) in [
      ("192.168.1.20", 80), ("192.168.1.9", 22), ("10.210.5.1", 22), ("10.210.4.2", 80), ("169.254.169.254", 80),
      ("2001:db8::20", 80), ("2001:db8::9", 22), ("fd42:5::1", 22),
    ] as [(String, UInt16)] {
      let before = lab.dropped
      #expect(lab.b1.ask(target, port, within: briefly) == "timeout", "\(target)")
      #expect(lab.dropped > before)
    }
    #expect(lab.outside.ask("10.210.5.2", 80, within: briefly) == "timeout")
    // What is published still answers, the host reaches it, and neighbour discovery lives.
    #expect(lab.b1.ask("192.168.1.9", 8080) == "10.210.5.2")
    #expect(lab.host.ask("10.210.5.2", 80) == "10.210.5.1")
    lab.host.sh("ip -6 neigh flush dev wh-b")
    lab.b1.sh("ip -6 neigh flush dev eth0")
    #expect(lab.b1.ask("2001:db8::9", 8080) == "fd42:5::2")
    #expect(lab.host.ask("fd42:5::2", 80) == "fd42:5::1")
  }

  @Test func callersOfAContainerWithoutAWayBackAreMasqueraded() throws {
    let lab = try FirewallLab()
    lab.a1.sh("ip route del default; ip -6 route del default")
    #expect(lab.outside.ask("192.168.1.9", 8080, within: briefly) == "timeout")
    try lab.add(.noReturn(address("10.210.4.2")), .noReturn(address("fd42:4::2")))
    #expect(lab.outside.ask("192.168.1.9", 8080) == "10.210.4.1")
    #expect(lab.outside.ask("2001:db8::9", 8080) == "fd42:4::1")
    #expect(lab.host.ask("192.168.1.9", 8080) == "10.210.4.1")
    #expect(lab.b1.ask("192.168.1.9", 8080) == "10.210.4.1")
  }

  @Test func aContainerOnIPv4AloneRefusesOnIPv6() throws {
    let lab = try FirewallLab()
    let service = AddressTeller(in: lab.a2, port: 81, only4: true)
    defer { withExtendedLifetime(service) {} }
    try lab.add(port(8083, to: "10.210.4.3", 81), port(8083, to: "fd42:4::3", 81))
    #expect(lab.host.ask("127.0.0.1", 8083) == "10.210.4.1")
    #expect(lab.host.ask("::1", 8083) == "refused")
  }

  @Test(arguments: [0, 1]) func othersBridgesAreLeftAlone(nfCall: Int) throws {
    let lab = try FirewallLab(nfCall: nfCall)
    let (x, y) = (LabNamespace(), LabNamespace())
    lab.host.sh("ip link add br-x type bridge forward_delay 0; ip link set br-x up")
    for (number, namespace) in [(1, x), (2, y)] {
      lab.host.sh(
        "ip link add vx\(number) type veth peer name eth0 netns \(namespace.path); ip link set vx\(number) master br-x up"
      )
      namespace.sh(
        """
        sysctl -qw net.ipv4.conf.all.route_localnet=1; ip addr del 127.0.0.1/8 dev lo
        ip addr add 127.9.0.\(number)/24 dev eth0; ip addr add 10.77.0.\(number)/24 dev eth0; ip link set eth0 up
        """)
    }
    let service = AddressTeller(in: y, port: 8080)
    defer { withExtendedLifetime(service) {} }
    #expect(x.ask("10.77.0.2", 8080) == "10.77.0.1")
    #expect(x.ask("127.9.0.2", 8080) == "127.9.0.1")
    #expect(lab.dropped == 0)
  }

  /// A bridge that is somebody else's LAN: its packets stay as they are, whoever uses it as the uplink is masqueraded.
  @Test(arguments: [0, 1]) func anUnmanagedBridgeIsNotFiltered(nfCall: Int) throws {
    let lab = try FirewallLab(nfCall: nfCall)
    let (c, lan) = (LabNamespace(), LabNamespace())
    lab.host.sh("ip link add br3 type bridge forward_delay 0; ip addr add 170.19.0.3/24 dev br3; ip link set br3 up")
    lab.host.sh("sysctl -qw net.ipv4.conf.br3.route_localnet=1")
    for (number, namespace) in [(1, c), (5, lan)] {
      lab.host.sh(
        """
        ip link add vy\(number) type veth peer name eth0 netns \(namespace.path)
        ip link set vy\(number) master br3 up; bridge link set dev vy\(number) hairpin on
        """)
      namespace.sh(
        "ip addr add 170.19.0.\(number)/24 dev eth0; ip link set eth0 up; ip route add default via 170.19.0.3")
    }
    let services = [c, lan].map { AddressTeller(in: $0, port: 80) }
    defer { withExtendedLifetime(services) {} }
    try lab.add(
      .segment(link("br3")), .home(link("br3"), prefix("170.19.0.0/24")), .masquerade(prefix("170.19.0.0/24")),
      port(9090, to: "170.19.0.1"))
    #expect(lan.ask("170.19.0.1", 80) == "170.19.0.5")
    #expect(c.ask("170.19.0.5", 80) == "170.19.0.1")
    #expect(c.ask("192.168.1.20", 80) == "192.168.1.9")
    #expect(lan.ask("170.19.0.3", 9090) == "170.19.0.3")
    #expect(c.ask("170.19.0.3", 9090) == "170.19.0.3")
    #expect(lab.outside.ask("192.168.1.9", 9090) == "192.168.1.20")
    #expect(lab.host.ask("127.0.0.1", 9090) == "170.19.0.3")
    #expect(lab.a1.ask("170.19.0.5", 80) == "170.19.0.3")
    #expect(lab.dropped == 0)
  }
}
