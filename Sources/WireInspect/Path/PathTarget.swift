package import WireCore

/// One end of a path as a person writes it: `web`, `web:80`, `host:53/udp`, `192.168.1.7`, `[fd00::1]:443`.
package struct PathTarget: Sendable, Hashable {
  package enum Subject: Sendable, Hashable {
    case host
    case address(IPAddress)
    /// A container's id, the beginning of it, or its name.
    case container(String)
  }

  package var subject: Subject
  package var port: UInt16?
  package var transport: TransportProtocol?

  /// Nil where the text is none of these.
  package init?(_ text: String) {
    var rest = text[...]
    if let slash = rest.lastIndex(of: "/") {
      // Whether a program listens is asked of the kernel for these two alone.
      guard let transport = TransportProtocol(rawValue: String(rest[rest.index(after: slash)...])), transport != .sctp
      else { return nil }
      self.transport = transport
      rest = rest[..<slash]
    }
    if let address = IPAddress(rest) {
      subject = .address(address)
    } else {
      if let colon = rest.lastIndex(of: ":") {
        guard let number = DecimalNumber.parse(rest[rest.index(after: colon)...], upTo: 65_535), number > 0 else {
          return nil
        }
        port = UInt16(number)
        rest = rest[..<colon]
      }
      if rest.first == "[", rest.last == "]" {
        guard let address = IPAddress(rest.dropFirst().dropLast()), address.family == .ipv6 else { return nil }
        subject = .address(address)
      } else if let address = IPAddress(rest) {
        subject = .address(address)
      } else {
        guard !rest.isEmpty, !rest.contains(where: { ":/[] ".contains($0) }) else { return nil }
        subject = rest == "host" ? .host : .container(String(rest))
      }
    }
    guard transport == nil || port != nil else { return nil }
  }

  package static let expectation = "a container, \"host\" or an address, with :PORT[/udp] behind it"
}
