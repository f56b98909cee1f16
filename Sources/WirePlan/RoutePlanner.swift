import WireConfig
import WireCore

/// Which interface each route of a container leaves by.
enum RoutePlanner {
  /// Fills in `routes`: what the annotations ask for, and what the networks say besides.
  static func assign(
    _ requests: [(request: InterfaceRequest, facts: NetworkFacts)], to interfaces: inout [AttachedInterface]
  ) throws(PlanFailure) {
    for (index, (request, _)) in requests.enumerated() {
      for route in request.routes {
        let owner = try owner(of: route, default: index, interfaces)
        interfaces[owner].routes.append(
          ContainerRoute(destination: route.destination, via: route.via, metric: route.metric))
      }
    }
    let asked = Set(interfaces.flatMap { $0.routes.map { $0.destination } })
    for (index, (_, facts)) in requests.enumerated() {
      // A network's route is for all its containers, also for those without an address of its family.
      for route in facts.network.routes
      where !asked.contains(route.destination) && interfaces[index].address(route.destination.family) != nil {
        interfaces[index].routes.append(
          ContainerRoute(destination: route.destination, via: route.via, metric: route.metric))
      }
    }
  }

  /// The link that the route names; else the one on whose prefix the gateway lies; else the one whose key it was.
  private static func owner(
    of route: RouteRequest, default index: Int, _ interfaces: [AttachedInterface]
  ) throws(PlanFailure) -> Int {
    if let device = route.device {
      guard let found = interfaces.firstIndex(where: { $0.name == device }) else {
        throw .refused(
          WireError(
            "annotation wirehook.routes \"\(route.destination) dev \(device)\"", "the container has no such interface",
            hint: "it has \(interfaces.map { $0.name.description }.joined(separator: ", "))"))
      }
      return found
    }
    guard let gateway = route.via else { return index }
    return interfaces.firstIndex { $0.addresses.contains { $0.contains(gateway) } } ?? index
  }
}
