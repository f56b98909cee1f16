import Testing
import WireCore

@testable import WireNFTables

/// A host with an uplink to a neighbour, network A (`a1`, `a2` on `wh-a`) and network B (`b1` on `wh-b`), each namespace
/// with a service on port 80. `a1`'s is published on 8080 everywhere, on 8081 for 127.0.0.1 and ::1, on 8082 for one address.
final class FirewallLab {
  let host = LabNamespace()
  let outside = LabNamespace()
  let (a1, a2, b1) = (LabNamespace(), LabNamespace(), LabNamespace())
  private var services: [AddressTeller] = []

  init(nfCall: Int = 0) throws {
    host.sh(
      """
      sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
      sysctl -qw net.bridge.bridge-nf-call-iptables=\(nfCall) net.bridge.bridge-nf-call-ip6tables=\(nfCall)
      ip link add up0 type veth peer name eth0 netns \(outside.path)
      ip addr add 192.168.1.9/24 dev up0; ip addr add 192.168.1.10/24 dev up0
      ip addr add 2001:db8::9/64 dev up0 nodad; ip link set up0 up; ip route add default via 192.168.1.20
      """)
    outside.sh(
      """
      ip addr add 192.168.1.20/24 dev eth0; ip addr add 2001:db8::20/64 dev eth0 nodad; ip link set eth0 up
      ip route add 10.210.0.0/16 via 192.168.1.9; ip route add fd42::/16 via 2001:db8::9
      """)
    bridge("wh-a", 4)
    bridge("wh-b", 5)
    container(a1, "wh-a", 4, 2)
    container(a2, "wh-a", 4, 3)
    container(b1, "wh-b", 5, 2)
    services = [outside, a1, a2, b1].map { AddressTeller(in: $0, port: 80) }
    let elements = Self.elements
    try host.firewall { firewall throws(NFTablesError) in try firewall.build(elements: elements, deadline: soon) }
    // The kernel takes up to a second to see a new bridge's carrier; IPv6 waits for that.
    for (from, to) in [(host, "fd42:4::2"), (host, "fd42:5::2"), (outside, "2001:db8::9")] {
      for _ in 1...20 where from.ask(to, 80, within: 200) == "timeout" {}
    }
  }

  private func bridge(_ name: String, _ net: Int) {
    host.sh(
      """
      ip link add \(name) type bridge forward_delay 0
      sysctl -qw net.ipv4.conf.\(name).route_localnet=1
      ip addr add 10.210.\(net).1/24 dev \(name); ip addr add fd42:\(net)::1/64 dev \(name) nodad
      ip link set \(name) up; ip -6 route add local ::1 dev \(name) table local metric \(net)
      """)
  }

  private func container(_ namespace: LabNamespace, _ bridge: String, _ net: Int, _ number: Int) {
    let link = "v\(net)x\(number)"
    host.sh(
      """
      ip link add \(link) type veth peer name eth0 netns \(namespace.path)
      ip link set \(link) master \(bridge) up; bridge link set dev \(link) hairpin on
      """)
    namespace.sh(
      """
      ip addr add 10.210.\(net).\(number)/24 dev eth0; ip addr add fd42:\(net)::\(number)/64 dev eth0 nodad
      ip link set eth0 up; ip route add default via 10.210.\(net).1; ip route add default via fd42:\(net)::1
      """)
  }

  private static let elements: [Element] = {
    var elements: [Element] = []
    for (name, net) in [("wh-a", 4), ("wh-b", 5)] {
      elements += [.segment(link(name)), .bridge(link(name)), .intra(link(name), link(name))]
      for subnet in [prefix("10.210.\(net).0/24"), prefix("fd42:\(net)::/64")] {
        elements += [.home(link(name), subnet), .masquerade(subnet)]
      }
    }
    elements += [port(8080, to: "10.210.4.2"), port(8080, to: "fd42:4::2")]
    elements += [port(8080, to: "10.210.4.2", 80, .udp), port(8080, to: "fd42:4::2", 80, .udp)]
    elements += [port(on: "127.0.0.1", 8081, to: "10.210.4.2"), port(on: "::1", 8081, to: "fd42:4::2")]
    elements += [port(on: "192.168.1.10", 8082, to: "10.210.4.2")]
    return elements
  }()

  func add(_ elements: Element?...) throws {
    let elements = elements.compactMap { $0 }
    try host.firewall { firewall throws(NFTablesError) in try firewall.add(elements, deadline: soon) }
  }

  func remove(_ elements: Element?...) throws {
    let elements = elements.compactMap { $0 }
    try host.firewall { firewall throws(NFTablesError) in try firewall.remove(elements, deadline: soon) }
  }

  /// Packets that the counters of the table have dropped.
  var dropped: Int {
    host.sh("nft list table inet wirehook").split(separator: "\n").reduce(0) { sum, line in
      let words = line.split(separator: " ")
      guard words.contains("drop"), let at = words.firstIndex(of: "packets") else { return sum }
      return sum + (Int(words[at + 1]) ?? 0)
    }
  }
}
