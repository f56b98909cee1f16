import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// The network that works without any file: its subnets are chosen once, and recorded.
enum StandardNetwork {
  static func find(
    _ marker: NetworkMarker?, ipv6: Bool, on host: borrowing Host
  ) throws(WireError) -> Network {
    if let marker { return try network(marker) }
    // The very first containers of a host may come at once: one of them chooses.
    try host.locks.lock(.network(DefaultNetwork.name), until: host.deadline)
    defer { host.locks.unlock(.network(DefaultNetwork.name)) }
    let recorded = try host.read { () throws(StateError) in try host.store.marker(ofNetwork: DefaultNetwork.name) }
    if let recorded { return try network(recorded) }
    let network = try choose(ipv6: ipv6, on: host)
    let marker = NetworkMarker(
      name: network.name, fingerprint: NetworkInstaller.fingerprint(NetworkSetup(network, ipv6: ipv6)), bridgeIndex: 0)
    try host.change { () throws(StateError) in try host.store.setMarker(marker) }
    return network
  }

  private static func network(_ marker: NetworkMarker) throws(WireError) -> Network {
    try Network.standard(subnets: try Records.network(marker).subnets.map { Subnet(managed: $0) })
  }

  private static func choose(ipv6: Bool, on host: borrowing Host) throws(WireError) -> Network {
    let bridge = try Network.standard(subnets: []).bridge
    let seen: (own: [Prefix], routes: [Prefix])
    do throws(NetlinkError) {
      seen = try look(at: bridge, ipv6: ipv6, on: host)
    } catch {
      throw Hints.explain(error, while: "choosing the default network's subnets")
    }
    // The bridge outlived its record: what is on it goes on.
    if !seen.own.isEmpty { return try Network.standard(subnets: seen.own.map { Subnet(managed: $0) }) }
    var taken = seen.routes
    for name in try host.configuration.networkNames() {
      taken += try host.configuration.network(named: name)?.subnets.map { $0.prefix } ?? []
    }
    guard let subnets = DefaultNetwork.subnets(avoiding: taken, machineID: MachineID.read(), ipv6: ipv6) else {
      throw WireError(
        "choosing the default network's subnets", "every private IPv4 range overlaps a route of this host",
        hint: "configure a network in \(host.configuration.networksDirectory) and name it default_network")
    }
    return try Network.standard(subnets: subnets)
  }

  /// The subnets that the bridge has already, and where the host's routes lead besides.
  private static func look(
    at bridge: InterfaceName, ipv6: Bool, on host: borrowing Host
  ) throws(NetlinkError) -> (own: [Prefix], routes: [Prefix]) {
    var seen: (own: [Prefix], routes: [Prefix]) = ([], [])
    let index = host.route.index(of: bridge)
    if let index {
      seen.own = try host.route.addresses(of: index, until: host.deadline).map { $0.prefix.network }
        .filter { !$0.first.isLinkLocal && $0.length < $0.family.bitCount }
    }
    for family in Family.allCases where family == .ipv4 || ipv6 {
      let routes = try host.route.routes(family, until: host.deadline)
      seen.routes += routes.filter { index == nil || $0.link != index }.compactMap { $0.destination }
    }
    return seen
  }
}
