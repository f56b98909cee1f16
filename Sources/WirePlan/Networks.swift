package import WireConfig
package import WireCore

extension Subnet {
  /// A subnet of a network that we manage, with its first address as the gateway.
  package init(managed prefix: Prefix) { self.init(prefix: prefix, gateway: Self.firstUsable(of: prefix)) }
}

extension Network {
  /// The host's own link on the network: the bridge, or the host's port in the VLAN of a managed Open vSwitch network.
  package var link: InterfaceName {
    guard driver == .ovs, managed, let tag = vlan?.tag else { return bridge }
    return LinkNames.vlanLink(bridge: bridge, vlan: tag)
  }

  /// A bridge that was spelled out in the annotation: it is used as it is, and the annotation gives the addresses.
  package static func onTheSpot(bridge: InterfaceName) -> Network { onTheSpot(.bridge(bridge), bridge) }

  /// The same with a bridge of Open vSwitch.
  package static func onTheSpot(ovs bridge: InterfaceName, database: DatabaseAddress) -> Network {
    var network = onTheSpot(.ovs(bridge), bridge)
    network.driver = .ovs
    network.ovs = OVSSettings(database: database)
    return network
  }

  private static func onTheSpot(_ reference: NetworkReference, _ bridge: InterfaceName) -> Network {
    var network = Network(name: reference.description, bridge: bridge, subnets: [])
    network.managed = false
    network.masquerade = Masquerade(ipv4: .off, ipv6: .off)
    network.isolate = .none
    network.expose = .all
    return network
  }
}

extension NetworkSetup {
  /// What a bridge of somebody else's needs in the firewall for one interface on it: its subnets, and masquerading where
  /// answers come back through this host.
  package init(onTheSpot interface: AttachedInterface) {
    let network =
      interface.switchPort.map { Network.onTheSpot(ovs: interface.bridge, database: $0.database) }
      ?? Network.onTheSpot(bridge: interface.bridge)
    self.init(network, ipv6: true)
    subnets = interface.addresses.map { $0.network }
    masquerade = interface.addresses.filter { prefix in
      interface.gateways.contains { $0.family == prefix.family } && !interface.noWayBack.contains(prefix.family)
    }.map { $0.network }
  }

  /// Whether a network's name says that it was spelled out in an annotation; a file's name has no colon.
  package static func isOnTheSpot(_ network: String) -> Bool { network.contains(":") }

  /// A bridge that carries containers of somebody else's, to which ports are published and nothing more.
  package init(publishingTo interface: AttachedInterface) {
    self.init(onTheSpot: interface)
    network = interface.network
    // Whoever made the bridge decides what leaves the host, and how.
    masquerade = []
  }

  /// How the names of such networks begin; the bridge follows.
  package static let publishing = "publish:"

  package var isForPublishing: Bool { network.hasPrefix(Self.publishing) }

  /// This, and what another interface on the same bridge needed.
  package func union(_ other: NetworkSetup) -> NetworkSetup {
    var union = self
    union.subnets += other.subnets.filter { !subnets.contains($0) }
    union.masquerade += other.masquerade.filter { !masquerade.contains($0) }
    union.subnets.sort()
    union.masquerade.sort()
    return union
  }
}

extension NetworkSetup {
  /// What the networks of an attachment need, each once; `networks` in the order of its interfaces.
  package static func needed(by attachment: Attachment, _ networks: [Network], ipv6: Bool) -> [NetworkSetup] {
    var setups: [NetworkSetup] = []
    for (interface, network) in zip(attachment.interfaces, networks) {
      let onTheSpot = !network.managed && network.subnets.isEmpty
      let setup = onTheSpot ? NetworkSetup(onTheSpot: interface) : NetworkSetup(network, ipv6: ipv6)
      if let index = setups.firstIndex(where: { $0.network == setup.network }) {
        if onTheSpot { setups[index] = setups[index].union(setup) }
      } else {
        setups.append(setup)
      }
    }
    return setups
  }
}
