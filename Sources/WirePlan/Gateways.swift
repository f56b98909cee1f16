import WireConfig
import WireCore

/// Who gives the default route, and which interfaces need a routing table of their own.
enum Gateways {
  /// Fills in `gateways`, `defaultRoutes`, `sourceTable` and `noWayBack`.
  ///
  /// The first interface that has a gateway gives the default route, each family by itself. With several interfaces,
  /// each that has a gateway gets a table for what is sent from its own addresses.
  static func assign(
    _ requests: [(request: InterfaceRequest, facts: NetworkFacts)], to interfaces: inout [AttachedInterface]
  ) throws(PlanFailure) {
    var given: Set<Family> = []
    for index in interfaces.indices {
      let (request, facts) = requests[index]
      for family in Family.allCases where interfaces[index].address(family) != nil {
        guard let gateway = gateway(request, facts, interfaces[index], family) else { continue }
        try check(gateway, on: interfaces[index])
        interfaces[index].gateways.append(gateway)
        if given.insert(family).inserted { interfaces[index].defaultRoutes.append(family) }
      }
      interfaces[index].noWayBack = Family.allCases.filter { family in
        interfaces[index].address(family) != nil && !answersPassHost(interfaces[index], facts, family)
      }
      if interfaces.count > 1, !interfaces[index].gateways.isEmpty {
        interfaces[index].sourceTable = firstTable + UInt32(index)
      }
    }
  }

  /// Above the tables that people number by hand, below those that systemd-networkd takes for VRFs.
  private static let firstTable: UInt32 = 5700

  /// A gateway must be reached on the link. Only an address that has no prefix to itself (/32, /128) may have one that
  /// lies elsewhere.
  private static func check(_ gateway: IPAddress, on interface: AttachedInterface) throws(PlanFailure) {
    let prefixes = interface.addresses.filter { $0.family == gateway.family }
    if gateway.isLinkLocal || prefixes.contains(where: { $0.contains(gateway) || $0.length == gateway.family.bitCount })
    {
      return
    }
    throw .refused(
      WireError(
        "annotation wirehook.gateway \"\(gateway)\"", "it lies on no prefix of \(interface.name)",
        hint: "take one of \(prefixes.map { $0.network.description }.joined(separator: ", "))"))
  }

  private static func gateway(
    _ request: InterfaceRequest, _ facts: NetworkFacts, _ interface: AttachedInterface, _ family: Family
  ) -> IPAddress? {
    switch request.gateway {
    case .none: return nil
    case .given(let addresses):
      // A gateway given for one family says nothing of the other.
      if let found = addresses.first(where: { $0.family == family }) { return found }
    case .automatic: break
    }
    guard !facts.network.internal else { return nil }
    let prefixes = interface.addresses.filter { $0.family == family }
    if let subnet = facts.network.subnets.first(where: { subnet in
      subnet.gateway != nil && prefixes.contains { subnet.prefix.contains($0.address) }
    }) {
      return subnet.gateway
    }
    // A bridge of somebody else's: its own address in the container's subnet, if it has one there.
    return facts.bridgeAddresses.first { own in prefixes.contains { $0.contains(own.address) } }?.address
  }

  private static func answersPassHost(
    _ interface: AttachedInterface, _ facts: NetworkFacts, _ family: Family
  ) -> Bool {
    guard let gateway = interface.gateways.first(where: { $0.family == family }) else { return false }
    let own = facts.network.managed ? facts.network.subnets.compactMap { $0.gateway } : []
    return own.contains(gateway) || facts.bridgeAddresses.contains { $0.address == gateway }
  }
}
