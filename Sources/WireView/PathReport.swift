package import WireCore

/// The way of a packet and of its answer, hop by hop, as it was found on this host.
package struct PathReport: Sendable, Hashable {
  /// As the person named the two ends.
  package var from: String
  package var to: String
  /// The first packet of the connection: `tcp 10.210.4.2 -> 192.168.77.2:80`.
  package var packet: String
  package var request: [PathHop] = []
  /// Empty where the request stops.
  package var answer: [PathHop] = []
  /// What became of a packet that was sent to see; nil where none was.
  package var probe: [PathHop]?

  /// The same in parts, for who sends one.
  package var called: Called?

  package struct Called: Sendable, Hashable {
    package var transport: TransportProtocol?
    package var source: IPAddress?
    package var destination: IPAddress
    package var port: UInt16?

    package init(_ transport: TransportProtocol?, from source: IPAddress?, to destination: IPAddress, _ port: UInt16?) {
      self.transport = transport
      self.source = source
      self.destination = destination
      self.port = port
    }
  }

  package init(from: String, to: String, packet: String) {
    self.from = from
    self.to = to
    self.packet = packet
  }

  private var hops: [PathHop] { request + answer + (probe ?? []) }

  /// Where it stops first; nil where nothing stops it.
  package var stop: PathHop? { hops.first { $0.verdict == .stops } }

  /// Lines for a shell, or what a person has to do, each once.
  package var remedies: [String] {
    var seen: Set<String> = []
    return hops.compactMap { $0.remedy }.filter { seen.insert($0).inserted }
  }
}

/// One step of a packet's way.
package struct PathHop: Sendable, Hashable {
  package enum Verdict: String, Sendable, Hashable {
    case passes
    /// It passes, or may, and somebody should know.
    case note
    case stops
  }

  /// What decides there.
  package enum Kind: String, Sendable, Hashable {
    case link, route, neighbour, bridge, fdb, `switch`, forwarding, nat, conntrack, filter, socket, end, probe
  }

  /// A container's name, `host` or `outside`.
  package var place: String
  package var kind: Kind
  package var verdict: Verdict
  package var text: String
  package var remedy: String?

  package init(_ place: String, _ kind: Kind, _ verdict: Verdict, _ text: String, remedy: String? = nil) {
    self.place = place
    self.kind = kind
    self.verdict = verdict
    self.text = text
    self.remedy = remedy
  }
}
