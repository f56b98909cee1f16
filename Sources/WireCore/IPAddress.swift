/// An IPv4 or IPv6 address, without zone.
package struct IPAddress: Sendable, Hashable, Comparable {
  package let family: Family
  /// The address as a number; an IPv4 address fills the low 32 bits.
  package let value: UInt128

  package init(_ family: Family, _ value: UInt128) {
    self.family = family
    self.value = family == .ipv4 ? value & 0xffff_ffff : value
  }

  /// The address from its 4 or 16 bytes in network order; nil for any other count.
  package init?(bytes: some Collection<UInt8>) {
    switch bytes.count {
    case 4: family = .ipv4
    case 16: family = .ipv6
    default: return nil
    }
    value = bytes.reduce(0) { $0 << 8 | UInt128($1) }
  }

  /// The address as the kernel wants it: 4 or 16 bytes in network order.
  package var bytes: [UInt8] {
    (0..<family.byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * UInt128(family.byteCount - 1 - $0))) }
  }

  /// `0.0.0.0` or `::`.
  package static func any(_ family: Family) -> IPAddress { IPAddress(family, 0) }
  /// `127.0.0.1` or `::1`.
  package static func loopback(_ family: Family) -> IPAddress { IPAddress(family, family == .ipv4 ? 0x7f00_0001 : 1) }

  package var isAny: Bool { value == 0 }
  /// 127.0.0.0/8 or `::1` (RFC 1122 3.2.1.3, RFC 4291 2.5.3).
  package var isLoopback: Bool { family == .ipv4 ? value >> 24 == 127 : value == 1 }
  /// 224.0.0.0/4 or ff00::/8.
  package var isMulticast: Bool { family == .ipv4 ? value >> 28 == 0xe : value >> 120 == 0xff }
  /// 169.254.0.0/16 or fe80::/10.
  package var isLinkLocal: Bool { family == .ipv4 ? value >> 16 == 0xa9fe : value >> 118 == 0x3fa }

  /// The address that follows; nil after the last one.
  package var next: IPAddress? {
    let (sum, overflow) = value.addingReportingOverflow(1)
    guard !overflow, family == .ipv6 || sum <= 0xffff_ffff else { return nil }
    return IPAddress(family, sum)
  }

  package static func < (left: IPAddress, right: IPAddress) -> Bool {
    left.family == right.family ? left.value < right.value : left.family < right.family
  }
}

extension IPAddress: CustomStringConvertible {
  /// Reads an address as people write it: dotted decimal, or RFC 4291 2.2 text. No zone, no brackets, no leading zeros in IPv4.
  package init?(_ text: String) { self.init(text[...]) }

  // Not generic: other modules would call it unspecialised.
  package init?(_ text: Substring) {
    let utf8 = Array(text.utf8)
    guard utf8.count <= 45 else { return nil }
    if utf8.contains(UInt8(ascii: ":")) {
      guard let groups = Self.groups(utf8[...]) else { return nil }
      self.init(.ipv6, groups.reduce(0) { $0 << 16 | UInt128($1) })
    } else {
      guard let value = Self.dotted(utf8[...]) else { return nil }
      self.init(.ipv4, UInt128(value))
    }
  }

  /// Dotted decimal, or the canonical text of RFC 5952.
  package var description: String {
    guard family == .ipv6 else { return bytes.map { String($0) }.joined(separator: ".") }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> (112 - 16 * UInt128($0))) }
    var longest = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > longest.count, end - start > 1 { longest = start..<end }
      start = max(end, start + 1)
    }
    let hex = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
    guard !longest.isEmpty else { return hex(groups[...]) }
    return hex(groups[..<longest.lowerBound]) + "::" + hex(groups[longest.upperBound...])
  }

  private static func dotted(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard let octet = DecimalNumber.parse(part, upTo: 255) else { return nil }
      value = value << 8 | UInt32(octet)
    }
    return value
  }

  private static func groups(_ text: ArraySlice<UInt8>) -> [UInt16]? {
    var head: [UInt16] = []
    var tail: [UInt16]?
    var rest = text
    if rest.starts(with: [UInt8(ascii: ":"), UInt8(ascii: ":")]) {
      tail = []
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
      let part = rest[..<end]
      var found: [UInt16]
      if part.contains(UInt8(ascii: ".")) {
        guard end == rest.endIndex, let value = dotted(part) else { return nil }
        found = [UInt16(value >> 16), UInt16(value & 0xffff)]
      } else {
        guard (1...4).contains(part.count), let value = hex(part) else { return nil }
        found = [value]
      }
      if tail != nil { tail?.append(contentsOf: found) } else { head.append(contentsOf: found) }
      guard end < rest.endIndex else { break }
      rest = rest[rest.index(after: end)...]
      if rest.first == UInt8(ascii: ":") {
        guard tail == nil else { return nil }
        tail = []
        rest = rest.dropFirst()
      } else if rest.isEmpty {
        return nil
      }
    }
    guard let tail else { return head.count == 8 ? head : nil }
    let zeros = 8 - head.count - tail.count
    guard zeros >= 1 else { return nil }
    return head + [UInt16](repeating: 0, count: zeros) + tail
  }

  private static func hex(_ text: ArraySlice<UInt8>) -> UInt16? {
    var value: UInt16 = 0
    for byte in text {
      guard let digit = HexDigit.value(byte) else { return nil }
      value = value << 4 | UInt16(digit)
    }
    return value
  }
}
