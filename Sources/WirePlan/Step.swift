package import WireCore

/// One thing that the host or the container must have for an attachment to stand.
///
/// Steps are data, so that apply, undo, `check` and the drawing of a plan read the same list.
package enum Step: Sendable, Hashable {
  /// As `ip link add HOST master BRIDGE up type veth peer name NAME netns CONTAINER`, in one request.
  case veth(VethPair)
  /// As `bridge link set dev HOST hairpin on isolated on`.
  case portFlags(InterfaceName, hairpin: Bool, isolated: Bool)
  /// As `bridge vlan add dev HOST vid ID pvid untagged`.
  case portVLAN(InterfaceName, UInt16)
  /// As `tc qdisc add dev HOST root tbf …`: what the container receives.
  case ingressLimit(InterfaceName, Rate)
  /// As `tc qdisc add dev HOST ingress`, redirected through an ifb with tbf: what the container sends.
  case egressLimit(InterfaceName, shaper: InterfaceName, Rate)

  /// DNAT, as elements of the port maps.
  case publish(PublishedPort)
  /// SNAT to one of the host's addresses.
  case sourceNAT(container: IPAddress, host: IPAddress)
  /// What is published to this address is masqueraded.
  case noWayBack(IPAddress)
  /// Forget the connections of a published UDP port, so that the next datagram meets the new rules.
  case forgetFlows(PortMapping)

  /// In the container: a file below /proc/sys, its path as components, since a link's name may hold a dot.
  /// One that the user did not ask for may be absent: a kernel without IPv6 has nothing to switch off.
  case setting([String], value: String, required: Bool)
  /// In the container: as `ip addr add … nodad`.
  case address(Prefix, InterfaceName)
  /// In the container: as `ip link set NAME up`.
  case linkUp(InterfaceName)
  /// In the container: as `ip route add …`.
  case route(RouteStep)
  /// In the container: as `ip rule add from ADDRESS lookup TABLE`.
  case rule(from: IPAddress, table: UInt32)
  /// A change of /etc/hosts or /etc/resolv.conf, in place: a bind mount shows the file that it was made of.
  case edit(FileEdit)

  /// Where a step takes effect, which is also the unit in which steps are sent.
  package enum Place: Sendable, Hashable { case host, shaping, firewall, settings, container, files }

  package var place: Place {
    switch self {
    case .veth, .portFlags, .portVLAN: .host
    case .ingressLimit, .egressLimit: .shaping
    case .publish, .sourceNAT, .noWayBack, .forgetFlows: .firewall
    case .setting: .settings
    case .address, .linkUp, .route, .rule: .container
    case .edit: .files
    }
  }
}

/// A pair of virtual Ethernet links across two namespaces.
package struct VethPair: Sendable, Hashable {
  package var host: InterfaceName
  package var bridge: InterfaceName
  package var peer: InterfaceName
  package var peerMAC: MACAddress
  package var mtu: UInt32
  /// Says in `ip link` whose the host end is.
  package var alias: String
}

/// A route as a step wants it.
package struct RouteStep: Sendable, Hashable {
  /// nil: the default route of `family`.
  package var destination: Prefix?
  package var family: Family
  package var via: IPAddress?
  package var link: InterfaceName
  package var metric: UInt32?
  /// nil: the main table.
  package var table: UInt32?
  /// The gateway lies in no prefix of the link: it is reached on the link all the same.
  package var onlink = false
}
