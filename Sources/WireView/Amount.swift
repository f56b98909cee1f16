/// Numbers for people.
package enum Amount {
  /// `0 B`, `999 B`, `1.5 kB`, `20 MB`: powers of 1000, as network links are counted.
  package static func bytes(_ count: UInt64) -> String { scaled(count, "B") }

  /// `1.2 Mbit/s`, from the bytes of an interval in milliseconds.
  package static func rate(bytes: UInt64, milliseconds: Int64) -> String {
    guard milliseconds > 0 else { return "" }
    let bits = Double(bytes) * 8 * 1000 / Double(milliseconds)
    return scaled(bits >= 1e18 ? UInt64(1e18) : UInt64(bits), "bit/s")
  }

  private static func scaled(_ count: UInt64, _ unit: String) -> String {
    var size: UInt64 = 1
    var prefix = ""
    for next in ["k", "M", "G", "T", "P"] where count / size >= 1000 {
      size *= 1000
      prefix = next
    }
    let whole = count / size
    let tenth = count % size * 10 / size
    return whole < 10 && size > 1 ? "\(whole).\(tenth) \(prefix)\(unit)" : "\(whole) \(prefix)\(unit)"
  }
}
