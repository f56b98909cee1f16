/// Whole numbers as they stand in addresses, ports and options: ASCII digits only, no sign, no leading zero, bounded.
package enum DecimalNumber {
  package static func parse(_ text: some Collection<UInt8>, upTo limit: UInt64) -> UInt64? {
    guard let first = text.first, text.count <= 20, first != UInt8(ascii: "0") || text.count == 1 else { return nil }
    var value: UInt64 = 0
    for byte in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      guard !overflow, !carry, sum <= limit else { return nil }
      value = sum
    }
    return value
  }

  package static func parse(_ text: String, upTo limit: UInt64) -> UInt64? { parse(text[...], upTo: limit) }

  // Not generic: other modules would call it unspecialised.
  package static func parse(_ text: Substring, upTo limit: UInt64) -> UInt64? {
    parse(Array(text.utf8), upTo: limit)
  }
}

/// One hexadecimal digit of either case.
package enum HexDigit {
  package static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// FNV-1a, 64 bits: names of links and offsets of locks are derived with it. Not for anything secret; whoever uses it
/// must stand a collision.
package enum StableHash {
  package static func of(_ text: String, salt: UInt8 = 0) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash = (hash ^ UInt64(salt)) &* 0x100_0000_01b3
    // FNV's low bits are weak on short input: one round of the finisher of MurmurHash3 spreads them.
    hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
    hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
    return hash ^ hash >> 33
  }
}
