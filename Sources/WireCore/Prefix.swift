/// An address with a prefix length: `10.210.4.1/22`. The host bits are kept: an interface's address is a prefix too.
package struct Prefix: Sendable, Hashable, Comparable {
  package let address: IPAddress
  /// 0...32 for IPv4, 0...128 for IPv6.
  package let length: Int

  /// The prefix; nil where the length does not fit the family.
  package init?(_ address: IPAddress, _ length: Int) {
    guard (0...address.family.bitCount).contains(length) else { return nil }
    self.address = address
    self.length = length
  }

  /// The prefix that holds the address alone: /32 or /128.
  package init(host address: IPAddress) {
    self.address = address
    length = address.family.bitCount
  }

  package var family: Family { address.family }

  private var hostMask: UInt128 {
    let hostBits = family.bitCount - length
    return hostBits == 128 ? .max : (1 << UInt128(hostBits)) - 1
  }

  /// The first address: the network's own.
  package var first: IPAddress { IPAddress(family, address.value & ~hostMask) }
  /// The last address; in IPv4 (up to /30) the broadcast address.
  package var last: IPAddress { IPAddress(family, address.value | hostMask) }
  /// The prefix with its host bits cleared.
  package var network: Prefix { Prefix(unchecked: first, length) }
  /// The IPv4 broadcast address; nil for IPv6 and for /31 and /32, which have none (RFC 3021).
  package var broadcast: IPAddress? { family == .ipv4 && length < 31 ? last : nil }

  package func contains(_ other: IPAddress) -> Bool { other.family == family && first <= other && other <= last }
  package func contains(_ other: Prefix) -> Bool { other.length >= length && contains(other.address) }
  package func overlaps(_ other: Prefix) -> Bool { contains(other.first) || other.contains(first) }

  package static func < (left: Prefix, right: Prefix) -> Bool {
    left.address == right.address ? left.length < right.length : left.address < right.address
  }

  private init(unchecked address: IPAddress, _ length: Int) {
    self.address = address
    self.length = length
  }
}

extension Prefix: CustomStringConvertible {
  /// Reads `ADDRESS/LENGTH`.
  package init?(_ text: String) { self.init(text[...]) }

  // Not generic: other modules would call it unspecialised.
  package init?(_ text: Substring) {
    guard let slash = text.firstIndex(of: "/"), let address = IPAddress(text[..<slash]),
      let length = DecimalNumber.parse(text[text.index(after: slash)...], upTo: 128)
    else { return nil }
    self.init(address, Int(length))
  }

  package var description: String { "\(address)/\(length)" }
}
