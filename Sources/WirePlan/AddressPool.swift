package import WireConfig
package import WireCore

/// The addresses of one subnet that may be given to containers that ask for none.
package struct AddressPool: Sendable, Equatable {
  package let subnet: Subnet
  /// Inclusive bounds.
  package let first: IPAddress
  package let last: IPAddress

  /// The pool of `subnet`: its range, else all of it.
  package init(_ subnet: Subnet) {
    self.subnet = subnet
    let bounds = subnet.range ?? subnet.prefix
    first = bounds.first
    last = bounds.last
  }

  /// Whether the address is never given: the gateway, an excluded one, the network's own and broadcast addresses; in
  /// IPv6 the subnet-router anycast address (RFC 4291 2.6.1).
  package func avoids(_ address: IPAddress) -> Bool {
    if address == subnet.gateway || Self.isReserved(address, in: subnet.prefix) { return true }
    return subnet.exclude.contains { $0.contains(address) }
  }

  /// Whether the address lies in the pool and may be given.
  package func gives(_ address: IPAddress) -> Bool { first <= address && address <= last && !avoids(address) }

  /// The address with the subnet's prefix length.
  package func prefix(of address: IPAddress) -> Prefix {
    Prefix(address, subnet.prefix.length) ?? Prefix(host: address)
  }

  /// Whether no host can have the address, whoever asks.
  package static func isReserved(_ address: IPAddress, in prefix: Prefix) -> Bool {
    switch address.family {
    case .ipv4: prefix.length < 31 && (address == prefix.first || address == prefix.last)
    case .ipv6: prefix.length < 127 && address == prefix.first
    }
  }

  /// How the pool stands in an error.
  package var description: String { "\(first)-\(last)" }
}
