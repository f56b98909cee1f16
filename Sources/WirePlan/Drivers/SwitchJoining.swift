import WireCore

/// A port of an Open vSwitch bridge.
struct SwitchJoining: Joining {
  let port: SwitchPort

  func host(_ interface: AttachedInterface, of container: ContainerIdentity) -> [Step] {
    var pair = interface.pair(of: container)
    pair.isSilent = true
    var steps: [Step] = [.veth(pair), .switchPort(step(interface, of: container))]
    if port.isUserspace { steps.append(.guardIngress(interface.hostLink)) }
    guard !port.limits else { return steps }
    if let rate = interface.ingress { steps.append(.ingressLimit(interface.hostLink, rate)) }
    if let rate = interface.egress, let shaper = interface.shaper {
      steps.append(.egressLimit(interface.hostLink, shaper: shaper, rate))
    }
    return steps
  }

  func inside(_ interface: AttachedInterface) -> [Step] {
    guard port.isUserspace else { return [] }
    var steps: [Step] = [.checksumsInSoftware(interface.name)]
    // ovs-vswitchd reads a frame before the host end's ingress could put it off: the container's own end is left.
    if let rate = interface.egress, !port.limits {
      steps.append(.ownEgressLimit(interface.name, rate, mtu: interface.mtu))
    }
    return steps
  }

  private func step(_ interface: AttachedInterface, of container: ContainerIdentity) -> SwitchPortStep {
    SwitchPortStep(
      database: port.database, bridge: interface.bridge, port: interface.hostLink, network: interface.network,
      container: container.id, interface: interface.name, mac: interface.mac, vlan: interface.vlan,
      isProtected: interface.isolated, egress: port.limits ? interface.egress : nil,
      ingress: port.limits ? interface.ingress : nil)
  }
}
