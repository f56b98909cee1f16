package import WireCore
package import WireNFTables

/// What `inet wirehook` does with a packet: the rules of WireNFTables' Ruleset, followed with what its sets hold now.
package struct OwnRules: Sendable {
  package var isThere: Bool
  private var elements: [SetName: [Element]]

  package init(_ elements: [Element], isThere: Bool = true) {
    self.isThere = isThere
    self.elements = Dictionary(grouping: elements, by: { $0.set })
  }

  /// A map's element that rewrites a packet's destination.
  package struct Destination: Sendable, Hashable {
    package var address: IPAddress
    package var port: UInt16
    package var set: SetName
  }

  /// Chains `pre` and, for the host's own packets, `out`. `isOwn`: the address is one of the host's.
  package func destination(
    of packet: PathPacket, isLocal: Bool, fromHost: Bool
  ) -> Destination? {
    guard let transport = packet.transport, let port = packet.port else { return nil }
    let is4 = packet.family == .ipv4
    let key = Self.padded([transport.number]) + Self.number(port)
    var maps: [(SetName, [UInt8])] = []
    if fromHost { maps.append((is4 ? .loports4 : .loports6, packet.destination.bytes + key)) }
    maps.append((is4 ? .lports4 : .lports6, packet.destination.bytes + key))
    if isLocal, fromHost || !packet.destination.isLoopback { maps.append((is4 ? .ports4 : .ports6, key)) }
    for (set, key) in maps {
      guard let data = find(set, key)?.data else { continue }
      let count = packet.family.byteCount
      guard data.count >= count + 2, let address = IPAddress(bytes: data.prefix(count)) else { continue }
      return Destination(address: address, port: UInt16(data[count]) << 8 | UInt16(data[count + 1]), set: set)
    }
    return nil
  }

  /// Why a packet that passes through is accepted or dropped, in the words of the rules' comments.
  package enum Verdict: Sendable, Hashable {
    case accepts(String)
    case isolated, internalOut, internalIn, notPublished, sourceNotAllowed
  }

  /// Chain `forward`.
  package func forward(_ packet: PathPacket, from input: String, to output: String) -> Verdict {
    if packet.isAnswer { return .accepts("ct state established") }
    guard has(.segments, input) || has(.segments, output) else { return .accepts("nothing of ours") }
    if packet.isTranslated { return published(packet) }
    if find(.intra, Self.name(input) + Self.name(output)) != nil { return .accepts("one segment") }
    if has(.open, input), has(.open, output) { return .accepts("open networks") }
    if has(.bridges, input), has(.bridges, output) { return .isolated }
    if has(.internal, input) { return .internalOut }
    if has(.internal, output) { return .internalIn }
    if has(.exposed, output) { return .accepts("everything is exposed") }
    if has(.bridges, input) { return .accepts("comes from a network of ours") }
    return has(.bridges, output) ? .notPublished : .accepts("no network of ours")
  }

  private func published(_ packet: PathPacket) -> Verdict {
    guard let transport = packet.transport, let port = packet.calledPort, let source = packet.source else {
      return .accepts("published")
    }
    let is4 = packet.family == .ipv4
    let key = packet.destination.bytes + Self.padded([transport.number]) + Self.number(port)
    guard find(is4 ? .restricted4 : .restricted6, key) != nil else { return .accepts("published") }
    return find(is4 ? .allow4 : .allow6, key + source.bytes) == nil ? .sourceNotAllowed : .accepts("allowed source")
  }

  /// Chain `input`: what of an internal network may reach the host itself.
  package func admits(_ packet: PathPacket, toHostFrom input: String) -> Bool {
    packet.isAnswer || !has(.internal, input)
  }

  /// How a packet's source is rewritten.
  package enum Source: Sendable, Hashable {
    case masquerade(String)
    case address(IPAddress, SetName)
  }

  /// Chain `post`.
  package func source(of packet: PathPacket, leavingBy output: String) -> Source? {
    guard let source = packet.source else { return nil }
    let is4 = packet.family == .ipv4
    if has(.segments, output), source.isLoopback, packet.isTranslated { return .masquerade("loopback") }
    if packet.isTranslated, find(is4 ? .noreturn4 : .noreturn6, packet.destination.bytes) != nil {
      return .masquerade(is4 ? "noreturn4" : "noreturn6")
    }
    if find(is4 ? .home4 : .home6, Self.name(output) + source.bytes) != nil {
      return packet.isTranslated ? .masquerade("stays in its segment") : nil
    }
    if has(.bridges, output) { return nil }
    for set in is4 ? [SetName.snat4, .netsnat4] : [.snat6, .netsnat6] {
      if let data = find(set, source.bytes)?.data, let address = IPAddress(bytes: data) {
        return .address(address, set)
      }
    }
    let set: SetName = is4 ? .masq4 : .masq6
    return find(set, source.bytes) == nil ? nil : .masquerade(set.rawValue)
  }

  private func has(_ set: SetName, _ link: String) -> Bool { find(set, Self.name(link)) != nil }

  /// The element that a key is, or lies in: of a concatenation only the last field is ever a range.
  private func find(_ set: SetName, _ key: [UInt8]) -> Element? {
    elements[set]?.first { element in
      guard let end = element.keyEnd else { return element.key == key }
      return !key.lexicographicallyPrecedes(element.key) && !end.lexicographicallyPrecedes(key)
    }
  }

  private static func number(_ value: UInt16) -> [UInt8] { padded([UInt8(value >> 8), UInt8(value & 0xff)]) }
  private static func name(_ name: String) -> [UInt8] { padded(Array(name.utf8), to: InterfaceName.limit + 1) }
  private static func padded(_ bytes: [UInt8], to count: Int = 4) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: max(0, count - bytes.count))
  }
}

/// The first packet of a connection, or of its answer, at one point of its way.
package struct PathPacket: Sendable, Hashable {
  /// Nil: an ICMP echo.
  package var transport: TransportProtocol?
  /// Nil until a route has chosen it.
  package var source: IPAddress?
  package var destination: IPAddress
  package var port: UInt16?
  /// Of an answer; that of a request is any.
  package var sourcePort: UInt16?
  /// The port that was called, before DNAT.
  package var calledPort: UInt16?
  /// Of a connection whose destination was rewritten.
  package var isTranslated = false
  package var isAnswer = false

  package init(_ transport: TransportProtocol?, from source: IPAddress?, to destination: IPAddress, _ port: UInt16?) {
    self.transport = transport
    self.source = source
    self.destination = destination
    self.port = port
    calledPort = port
  }

  package var family: Family { destination.family }

  /// As in the IP header: ICMP is 1, ICMPv6 58.
  var protocolNumber: UInt8 { transport?.number ?? (family == .ipv4 ? 1 : 58) }
}

extension PathPacket: CustomStringConvertible {
  package var description: String {
    let end = port.map { destination.family == .ipv6 ? "[\(destination)]:\($0)" : "\(destination):\($0)" }
    return "\(transport?.rawValue ?? "icmp") \(source.map { "\($0)" } ?? "?") -> \(end ?? "\(destination)")"
  }
}
