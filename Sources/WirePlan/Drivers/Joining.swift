import WireCore

/// What differs between the drivers in a plan: how the host end is joined to its bridge, and what that asks of the
/// container's end. One file each beside this one.
protocol Joining {
  /// On the host, in the order of application: the pair first, for the rest stands on it.
  func host(_ interface: AttachedInterface, of container: ContainerIdentity) -> [Step]
  /// In the container, before its link is up.
  func inside(_ interface: AttachedInterface) -> [Step]
}

extension AttachedInterface {
  private var joining: any Joining {
    switchPort.map { SwitchJoining(port: $0) } ?? BridgeJoining()
  }

  func join(_ container: ContainerIdentity) -> [Step] { joining.host(self, of: container) }
  var insideByDriver: [Step] { joining.inside(self) }

  /// The pair, not yet joined to anything.
  func pair(of container: ContainerIdentity) -> VethPair {
    VethPair(
      host: hostLink, bridge: nil, peer: name, peerMAC: mac, mtu: mtu,
      alias: LinkNames.alias(container: container, interface: name))
  }
}
