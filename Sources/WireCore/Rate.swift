/// A rate of traffic, in bits per second.
package struct Rate: Sendable, Hashable, CustomStringConvertible {
  package let bitsPerSecond: UInt64

  /// The rate; nil for less than 1 kbit/s (no bucket is that small) or more than 1 Tbit/s.
  package init?(bitsPerSecond: UInt64) {
    guard (1_000...1_000_000_000_000).contains(bitsPerSecond) else { return nil }
    self.bitsPerSecond = bitsPerSecond
  }

  /// Reads a rate as tc(8) does: `100mbit`, `20kbps` (bytes), `1gibit`; a bare number is bits.
  package init?(_ text: some StringProtocol) {
    let utf8 = Array(text.utf8)
    let digits = utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let unit = String(decoding: utf8.dropFirst(digits.count), as: UTF8.self).lowercased()
    guard let number = DecimalNumber.parse(digits, upTo: 1_000_000_000_000), let factor = Self.units[unit] else {
      return nil
    }
    let (bits, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    self.init(bitsPerSecond: bits)
  }

  package static let expectation = "a rate such as 512kbit, 100mbit or 1gbit"

  package var description: String {
    for (unit, factor) in [("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1_000)] as [(String, UInt64)]
    where bitsPerSecond.isMultiple(of: factor) {
      return "\(bitsPerSecond / factor)\(unit)"
    }
    return "\(bitsPerSecond)bit"
  }

  private static let units: [String: UInt64] = [
    "": 1, "bit": 1, "kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000, "tbit": 1_000_000_000_000,
    "kibit": 1 << 10, "mibit": 1 << 20, "gibit": 1 << 30,
    "bps": 8, "kbps": 8_000, "mbps": 8_000_000, "gbps": 8_000_000_000,
  ]
}
