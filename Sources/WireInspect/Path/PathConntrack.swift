import WireCore
import WireEngine
import WireNetlink
import WireView

/// What the host remembers of this flow: a connection that began before a rule changed stays with what the rule said then.
extension PathWalk {
  /// `packet` is as it leaves the host, or as a program of the host's gets it.
  mutating func recall() {
    let name = source.host.name
    guard !packet.isAnswer, let sender = translation.source ?? packet.source else { return }
    let called = translation.called ?? (packet.destination, packet.port)
    let flow = PathPacket(packet.transport, from: sender, to: called.address, called.port)
    let found: [TrackedConnection]
    do throws(WireError) {
      found = try source.connections(of: flow)
    } catch {
      return note(name, .conntrack, "connection tracking was not asked: \(error)")
    }
    guard !found.isEmpty else { return }
    let stale = found.filter { $0.reply.source != packet.destination || $0.reply.port(of: packet) != packet.port }
    if let old = stale.first {
      let port = old.original.sourcePort.map { " from port \($0)" } ?? ""
      return note(
        name, .conntrack,
        "\(count(stale)) of \(flow) goes to \(end(old.reply.source, old.reply.sourcePort)) instead: who sends\(port) on"
          + " stays there", command(flow))
    }
    if let old = found.first(where: { $0.reply.target != packet.source }) {
      return note(
        name, .conntrack, "a known connection of \(flow) leaves as \(old.reply.target) instead", command(flow))
    }
    pass(name, .conntrack, "\(count(found)) of \(flow), translated alike")
  }

  private func count(_ connections: [TrackedConnection]) -> String {
    connections.count == 1 ? "a known connection" : "\(connections.count) known connections"
  }

  /// The command that lets the host forget them.
  private func command(_ flow: PathPacket) -> String {
    let family = flow.family == .ipv6 ? " -f ipv6" : ""
    let transport = flow.transport?.rawValue ?? (flow.family == .ipv6 ? "icmpv6" : "icmp")
    let source = flow.source.map { " --orig-src \($0)" } ?? ""
    let port = flow.port.map { " --orig-port-dst \($0)" } ?? ""
    return "conntrack -D\(family) -p \(transport)\(source) --orig-dst \(flow.destination)\(port)"
  }
}

extension TrackedConnection.Tuple {
  /// The port that answers come from; of an echo there is none.
  fileprivate func port(of packet: PathPacket) -> UInt16? { packet.port == nil ? nil : sourcePort }
}
