package import WireConfig
package import WireCore

/// What a network needs once, shared by all its containers: the bridge, its addresses, its place in the firewall.
///
/// It is recorded when it stands, so that the next attach need not look at it again; a change of the network's file
/// shows as another value.
package struct NetworkSetup: Sendable, Hashable {
  /// The network's name; `bridge:br3` for one that was spelled out on the spot.
  package var network: String
  package var driver: Network.Driver
  package var bridge: InterfaceName
  /// The host's own link on the segment, which has the gateway's address and which the firewall knows: the bridge, or its
  /// port in a VLAN.
  package var link: InterfaceName
  /// Whether the bridge is ours to configure. If not, only the firewall's sets know of it.
  package var managed: Bool
  /// For a bridge that has to be made: bytes; nil: as the uplink.
  package var mtu: UInt32?
  /// The gateways, with the subnet's length, for the bridge to have.
  package var addresses: [Prefix]
  /// What lies on the bridge.
  package var subnets: [Prefix]
  /// The subnets whose traffic leaves the host under one of the host's addresses.
  package var masquerade: [Prefix]
  /// Subnets that leave under this very address of the host.
  package var sourceNAT: [SubnetSource]
  package var isInternal: Bool
  package var isolate: Network.Isolation
  package var expose: Network.Exposure
  package var vlanFiltering: Bool
  /// The VLAN of `link`, where it is not the bridge.
  package var vlan: UInt16?
  package var vxlan: VXLAN?
  /// Open vSwitch's database; nil for a Linux bridge.
  package var database: DatabaseAddress?

  /// A subnet and the host's address that it leaves with.
  package struct SubnetSource: Sendable, Hashable {
    package var subnet: Prefix
    package var host: IPAddress
  }

  /// What `network` needs; `ipv6`: whether the host speaks IPv6.
  package init(_ network: Network, ipv6: Bool) {
    let subnets = network.subnets.filter { ipv6 || $0.prefix.family == .ipv4 }
    self.network = network.name
    driver = network.driver
    bridge = network.bridge
    link = network.link
    managed = network.managed
    mtu = network.mtu
    addresses =
      network.managed
      ? subnets.compactMap { subnet in
        subnet.gateway.flatMap { Prefix($0, subnet.prefix.length) }
      } : []
    self.subnets = subnets.map { $0.prefix }
    masquerade = []
    sourceNAT = []
    isInternal = network.managed && network.internal
    isolate = network.isolate
    expose = network.expose
    vlanFiltering = network.driver == .bridge && network.vlan != nil
    vxlan = network.vxlan
    if network.driver == .ovs {
      database = network.ovs.database
      vlan = network.managed ? network.vlan?.tag : nil
    }
    guard network.managed, !network.internal else { return }
    for subnet in self.subnets {
      switch network.masquerade[subnet.family] {
      case .off: break
      case .masquerade: masquerade.append(subnet)
      case .addresses(let hosts):
        guard let host = hosts.first(where: { $0.family == subnet.family }) else { continue }
        sourceNAT.append(SubnetSource(subnet: subnet, host: host))
      }
    }
  }

  /// The families that the host must forward for this network.
  package var families: [Family] { Family.allCases.filter { family in subnets.contains { $0.family == family } } }
}
