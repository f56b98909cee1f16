import Glibc
import WireCore
import WireEngine
import WireNFTables
import WireNetlink
import WirePlan
import WireView

/// From a program to the wire.
extension PathWalk {
  mutating func send(from container: WiredContainer) throws(Interruption) -> Arrival {
    let facts = try inside(container)
    let place = PathPlace.container(container.attachment.container.id)
    if !packet.isAnswer { translate(.output, in: facts, from: nil) }
    // What was rewritten inside is put back inside: the host knows nothing of it.
    (translation, packet.isTranslated) = (
      packet.isAnswer ? translation : Translation(), packet.isTranslated && packet.isAnswer
    )
    if !facts.has(packet.destination) { try useOwnLink(of: container, in: facts) }
    let answer = try lookUp(RouteQuestion(to: packet.destination, from: packet.source), in: place)
    guard case .found(let choice) = answer else {
      throw stop(
        facts.name, .route, "no route to \(packet.destination)",
        defaultRoute(of: container, in: facts) ?? wayOut(of: container))
    }
    if packet.source == nil {
      packet.source = choice.way.source ?? container.attachment.interfaces.first?.address(packet.family)
    }
    guard let link = facts.link(choice.way.link) else { throw stop(facts.name, .route, "the route has no link") }
    pass(facts.name, .route, text(choice, link))
    if choice.way.kind == .local { return try loop(in: facts, .container(container)) }
    try filter(.output, in: facts, from: nil, to: link)
    neighbor(choice.way.gateway ?? packet.destination, by: link, in: facts)
    guard let interface = container.attachment.interfaces.first(where: { $0.name.description == link.name }) else {
      note(facts.name, .link, "\(link.name) is none of wirehook's: where it leads is not known here")
      return .outside
    }
    return try leave(container, interface, nextHop: choice.way.gateway ?? packet.destination)
  }

  mutating func sendFromHost() throws(Interruption) -> Arrival {
    let facts = source.host
    if !packet.isAnswer {
      // The source is chosen before the destination is rewritten: whoever calls 127.0.0.1 calls from there.
      if packet.source == nil {
        guard case .found(let choice) = try lookUp(RouteQuestion(to: packet.destination), in: .host) else {
          throw stop(facts.name, .route, "no route to \(packet.destination)", routeCommand)
        }
        packet.source = choice.way.source
      }
      translate(.output, in: facts, from: nil)
      try refuseLostPort()
    }
    // The kernel routes a packet of 127.0.0.1's own by its destination alone, once that has been rewritten.
    let from = packet.source.flatMap { $0.isLoopback && packet.isTranslated ? nil : $0 }
    let answer = try lookUp(RouteQuestion(to: packet.destination, from: from), in: .host)
    guard case .found(let choice) = answer, let link = facts.link(choice.way.link) else {
      throw stop(facts.name, .route, "no route to \(packet.destination)", routeCommand)
    }
    packet.source = packet.source ?? choice.way.source
    pass(facts.name, .route, text(choice, link))
    if choice.way.kind == .local {
      return try loop(in: facts, .host)
    }
    try filter(.output, in: facts, from: nil, to: link)
    return try leaveHost(by: link, choice.way.gateway ?? packet.destination)
  }

  var routeCommand: String { "ip route add \(Prefix(host: packet.destination)) via GATEWAY" }

  /// To an address of the place's own: by lo.
  private mutating func loop(in facts: PlaceFacts, _ arrival: Arrival) throws(Interruption) -> Arrival {
    guard let lo = facts.link(named: "lo") else { throw stop(facts.name, .link, "there is no lo") }
    try use(lo, in: facts)
    try filter(.input, in: facts, from: lo, to: nil)
    try deliver(to: facts)
    return arrival
  }

  /// The interface by which the packet is meant to leave, before a route is asked for: a link that is down has no routes.
  private mutating func useOwnLink(of container: WiredContainer, in facts: PlaceFacts) throws(Interruption) {
    let interfaces = container.attachment.interfaces
    let near = interfaces.first { $0.addresses.contains { $0.contains(packet.destination) } }
    guard let own = near ?? interfaces.first(where: { $0.defaultRoutes.contains(packet.family) }) ?? interfaces.first
    else { return }
    guard let link = facts.link(named: own.name.description) else {
      throw stop(
        facts.name, .link, "\(own.name) is gone",
        "wirehook repair \(container.attachment.container.owner)")
    }
    try use(link, in: facts, restoring: restoration(of: own, in: container, facts, isNear: near != nil, link))
    for prefix in own.addresses where prefix.family == packet.family && !facts.has(prefix.address) {
      let command = "\(facts.shell)ip addr add \(prefix) dev \(own.name)"
      let routes = near == nil ? defaultRoute(of: container, in: facts, "replace") : nil
      throw stop(
        facts.name, .link, "\(own.name) has lost its address \(prefix)",
        ([command] + (routes.map { [$0] } ?? [])).joined(separator: " && "))
    }
  }

  /// What a link that went down does not bring back when it comes up: routes, and addresses of IPv6. One without a carrier
  /// has its other end down.
  private func restoration(
    of interface: AttachedInterface, in container: WiredContainer, _ facts: PlaceFacts, isNear: Bool, _ link: LinkFacts
  ) -> [String] {
    guard !link.isUp else { return ["ip link set \(interface.hostLink) up"] }
    var commands: [String] = []
    if packet.family == .ipv6 {
      commands = interface.addresses.filter { $0.family == .ipv6 }
        .map { "\(facts.shell)ip addr replace \($0) dev \(interface.name)" }
    }
    return commands + (isNear ? [] : defaultRoute(of: container, in: facts, "replace").map { [$0] } ?? [])
  }

  /// The command that gives a container the default route that it had; with "replace" where it may be there still: a lost
  /// address takes routes of IPv4 with it, and leaves those of IPv6.
  private func defaultRoute(
    of container: WiredContainer, in facts: PlaceFacts, _ verb: String = "add"
  ) -> String? {
    for interface in container.attachment.interfaces where interface.defaultRoutes.contains(packet.family) {
      guard let gateway = interface.gateways.first(where: { $0.family == packet.family }) else { continue }
      let option = packet.family == .ipv6 ? "-6 " : ""
      return "\(facts.shell)ip \(option)route \(verb) default via \(gateway) dev \(interface.name)"
    }
    return nil
  }

  mutating func neighbor(_ address: IPAddress, by link: LinkFacts, in facts: PlaceFacts) {
    guard let entry = facts.neighbors.first(where: { $0.link == link.index && $0.address == address }) else { return }
    if entry.hasFailed {
      note(facts.name, .neighbour, "nobody answered for \(address) on \(link.name) when it was asked last")
    } else if let mac = entry.mac {
      pass(facts.name, .neighbour, "\(address) is \(mac)")
    }
  }

  /// `default via 10.210.4.1 dev eth0, from 10.210.4.2`, as ip-route(8) writes it.
  func text(_ choice: RouteChoice, _ link: LinkFacts) -> String {
    let route = choice.match ?? choice.way
    var text = choice.way.kind == .local ? "local " : ""
    text += choice.match == nil ? "\(packet.destination)" : route.destination.map { "\($0)" } ?? "default"
    if let gateway = choice.way.gateway { text += " via \(gateway)" }
    text += " dev \(link.name)"
    if route.table != Route.mainTable, route.table != Route.localTable { text += " table \(route.table) (by a rule)" }
    return text + (packet.source.map { ", from \($0)" } ?? "")
  }
}
