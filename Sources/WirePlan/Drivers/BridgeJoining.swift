import WireCore

/// A port of a Linux bridge.
struct BridgeJoining: Joining {
  func host(_ interface: AttachedInterface, of container: ContainerIdentity) -> [Step] {
    var pair = interface.pair(of: container)
    pair.bridge = interface.bridge
    var steps: [Step] = [.veth(pair)]
    if interface.hairpin || interface.isolated {
      steps.append(.portFlags(interface.hostLink, hairpin: interface.hairpin, isolated: interface.isolated))
    }
    if let vlan = interface.vlan?.tag { steps.append(.portVLAN(interface.hostLink, vlan)) }
    if let rate = interface.ingress { steps.append(.ingressLimit(interface.hostLink, rate)) }
    if let rate = interface.egress, let shaper = interface.shaper {
      steps.append(.egressLimit(interface.hostLink, shaper: shaper, rate))
    }
    return steps
  }

  func inside(_ interface: AttachedInterface) -> [Step] { [] }
}
