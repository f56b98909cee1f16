package import WireCore

/// One entry of `wirehook.ports`.
package struct PortRequest: Sendable, Hashable {
  package var transport: TransportProtocol
  /// The host address that it is published on; nil: all of them, or those of `publish_on`. `0.0.0.0` and `::` mean all
  /// of one family.
  package var hostAddress: IPAddress?
  /// nil: one is chosen for each container port. As long as `containerPorts`, or longer where that is a single port: then
  /// the first free one of these is taken.
  package var hostPorts: ClosedRange<UInt16>?
  package var containerPorts: ClosedRange<UInt16>
  /// The entry as it was written, for messages.
  package var text: String

  package init(
    _ transport: TransportProtocol, hostAddress: IPAddress?, hostPorts: ClosedRange<UInt16>?,
    containerPorts: ClosedRange<UInt16>, text: String
  ) {
    self.transport = transport
    self.hostAddress = hostAddress
    self.hostPorts = hostPorts
    self.containerPorts = containerPorts
    self.text = text
  }

  /// Whether any one of several host ports will do.
  package var takesFirstFree: Bool { containerPorts.count == 1 && (hostPorts?.count ?? 1) > 1 }

  /// Whether both ask for one host port that only one can have.
  package func collides(with other: PortRequest) -> Bool {
    guard transport == other.transport, let mine = hostPorts, let others = other.hostPorts, mine.overlaps(others),
      !takesFirstFree, !other.takesFirstFree
    else { return false }
    guard let left = hostAddress, let right = other.hostAddress else { return true }
    return left == right || left.family == right.family && (left.isAny || right.isAny)
  }
}

extension PortRequest {
  static let expectation = "[HOSTIP:][HOST[-END]]:CONTAINER[-END][/tcp|udp|sctp] or CONTAINER alone, ports 1 to 65535"

  /// Reads `[HOSTIP:][HOST[-END]]:CONTAINER[-END][/PROTOCOL]` or `CONTAINER`, as Docker's `-p`.
  init(_ entry: AnnotationText) throws(WireError) {
    let halves = entry.value.pieces(at: UInt8(ascii: "/"), limit: 2)
    var transport = TransportProtocol.tcp
    if halves.count == 2 {
      let name = halves[1].lowercased()
      guard let known = TransportProtocol(rawValue: name) else {
        throw entry.expected("tcp, udp or sctp after the \"/\"")
      }
      transport = known
    }
    let (hostAddress, ports) = try Self.splitAddress(halves[0], entry)
    guard ports.count <= 2, let last = ports.last, let container = Self.range(last) else {
      throw entry.expected(Self.expectation)
    }
    var host: ClosedRange<UInt16>?
    if ports.count == 2, !ports[0].isEmpty, ports[0] != "0" {
      guard let range = Self.range(ports[0]) else { throw entry.expected(Self.expectation) }
      guard range.count == container.count || container.count == 1 else {
        throw entry.refused(
          "\(range.count) host ports for \(container.count) container ports",
          hint: "expected ranges of equal length, or a range for one container port")
      }
      host = range
    }
    self.init(transport, hostAddress: hostAddress, hostPorts: host, containerPorts: container, text: entry.value)
  }

  /// The address in front, and what stands between the colons after it.
  private static func splitAddress(
    _ text: Substring, _ entry: AnnotationText
  ) throws(WireError) -> (IPAddress?, [Substring]) {
    guard text.utf8.first == UInt8(ascii: "[") else {
      let parts = text.pieces(at: UInt8(ascii: ":"))
      if parts.count > 3 {
        throw entry.expected(expectation, hint: "an IPv6 address needs brackets: [2001:db8::1]:8080:80")
      }
      guard parts.count == 3 else { return (nil, parts) }
      guard let address = IPAddress(parts[0]) else { throw entry.expected("an address of the host before the ports") }
      return (try published(address, entry), Array(parts[1...]))
    }
    let halves = text.dropFirst().pieces(at: UInt8(ascii: "]"), limit: 2)
    guard halves.count == 2, let address = IPAddress(halves[0]), address.family == .ipv6 else {
      throw entry.expected("an IPv6 address between \"[\" and \"]\"")
    }
    let parts = halves[1].pieces(at: UInt8(ascii: ":"))
    guard parts.count == 3, parts[0].isEmpty else { throw entry.expected(expectation) }
    return (try published(address, entry), Array(parts[1...]))
  }

  private static func published(_ address: IPAddress, _ entry: AnnotationText) throws(WireError) -> IPAddress {
    guard !address.isMulticast, address != IPAddress(.ipv4, 0xffff_ffff) else {
      throw entry.expected("an address that a host can have")
    }
    return address
  }

  /// `PORT` or `FIRST-LAST`, from 1 on.
  static func range(_ text: Substring) -> ClosedRange<UInt16>? {
    let parts = text.pieces(at: UInt8(ascii: "-"), limit: 2)
    guard let first = port(parts[0]), let last = port(parts[parts.count - 1]), first <= last else {
      return nil
    }
    return first...last
  }

  private static func port(_ text: Substring) -> UInt16? {
    DecimalNumber.parse(text, upTo: 65535).flatMap { $0 == 0 ? nil : UInt16($0) }
  }
}
