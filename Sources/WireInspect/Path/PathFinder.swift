package import WireCore
package import WireEngine
import WireNetlink
import WirePlan
package import WireView

/// An end of a path, found on this host.
package enum PathEnd: Sendable {
  case host
  case container(WiredContainer)
  case outside(IPAddress)

  var name: String {
    switch self {
    case .host: "host"
    case .container(let container): container.attachment.container.owner
    case .outside(let address): "\(address)"
    }
  }
}

/// Follows the first packet of a connection, and its answer.
package struct PathFinder<Source: PathSource> {
  let source: Source
  package init(_ source: Source) { self.source = source }

  package func path(
    from: PathEnd, to: PathEnd, port: UInt16?, transport: TransportProtocol?, family: Family
  ) throws(WireError) -> PathReport {
    let protocolUsed = port == nil ? nil : transport ?? .tcp
    var (destination, port) = try destination(from, to, port, protocolUsed, family)
    var caller: IPAddress?
    if case .outside(let address) = from { caller = address }
    if destination == nil, case .host = to { destination = .loopback(family) }
    guard let destination else {
      throw WireError(
        "path to \(to.name.quoted)", "it has no \(family.name) address", hint: "try --ipv6, or name an address")
    }
    var request = PathWalk(source, PathPacket(protocolUsed, from: caller, to: destination, port))
    var report = PathReport(from: from.name, to: to.name, packet: "")
    let called = request.packet
    var arrival: PathWalk<Source>.Arrival?
    do throws(PathWalk<Source>.Interruption) {
      switch from {
      case .host: arrival = try request.sendFromHost()
      case .container(let container): arrival = try request.send(from: container)
      case .outside(let address): arrival = try enter(&request, from: address)
      }
    } catch {
      if case .failed(let error) = error { throw error }
    }
    report.request = request.hops
    var shown = called
    shown.source = called.source ?? request.translation.source ?? request.packet.source
    report.packet = "\(shown)"
    report.called = PathReport.Called(shown.transport, from: shown.source, to: shown.destination, shown.port)
    if let arrival, report.stop == nil { report.answer = try answer(to: request, shown.source, arrival, from) }
    return report
  }

  /// Which address is called: a container is called by a published port from outside.
  private func destination(
    _ from: PathEnd, _ to: PathEnd, _ port: UInt16?, _ transport: TransportProtocol?, _ family: Family
  ) throws(WireError) -> (IPAddress?, UInt16?) {
    switch to {
    case .outside(let address): return (address, port)
    case .host: return (try hostAddress(for: from, family), port)
    case .container(let container):
      let interfaces = container.attachment.interfaces
      if case .outside = from {
        let mapping = container.attachment.ports.map { $0.mapping }.first {
          $0.containerPort == port && $0.transport == transport && $0.hostAddress.map { !$0.isLoopback } ?? true
        }
        guard let mapping else { return (interfaces.lazy.compactMap { $0.address(family) }.first, port) }
        if let fixed = mapping.hostAddress, !fixed.isAny { return (fixed, mapping.hostPort) }
        return (try hostAddress(for: from, family), mapping.hostPort)
      }
      if case .container(let caller) = from {
        let networks = Set(caller.attachment.interfaces.map { $0.network })
        if let shared = interfaces.first(where: { networks.contains($0.network) })?.address(family) {
          return (shared, port)
        }
      }
      return (interfaces.lazy.compactMap { $0.address(family) }.first, port)
    }
  }

  /// The address by which the host is called from an end.
  private func hostAddress(for from: PathEnd, _ family: Family) throws(WireError) -> IPAddress? {
    switch from {
    case .host: return .loopback(family)
    case .container(let container):
      return container.attachment.interfaces.lazy.flatMap { $0.gateways }.first {
        $0.family == family && source.host.has($0)
      }
    case .outside(let address):
      guard case .found(let choice) = try source.lookUp(RouteQuestion(to: address), in: .host) else { return nil }
      return choice.way.source
    }
  }

  /// A packet from outside comes by the link that leads to its sender.
  private func enter(
    _ walk: inout PathWalk<Source>, from address: IPAddress
  ) throws(PathWalk<Source>.Interruption) -> PathWalk<Source>.Arrival {
    guard case .found(let choice) = try walk.lookUp(RouteQuestion(to: address), in: .host),
      let link = source.host.link(choice.way.link)
    else {
      throw walk.stop("host", .route, "no route to \(address)", "ip route add \(Prefix(host: address)) via GATEWAY")
    }
    walk.pass("outside", .end, "\(address) sends to \(walk.packet.destination), expected by \(link.name)")
    if !source.host.has(walk.packet.destination) {
      walk.note("outside", .route, "\(address) must have a route to \(walk.packet.destination) by this host")
    }
    return try walk.arriveAtHost(by: link)
  }

  private func answer(
    to request: PathWalk<Source>, _ caller: IPAddress?, _ arrival: PathWalk<Source>.Arrival, _ from: PathEnd
  ) throws(WireError) -> [PathHop] {
    guard let target = request.packet.source else { return [] }
    var packet = request.packet
    packet.source = request.packet.destination
    packet.destination = target
    packet.isAnswer = true
    (packet.port, packet.sourcePort) = (nil, packet.port)
    var walk = PathWalk(source, packet)
    walk.translation = request.translation
    do throws(PathWalk<Source>.Interruption) {
      switch arrival {
      case .container(let container): _ = try walk.send(from: container)
      case .host: try answerFromHost(&walk, from)
      case .outside: try answerFromOutside(&walk)
      case .neighbour(let container, let interface): try walk.answer(to: container, interface)
      }
    } catch {
      if case .failed(let error) = error { throw error }
    }
    return walk.hops
  }

  private func answerFromHost(
    _ walk: inout PathWalk<Source>, _ from: PathEnd
  ) throws(PathWalk<Source>.Interruption) {
    if case .host = from { return walk.pass("host", .end, "the answer is there") }
    _ = try walk.sendFromHost()
  }

  private func answerFromOutside(_ walk: inout PathWalk<Source>) throws(PathWalk<Source>.Interruption) {
    guard
      case .found(let choice) = try walk.lookUp(
        RouteQuestion(to: walk.packet.source ?? walk.packet.destination), in: .host),
      let link = source.host.link(choice.way.link)
    else { return }
    walk.pass("outside", .end, "the answer to \(walk.packet.destination), if one is sent, is expected by \(link.name)")
    _ = try walk.arriveAtHost(by: link)
  }
}
