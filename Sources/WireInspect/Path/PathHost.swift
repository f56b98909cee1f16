import Glibc
import WireCore
import WireEngine
import WireNFTables
import WireNetlink
import WirePlan
import WireView

/// Through the host: what it rewrites, passes on and drops.
extension PathWalk {
  mutating func arriveAtHost(by link: LinkFacts) throws(Interruption) -> Arrival {
    let facts = source.host
    try use(link, in: facts)
    try filter(.prerouting, in: facts, from: link, to: nil)
    if packet.isAnswer {
      if let original = translation.source, packet.destination != original {
        pass(facts.name, .nat, "connection tracking: to \(packet.destination) becomes to \(original)")
        packet.destination = original
      }
    } else {
      translate(.prerouting, in: facts, from: link)
      try refuseLostPort()
    }
    // A packet of the host's own address would be a martian.
    let answer = try lookUp(RouteQuestion(to: packet.destination, from: packet.source, input: link.index), in: .host)
    guard case .found(let choice) = answer else {
      guard case .refused(let code) = answer else { throw .stops }
      throw stop(facts.name, .route, refusal(code, by: link), remedy(code, link))
    }
    guard choice.way.kind != .local else {
      pass(facts.name, .route, "local \(packet.destination)")
      return try arriveAtOwn(link)
    }
    guard facts.forwards.contains(packet.family) else { throw stop(facts.name, .forwarding, offText, onCommand) }
    guard let output = facts.link(choice.way.link) else { throw stop(facts.name, .route, "the route has no link") }
    pass(facts.name, .route, text(choice, output))
    pass(facts.name, .forwarding, "on for \(packet.family.name)")
    try passForward(from: link, to: output)
    return try leaveHost(by: output, choice.way.gateway ?? packet.destination)
  }

  private mutating func arriveAtOwn(_ link: LinkFacts) throws(Interruption) -> Arrival {
    guard source.own.admits(packet, toHostFrom: link.name) else {
      throw stop(
        source.host.name, .filter, "inet wirehook input: the network is internal, and the host is not for it",
        "\"internal\": false in its file in networks.d")
    }
    try filter(.input, in: source.host, from: link, to: nil)
    recall()
    try deliver(to: source.host)
    return .host
  }

  private var offText: String { "the host does not forward \(packet.family.name)" }
  private var onCommand: String {
    "sysctl -w net." + (packet.family == .ipv4 ? "ipv4.ip_forward=1" : "ipv6.conf.all.forwarding=1")
  }

  private func refusal(_ code: Int32, by link: LinkFacts) -> String {
    switch code {
    case EXDEV:
      "the reverse path filter drops it: the way back to \(packet.source.map { "\($0)" } ?? "it") is not by \(link.name)"
    case _ where !source.host.forwards.contains(packet.family): offText
    default: "no route to \(packet.destination)"
    }
  }

  private func remedy(_ code: Int32, _ link: LinkFacts) -> String {
    switch code {
    case EXDEV: "sysctl -w net.ipv4.conf.\(link.name).rp_filter=2"
    case _ where !source.host.forwards.contains(packet.family): onCommand
    default: routeCommand
    }
  }

  /// What our maps make of the called address.
  mutating func rewriteDestination(fromHost: Bool) {
    let isLocal = source.host.has(packet.destination)
    guard let to = source.own.destination(of: packet, isLocal: isLocal, fromHost: fromHost) else { return }
    translation.called = (packet.destination, packet.port)
    pass(
      source.host.name, .nat,
      "inet wirehook map \(to.set.rawValue): \(end(packet.destination, packet.port)) becomes \(end(to.address, to.port))"
    )
    packet.destination = to.address
    packet.port = to.port
    packet.isTranslated = true
  }

  /// A port that is recorded as published, and that no map knows.
  mutating func refuseLostPort() throws(Interruption) {
    guard !packet.isTranslated, source.host.has(packet.destination), let port = packet.port else { return }
    for container in source.containers {
      for published in container.attachment.ports.map({ $0.mapping })
      where published.hostPort == port && published.transport == packet.transport
        && published.hostAddress.map({ $0.isAny || $0 == packet.destination }) ?? true
      {
        let owner = container.attachment.container.owner
        throw stop(
          source.host.name, .nat, "port \(port) is published for \(owner), and inet wirehook has lost it",
          "wirehook repair \(owner)")
      }
    }
  }

