/// A 48-bit Ethernet address.
package struct MACAddress: Sendable, Hashable {
  /// Always 6 bytes.
  package let bytes: [UInt8]

  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 6 else { return nil }
    self.bytes = Array(bytes)
  }

  /// The low 48 bits of a number.
  package init(_ value: UInt64) {
    bytes = (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * UInt64($0))) }
  }

  /// The group bit (IEEE 802, I/G): no interface can have such an address.
  package var isMulticast: Bool { bytes[0] & 1 == 1 }
  package var isZero: Bool { bytes.allSatisfy { $0 == 0 } }
}

extension MACAddress: CustomStringConvertible {
  /// Reads `02:42:64:01:01:06`; `-` may stand for `:`.
  package init?(_ text: some StringProtocol) {
    let utf8 = Array(text.utf8)
    guard utf8.count == 17 else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: 17, by: 3) {
      guard let high = HexDigit.value(utf8[start]), let low = HexDigit.value(utf8[start + 1]) else { return nil }
      if start > 0 {
        guard utf8[start - 1] == UInt8(ascii: ":") || utf8[start - 1] == UInt8(ascii: "-") else { return nil }
      }
      bytes.append(high << 4 | low)
    }
    self.bytes = bytes
  }

  package var description: String {
    var text = ""
    for index in bytes.indices {
      if index > 0 { text += ":" }
      if bytes[index] < 16 { text += "0" }
      text += String(bytes[index], radix: 16)
    }
    return text
  }
}
