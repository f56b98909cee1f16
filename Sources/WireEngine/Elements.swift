import WireConfig
import WireCore
package import WireNFTables
package import WirePlan

/// What steps and networks are in the firewall: elements of its sets and maps.
package enum Elements {
  /// The elements of an attachment's steps; none for steps of other places.
  package static func of(_ steps: [Step]) -> [Element] {
    var elements: [Element] = []
    for step in steps {
      switch step {
      case .publish(let port): elements += of(port)
      case .sourceNAT(let container, let host): elements += [Element.snat(container, to: host)].compactMap { $0 }
      case .noWayBack(let container): elements.append(.noReturn(container))
      default: break
      }
    }
    return elements
  }

  private static func of(_ port: PublishedPort) -> [Element] {
    var elements: [Element] = []
    for target in port.targets {
      guard let element = Element.port(port.mapping, to: target) else { continue }
      elements.append(element)
      guard let allow = port.allow else { continue }
      let (transport, hostPort) = (port.mapping.transport, port.mapping.hostPort)
      elements.append(.restricted(transport, hostPort: hostPort, of: target))
      elements += allow.compactMap { .allow(transport, hostPort: hostPort, of: target, from: $0) }
    }
    return elements
  }

  /// The elements that a network has for itself.
  package static func of(_ network: NetworkSetup) -> [Element] {
    let bridge = network.bridge
    var elements: [Element] = [.segment(bridge)]
    elements += network.subnets.map { .home(bridge, $0) }
    elements += network.masquerade.map { .masquerade($0) }
    elements += network.sourceNAT.compactMap { .snat($0.subnet, to: $0.host) }
    guard network.managed else { return elements }
    elements.append(.bridge(bridge))
    if network.isInternal { elements.append(.internal(bridge)) }
    if network.expose == .all { elements.append(.exposed(bridge)) }
    if network.isolate == .none { elements.append(.open(bridge)) }
    if network.isolate != .containers { elements.append(.intra(bridge, bridge)) }
    return elements
  }
}
