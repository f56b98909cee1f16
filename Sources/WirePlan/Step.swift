package import WireCore

/// One thing that the host or the container must have for an attachment to stand.
///
/// Steps are data, so that apply, undo, `check` and the drawing of a plan read the same list.
package enum Step: Sendable, Hashable {
  /// As `ip link add HOST [master BRIDGE] up type veth peer name NAME netns CONTAINER`, in one request.
  case veth(VethPair)
  /// As `bridge link set dev HOST hairpin on isolated on`.
  case portFlags(InterfaceName, hairpin: Bool, isolated: Bool)
  /// As `bridge vlan add dev HOST vid ID pvid untagged`.
  case portVLAN(InterfaceName, UInt16)
  /// As `ovs-vsctl add-port BRIDGE HOST …`.
  case switchPort(SwitchPortStep)
  /// What comes in by a port of Open vSwitch has the container's addresses as its sender's, or is dropped: by flows.
  case checkSwitchSender(SwitchSenderCheck)
  /// As `tc qdisc add dev HOST root tbf …`: what the container receives.
  case ingressLimit(InterfaceName, Rate)
  /// As `tc qdisc add dev HOST ingress`, redirected through an ifb with tbf: what the container sends.
  case egressLimit(InterfaceName, shaper: InterfaceName, Rate)

  /// The host's own IP stack does not hear what comes in on this host end.
  case guardIngress(InterfaceName)
  /// What comes in by a host end has the container's addresses as its sender's, or is dropped.
  case checkSender(SenderCheck)
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
  /// In the container: as `ethtool -K NAME tx off`. A datapath in userspace completes no checksums.
  case checksumsInSoftware(InterfaceName)
  /// In the container: as `tc qdisc add dev NAME root tbf …`: what it sends, where no host end can be asked.
  case ownEgressLimit(InterfaceName, Rate, mtu: UInt32)
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
  package enum Place: Sendable, Hashable { case host, `switch`, shaping, firewall, settings, container, files }

  package var place: Place {
    switch self {
    case .veth, .portFlags, .portVLAN: .host
    case .switchPort, .checkSwitchSender: .switch
    case .ingressLimit, .egressLimit: .shaping
    case .guardIngress, .checkSender, .publish, .sourceNAT, .noWayBack, .forgetFlows: .firewall
    case .setting: .settings
    case .checksumsInSoftware, .ownEgressLimit, .address, .linkUp, .route, .rule: .container
    case .edit: .files
    }
  }
}

/// A pair of virtual Ethernet links across two namespaces.
package struct VethPair: Sendable, Hashable {
  package var host: InterfaceName
  /// The Linux bridge that the host end is born a port of; nil: Open vSwitch takes it.
  package var bridge: InterfaceName?
  package var peer: InterfaceName
  package var peerMAC: MACAddress
  package var mtu: UInt32
  /// Says in `ip link` whose the host end is.
  package var alias: String
  /// The host end speaks no ARP and has no IPv6 address: the host talks to the container through the bridge only.
  package var isSilent = false
}

/// A port of Open vSwitch as a step wants it.
package struct SwitchPortStep: Sendable, Hashable {
  package var database: DatabaseAddress
  package var bridge: InterfaceName
  package var port: InterfaceName
  package var network: String
  package var container: String
  package var interface: InterfaceName
  package var mac: MACAddress
  package var vlan: VLANMembership?
  /// Protected ports do not reach each other.
  package var isProtected: Bool
  /// What the container sends, where Open vSwitch limits it.
  package var egress: Rate?
  package var queueing: Queueing?

  /// How what the container receives is held back.
  package enum Queueing: Sendable, Hashable {
    /// By the host end's own queueing discipline, which Open vSwitch must leave alone.
    case host
    /// By Open vSwitch.
    case limited(Rate)
  }
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
