/// An address family.
package enum Family: Sendable, Hashable, CaseIterable, Comparable {
  case ipv4
  case ipv6

  /// The number of bytes in an address.
  package var byteCount: Int { self == .ipv4 ? 4 : 16 }
  /// The number of bits in an address, which is the longest prefix.
  package var bitCount: Int { byteCount * 8 }
  /// As people write it.
  package var name: String { self == .ipv4 ? "IPv4" : "IPv6" }

  /// Reads what `name` wrote.
  package init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}
