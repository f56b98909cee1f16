package import WireConfig
package import WireCore

extension Subnet {
  /// A subnet of a network that we manage, with its first address as the gateway.
  package init(managed prefix: Prefix) { self.init(prefix: prefix, gateway: Self.firstUsable(of: prefix)) }
}

extension Network {
  /// A bridge that was spelled out in the annotation: it is used as it is, and the annotation gives the addresses.
  package static func onTheSpot(bridge: InterfaceName) -> Network {
    var network = Network(name: NetworkReference.bridge(bridge).description, bridge: bridge, subnets: [])
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
    self.init(Network.onTheSpot(bridge: interface.bridge), ipv6: true)
    subnets = interface.addresses.map { $0.network }
    masquerade = interface.addresses.filter { prefix in
      interface.gateways.contains { $0.family == prefix.family } && !interface.noWayBack.contains(prefix.family)
    }.map { $0.network }
  }

  /// Whether a network's name says that it was spelled out in an annotation; a file's name has no colon.
  package static func isOnTheSpot(_ network: String) -> Bool { network.contains(":") }

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
