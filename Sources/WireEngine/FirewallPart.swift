import WireConfig
package import WireCore
package import WireNFTables
package import WirePlan

/// What steps, or a network, have in the firewall: elements of its sets and maps, and host ends that it guards.
package struct FirewallPart: Sendable {
  package var elements: [Element] = []
  /// Host ends whose frames the host's own IP stack does not hear.
  package var guards: [InterfaceName] = []

  package var isEmpty: Bool { elements.isEmpty && guards.isEmpty }

  package init() {}

  /// What an attachment's steps have; nothing for steps of other places.
  package init(_ steps: [Step]) {
    for step in steps {
      switch step {
      case .publish(let port): elements += Self.elements(of: port)
      case .sourceNAT(let container, let host): elements += [Element.snat(container, to: host)].compactMap { $0 }
      case .noWayBack(let container): elements.append(.noReturn(container))
      case .guardIngress(let link): guards.append(link)
      case .checkSender(let check): elements += Self.elements(of: check)
      default: break
      }
    }
  }

  /// What a network has for itself.
  package init(_ network: NetworkSetup) {
    let link = network.link
    elements.append(.segment(link))
    elements += network.subnets.map { .home(link, $0) }
    elements += network.masquerade.map { .masquerade($0) }
    elements += network.sourceNAT.compactMap { .snat($0.subnet, to: $0.host) }
    guard network.managed else { return }
    elements.append(.bridge(link))
    if network.isInternal { elements.append(.internal(link)) }
    if network.expose == .all { elements.append(.exposed(link)) }
    if network.isolate == .none { elements.append(.open(link)) }
    if network.isolate != .containers { elements.append(.intra(link, link)) }
  }

  /// This less what another part has.
  func without(_ other: FirewallPart) -> FirewallPart {
    var rest = self
    rest.elements.removeAll { other.elements.contains($0) }
    rest.guards.removeAll { other.guards.contains($0) }
    return rest
  }

  mutating func append(_ other: FirewallPart) {
    elements += other.elements
    guards += other.guards
  }

  /// Adds what another part has, which may be among this already.
  mutating func formUnion(_ other: FirewallPart) {
    elements += other.elements.filter { !elements.contains($0) }
    guards += other.guards.filter { !guards.contains($0) }
  }

  private static func elements(of check: SenderCheck) -> [Element] {
    let link = check.hostLink
    return [.antispoof(link), .sender(link, check.mac)] + check.addresses.map { .sender(link, $0) }
      + check.free.map { .anySender(link, $0) }
  }

  private static func elements(of port: PublishedPort) -> [Element] {
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
}
