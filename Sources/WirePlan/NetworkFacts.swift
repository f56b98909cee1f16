package import WireConfig
package import WireCore

/// A network together with what the host was seen to have of it.
package struct NetworkFacts: Sendable, Equatable {
  package var network: Network
  /// The bridge's MTU in bytes; nil where there is no such bridge yet.
  package var bridgeMTU: UInt32?
  /// The bridge's own addresses; asked only for a bridge that is not managed.
  package var bridgeAddresses: [Prefix]
  /// Those of the addresses asked for that this host has itself.
  package var hostAddresses: [IPAddress] = []
  /// Addresses that others on the wire answer for, and the MAC address that did.
  package var occupied: [IPAddress: MACAddress] = [:]
  /// How its containers are ports of Open vSwitch; nil for a Linux bridge.
  package var switchPort: SwitchPort?
  /// What the tunnels to other hosts leave of the MTU, in bytes; nil without tunnels.
  package var tunnelMTU: UInt32?
  /// The same of tunnels that somebody else made on a bridge of his own. A container may ask for more: whether it talks through
  /// them is not known.
  package var foreignTunnelMTU: UInt32?

  package init(network: Network, bridgeMTU: UInt32?, bridgeAddresses: [Prefix]) {
    self.network = network
    self.bridgeMTU = bridgeMTU
    self.bridgeAddresses = bridgeAddresses
  }

  /// The Ethernet segment of a port of these VLANs: an address is unique on it, whatever networks share the bridge.
  package func segment(_ vlan: VLANMembership?) -> String {
    let bridge = switchPort == nil ? "bridge:\(network.bridge)" : "ovs:\(network.bridge)"
    return (vlan ?? network.vlan)?.tag.map { "\(bridge).\($0)" } ?? bridge
  }
}

/// What the planner has to know of the host, besides the networks.
package struct HostFacts: Sendable, Equatable {
  /// Whether the host speaks IPv6 at all.
  package var ipv6: Bool
  /// Whether br_netfilter passes bridged IPv4 frames to the firewall.
  package var bridgeNetfilter: Bool
  /// Whether it passes bridged frames of both families. Asked only for networks that isolate their containers.
  package var bridgeNetfilterIsWhole = false
  /// The MTU of the default route's link in bytes.
  package var uplinkMTU: UInt32

  package init(ipv6: Bool, bridgeNetfilter: Bool, uplinkMTU: UInt32) {
    self.ipv6 = ipv6
    self.bridgeNetfilter = bridgeNetfilter
    self.uplinkMTU = uplinkMTU
  }
}
