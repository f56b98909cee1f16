internal import CMnl
internal import WireCore

/// Hands every netlink attribute in `bytes`, from `offset` on, to `body`. Never reads past the span.
func forEachAttribute(
  in bytes: RawSpan, from offset: Int = 0, _ body: (_ type: Int, _ payload: RawSpan) throws(NetlinkError) -> Void
) throws(NetlinkError) {
  guard offset <= bytes.byteCount else { throw .malformed("a message of \(bytes.byteCount) bytes is too short") }
  var rest = bytes.extracting(droppingFirst: offset)
  while rest.byteCount >= 4 {
    let length = Int(rest.unsafeLoadUnaligned(as: UInt16.self))
    let type = rest.unsafeLoadUnaligned(fromByteOffset: 2, as: UInt16.self)
    guard length >= 4, length <= rest.byteCount else {
      throw .malformed("an attribute of \(length) in \(rest.byteCount) bytes")
    }
    // The two high bits say "nested" and "network byte order" (NLA_TYPE_MASK).
    try body(Int(type & 0x3fff), rest.extracting(4..<length))
    rest = rest.extracting(droppingFirst: min(rest.byteCount, (length + 3) & ~3))
  }
}

extension RawSpan {
  /// The plain value at `offset`, whatever its alignment.
  func value<Value: BitwiseCopyable>(at offset: Int = 0, as type: Value.Type) throws(NetlinkError) -> Value {
    guard offset >= 0, byteCount - offset >= MemoryLayout<Value>.size else {
      throw .malformed("\(byteCount) bytes where \(offset + MemoryLayout<Value>.size) are needed")
    }
    return unsafeLoadUnaligned(fromByteOffset: offset, as: type)
  }

  var uint32: UInt32 {
    get throws(NetlinkError) { try value(as: UInt32.self) }
  }

  /// The text up to its NUL, or all of it.
  var text: String {
    var bytes: [UInt8] = []
    for offset in 0..<byteCount {
      let byte = unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      guard byte != 0 else { break }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The bytes, where there are no more than a handful.
  var array: [UInt8] { (0..<byteCount).map { unsafeLoad(fromByteOffset: $0, as: UInt8.self) } }

  /// An address of 4 or 16 bytes.
  var address: IPAddress {
    get throws(NetlinkError) {
      guard let address = IPAddress(bytes: array) else { throw .malformed("an address of \(byteCount) bytes") }
      return address
    }
  }
}
