import WireCore

/// A port of an Open vSwitch bridge.
struct SwitchJoining: Joining {
  let port: SwitchPort

  func host(_ interface: AttachedInterface, of container: ContainerIdentity) -> [Step] {
    var pair = interface.pair(of: container)
    pair.isSilent = true
    var steps: [Step] = [.veth(pair), .switchPort(step(interface, of: container))]
    if let check = interface.switchSenderCheck { steps.append(.checkSwitchSender(check)) }
    if port.isUserspace { steps.append(.guardIngress(interface.hostLink)) }
    if let rate = interface.ingress, !port.limits { steps.append(.ingressLimit(interface.hostLink, rate)) }
    return steps
  }

  func inside(_ interface: AttachedInterface) -> [Step] {
    var steps: [Step] = port.isUserspace ? [.checksumsInSoftware(interface.name)] : []
    if let rate = interface.egress, !isPoliced {
      steps.append(.ownEgressLimit(interface.name, rate, mtu: interface.mtu))
    }
    return steps
  }

  /// Open vSwitch takes every ingress discipline off a host end, and its own policing in userspace comes after the packet
  /// socket that it reads: the container's own end is left.
  private var isPoliced: Bool { port.limits && !port.isUserspace }

  private func step(_ interface: AttachedInterface, of container: ContainerIdentity) -> SwitchPortStep {
    SwitchPortStep(
      database: port.database, bridge: interface.bridge, port: interface.hostLink, network: interface.network,
      container: container.id, interface: interface.name, mac: interface.mac, vlan: interface.vlan,
      isProtected: interface.isolated, egress: isPoliced ? interface.egress : nil,
      queueing: interface.ingress.map { port.limits ? .limited($0) : .host })
  }
}
