import WireCore
import WireEngine
import WireNFTables
import WireNetlink
import WirePlan
import WireView

/// Why a walk does not go on.
enum PathInterruption: Error {
  /// The last hop says it.
  case stops
  case failed(WireError)
}

/// Where a packet ends.
enum PathArrival {
  case host, outside
  case container(WiredContainer)
  /// Somebody on a container's segment who is not on this host: the host does not pass the answer on.
  case neighbour(of: WiredContainer, AttachedInterface)
}

/// What the host's connection tracking remembers of the request.
struct PathTranslation {
  var called: (address: IPAddress, port: UInt16?)?
  var source: IPAddress?
}

/// Follows a packet from place to place, and judges at each what the kernel would do with it. Sends nothing.
package struct PathWalk<Source: PathSource> {
  typealias Interruption = PathInterruption
  typealias Arrival = PathArrival
  typealias Translation = PathTranslation

  let source: Source
  var packet: PathPacket
  var translation = Translation()
  var hops: [PathHop] = []
  /// The bridge's port that it came to the host by.
  var entry: String?

  package init(_ source: Source, _ packet: PathPacket) {
    self.source = source
    self.packet = packet
  }

  mutating func pass(_ place: String, _ kind: PathHop.Kind, _ text: String) {
    hops.append(PathHop(place, kind, .passes, text))
  }

  mutating func note(_ place: String, _ kind: PathHop.Kind, _ text: String, _ remedy: String? = nil) {
    hops.append(PathHop(place, kind, .note, text, remedy: remedy))
  }

  mutating func stop(
    _ place: String, _ kind: PathHop.Kind, _ text: String, _ remedy: String? = nil
  ) -> Interruption {
    hops.append(PathHop(place, kind, .stops, text, remedy: remedy))
    return .stops
  }

  func inside(_ container: WiredContainer) throws(Interruption) -> PlaceFacts {
    do throws(WireError) {
      guard let facts = try source.inside(container) else {
        throw WireError("container \(container.attachment.container.owner.quoted)", "it has ended", hint: "wirehook gc")
      }
      return facts
    } catch {
      throw .failed(error)
    }
  }

  func lookUp(_ question: RouteQuestion, in place: PathPlace) throws(Interruption) -> RouteAnswer {
    do throws(WireError) { return try source.lookUp(question, in: place) } catch { throw .failed(error) }
  }

  /// Looks at a link that the packet uses: it must be up and have a carrier.
  mutating func use(
    _ link: LinkFacts, in facts: PlaceFacts, restoring: [String] = []
  ) throws(Interruption) {
    guard link.isUp else {
      let commands = ["\(facts.shell)ip link set \(link.name) up"] + restoring
      throw stop(facts.name, .link, "\(link.name) is down", commands.joined(separator: " && "))
    }
    let addresses = facts.addresses(of: link.index).filter { $0.family == packet.family }.map { "\($0)" }
    if !link.isRunning, link.kind != "bridge" {
      throw stop(
        facts.name, .link, "\(link.name) is up without a carrier: its other end is down or unplugged", restoring.first)
    }
    pass(facts.name, .link, "\(link.name) is up" + (addresses.isEmpty ? "" : ", \(addresses.joined(separator: ", "))"))
  }

  /// Other people's chains at one hook of a place.
  mutating func filter(
    _ hook: FilterChain.Hook, in facts: PlaceFacts, from input: LinkFacts?, to output: LinkFacts?
  ) throws(Interruption) {
    let names = [output, input].compactMap { $0?.name }
    let bridges = source.containers.flatMap { $0.attachment.interfaces.map { $0.bridge } }
    let known = Set((source.setups.map { $0.link } + bridges).map { $0.description })
    let ours = names.first { known.contains($0) }
    guard let link = (ours ?? names.first).flatMap({ InterfaceName($0) }) else { return }
    var flow = FlowJudgement.Flow(packet.family, at: hook, transport: packet.protocolNumber, port: packet.port)
    flow.isAnswer = packet.isAnswer
    flow.isTranslated = packet.isTranslated
    flow.input = input.map { FlowJudgement.Interface(name: $0.name, index: $0.index) }
    flow.output = output.map { FlowJudgement.Interface(name: $0.name, index: $0.index) }
    for drop in FlowJudgement.drops(flow, admitting: link, in: facts.tables) {
      let text = "table \(drop.table) chain \(drop.chain) \(drop.isCertain ? "drops" : "may drop") it (\(drop.reason))"
      let command = facts.shell + drop.command
      guard !drop.isCertain else { throw stop(facts.name, .filter, text, command) }
      note(facts.name, .filter, text, command)
    }
  }

  /// A program that takes it.
  mutating func deliver(to facts: PlaceFacts) throws(Interruption) {
    guard !packet.isAnswer, let transport = packet.transport, let port = packet.port else {
      return pass(facts.name, .end, packet.isAnswer ? "the answer is there" : "\(packet.destination) answers")
    }
    let known = facts.listeners.filter { $0.transport == transport }
    let there = known.filter { $0.port == port }
    if there.contains(where: { $0.listener.covers(packet.destination) }) {
      return pass(facts.name, .socket, "a program listens on \(transport.rawValue) port \(port)")
    }
    if let bound = there.first {
      throw stop(
        facts.name, .socket,
        "the program on \(transport.rawValue) port \(port) listens on \(bound.listener.address) only",
        "let it listen on \(IPAddress.any(packet.family))")
    }
    let others = Set(known.map { $0.port }).sorted().prefix(8).map { "\($0)" }.joined(separator: ", ")
    throw stop(
      facts.name, .socket,
      "nothing listens on \(transport.rawValue) port \(port)" + (others.isEmpty ? "" : "; what does: \(others)"),
      unpublished(port, at: facts))
  }

  /// Who asks the host for a port that some container has.
  private func unpublished(_ port: UInt16, at facts: PlaceFacts) -> String? {
    guard facts.name == source.host.name else { return nil }
    for container in source.containers {
      for published in container.attachment.ports where published.mapping.containerPort == port {
        return "call port \(published.mapping.hostPort): that is where \(container.attachment.container.owner) has it"
      }
    }
    guard source.containers.count == 1, let only = source.containers.first else { return nil }
    return "wirehook publish \(only.attachment.container.owner) \(port):\(port)"
  }
}
