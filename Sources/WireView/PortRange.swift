package import WireCore

/// Published ports that follow one another, as one: `9000-9010->9000-9010/tcp`.
package struct PortRange: Sendable, Hashable {
  package let first: PortMapping
  package private(set) var count: Int

  /// The mappings in order, neighbours joined.
  package static func joining(_ mappings: [PortMapping]) -> [PortRange] {
    var ranges: [PortRange] = []
    for mapping in mappings.sorted(by: precedes) {
      if let last = ranges.last, last.isFollowed(by: mapping) {
        ranges[ranges.count - 1].count += 1
      } else {
        ranges.append(PortRange(first: mapping, count: 1))
      }
    }
    return ranges
  }

  package func contains(_ mapping: PortMapping) -> Bool {
    let offset = Int(mapping.hostPort) - Int(first.hostPort)
    return mapping.transport == first.transport && mapping.hostAddress == first.hostAddress
      && (0..<count).contains(offset) && Int(mapping.containerPort) - Int(first.containerPort) == offset
  }

  /// `127.0.0.1:8080`, `[::1]:9000-9010`.
  package var host: String {
    let address = first.hostAddress.map { $0.family == .ipv6 ? "[\($0)]:" : "\($0):" } ?? ""
    return address + Self.text(first.hostPort, count)
  }

  /// `80`, `9000-9010`.
  package var container: String { Self.text(first.containerPort, count) }
  package var transport: String { first.transport.rawValue }

  /// As `docker ps` shows them; `arrow` for output that knows a better one.
  package func text(arrow: String = "->") -> String { "\(host)\(arrow)\(container)/\(transport)" }

  private func isFollowed(by other: PortMapping) -> Bool {
    other.transport == first.transport && other.hostAddress == first.hostAddress
      && Int(other.hostPort) == Int(first.hostPort) + count
      && Int(other.containerPort) == Int(first.containerPort) + count
  }

  private static func text(_ start: UInt16, _ count: Int) -> String {
    count == 1 ? "\(start)" : "\(start)-\(Int(start) + count - 1)"
  }

  private static func precedes(_ left: PortMapping, _ right: PortMapping) -> Bool {
    if left.hostPort != right.hostPort, left.hostAddress == right.hostAddress, left.transport == right.transport {
      return left.hostPort < right.hostPort
    }
    if left.transport != right.transport { return left.transport < right.transport }
    switch (left.hostAddress, right.hostAddress) {
    case (nil, nil): return left.containerPort < right.containerPort
    case (nil, _): return true
    case (_, nil): return false
    case (let a?, let b?): return a == b ? left.containerPort < right.containerPort : a < b
    }
  }
}
