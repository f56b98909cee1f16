/// Numbers as the network has them, put at the end.
extension [UInt8] {
  mutating func append<Number: FixedWidthInteger>(number: Number) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }

  mutating func append(zeros count: Int) { append(contentsOf: repeatElement(0, count: count)) }

  /// Fills up to a multiple of 8 bytes, as OpenFlow wants its parts.
  mutating func pad() { append(zeros: (8 - count % 8) % 8) }
}

/// Reads what somebody else wrote: never past its end, which is nil.
struct BytesReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

  var count: Int { rest.count }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
    take(MemoryLayout<Number>.size)?.reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
  }
}