  func end(_ address: IPAddress, _ port: UInt16?) -> String {
    (address.family == .ipv6 ? "[\(address)]" : "\(address)") + (port.map { ":\($0)" } ?? "")
  }

  /// Everybody's forward chains.
  mutating func passForward(from input: LinkFacts, to output: LinkFacts) throws(Interruption) {
    try filter(.forward, in: source.host, from: input, to: output)
    let verdict = source.own.forward(packet, from: input.name, to: output.name)
    let name = source.host.name
    let place = "inet wirehook forward"
    switch verdict {
    case .accepts(let why): pass(name, .filter, "\(place) accepts it: \(why)")
    case .isolated:
      throw stop(
        name, .filter, "\(place): \(input.name) and \(output.name) are isolated from each other",
        input.name == output.name ? publishCommand : networkCommand(behind: input, of: output) ?? publishCommand)
    case .internalOut, .internalIn:
      throw stop(
        name, .filter,
        "\(place): \(verdict == .internalOut ? input.name : output.name) is internal, without a way "
          + (verdict == .internalOut ? "out" : "in"),
        verdict == .internalOut ? sender(behind: input).flatMap { wayOut(of: $0) } : publishCommand)
    case .notPublished: throw stop(name, .filter, "\(place): it is not published", publishCommand)
    case .sourceNotAllowed:
      throw stop(
        name, .filter, "\(place): \(packet.source.map { "\($0)" } ?? "the source") is not on the port's list",
        allowCommand)
    }
  }

  /// Out of the host by a link: to a container, or to the world.
  mutating func leaveHost(by link: LinkFacts, _ nextHop: IPAddress) throws(Interruption) -> Arrival {
    let facts = source.host
    try filter(.postrouting, in: facts, from: nil, to: link)
    if packet.isAnswer, let called = translation.called {
      pass(
        facts.name, .nat,
        "connection tracking: from \(packet.source.map { "\($0)" } ?? "?") becomes from \(called.address)")
      (packet.source, packet.sourcePort) = (called.address, called.port)
    } else if !packet.isAnswer {
      try rewriteSource(leavingBy: link)
      recall()
    }
    try use(link, in: facts)
    neighbor(nextHop, by: link, in: facts)
    let setup = source.setups.first { $0.link.description == link.name }
    guard let (container, interface) = owner(of: nextHop, on: setup?.bridge ?? InterfaceName(link.name)) else {
      if let setup, setup.subnets.contains(where: { $0.contains(nextHop) }) {
        throw stop(facts.name, .bridge, "no container of network \(setup.network) has \(nextHop)", "wirehook ls")
      }
      pass("outside", .end, "\(packet.source.map { "\($0)" } ?? "?") is sent to \(nextHop) by \(link.name)")
      return .outside
    }
    try usePort(of: container, interface)
    try turn(back: interface)
    try cross(from: link.name, link.mac, to: PathPort(interface, try mac(of: container, interface)), nextHop)
    return try arrive(in: container, interface)
  }

  private mutating func rewriteSource(leavingBy link: LinkFacts) throws(Interruption) {
    guard let from = packet.source else { return }
    let name = source.host.name
    switch source.own.source(of: packet, leavingBy: link.name) {
    case .masquerade(let set):
      let mine = source.host.addresses(of: link.index).first { $0.family == packet.family && !$0.address.isLinkLocal }
      guard let address = mine?.address else { return }
      pass(name, .nat, "inet wirehook masquerades (\(set)): from \(from) becomes from \(address)")
      translation.source = from
      packet.source = address
    case .address(let address, let set):
      pass(name, .nat, "inet wirehook map \(set.rawValue): from \(from) becomes from \(address)")
      translation.source = from
      packet.source = address
    case nil: try missSource(from, leavingBy: link)
    }
  }

  /// A container's own address on the way to the world: nobody there knows the way back.
  private mutating func missSource(_ from: IPAddress, leavingBy link: LinkFacts) throws(Interruption) {
    let isOurs = source.setups.contains { $0.link.description == link.name }
    guard !isOurs, let setup = source.setups.first(where: { $0.subnets.contains { $0.contains(from) } }) else { return }
    let isWanted =
      setup.masquerade.contains { $0.contains(from) } || setup.sourceNAT.contains { $0.subnet.contains(from) }
    if isWanted {
      throw stop(
        source.host.name, .nat, "nothing rewrites the source: \(from) is unknown outside, and no answer comes back",
        "wirehook repair")
    }
    note(source.host.name, .nat, "network \(setup.network) does not masquerade: outside must have a route to \(from)")
  }
}
