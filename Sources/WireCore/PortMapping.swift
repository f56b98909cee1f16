/// A transport protocol with ports.
package enum TransportProtocol: String, Sendable, Hashable, CaseIterable, Comparable {
  case tcp
  case udp
  case sctp

  /// The number in the IP header (IANA protocol numbers).
  package var number: UInt8 {
    switch self {
    case .tcp: 6
    case .udp: 17
    case .sctp: 132
    }
  }

  package init?(number: UInt8) {
    guard let found = Self.allCases.first(where: { $0.number == number }) else { return nil }
    self = found
  }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// One published port: what is sent to `hostAddress:hostPort` goes to `containerPort` of the container.
package struct PortMapping: Sendable, Hashable {
  package var transport: TransportProtocol
  /// The host address that it is published on; nil: every address of the host, of both families.
  package var hostAddress: IPAddress?
  package var hostPort: UInt16
  package var containerPort: UInt16

  package init(_ transport: TransportProtocol, hostAddress: IPAddress?, hostPort: UInt16, containerPort: UInt16) {
    self.transport = transport
    self.hostAddress = hostAddress
    self.hostPort = hostPort
    self.containerPort = containerPort
  }
}

extension PortMapping: CustomStringConvertible {
  /// As Docker's `-p` takes it: `127.0.0.1:5353:53/udp`.
  package var description: String {
    let host = hostAddress.map { $0.family == .ipv6 ? "[\($0)]:" : "\($0):" } ?? ""
    return "\(host)\(hostPort):\(containerPort)/\(transport.rawValue)"
  }
}
