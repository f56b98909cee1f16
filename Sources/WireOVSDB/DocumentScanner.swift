internal import WireCore

/// Finds where JSON documents end that come back to back, without a delimiter, in pieces (RFC 7047, section 4). Each byte is
/// looked at once, whatever the pieces. Whether a document is well-formed is not its business.
struct DocumentScanner {
  /// How large a message may be, in bytes: a listing of some 10,000 ports.
  static let sizeLimit = 16 << 20
  /// Arrays and objects within each other.
  static let depthLimit = 64

  /// How far the current document has been looked at.
  private var position = 0
  private var depth = 0
  private var isInString = false
  private var isEscaped = false

  /// Goes on where it stopped, in a buffer that begins with the current document. Answers where that ends; nil: later.
  mutating func end(in bytes: [UInt8]) throws(OVSDBError.Kind) -> Int? {
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "["): depth += depth > 0 ? 1 : 0
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""): isInString = true
      default: break
      }
      if depth <= 0 {
        if depth == 0, byte == UInt8(ascii: "}") { return finish() }
        guard depth == 0, Self.isSpace(byte) else { throw Self.garbage(bytes) }
      }
      guard depth <= Self.depthLimit else { throw .garbage("more than \(Self.depthLimit) levels of nesting") }
    }
    guard bytes.count < Self.sizeLimit else { throw .tooLarge(limit: Self.sizeLimit) }
    return nil
  }

  private mutating func finish() -> Int {
    let end = position
    self = DocumentScanner()
    return end
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  private static func garbage(_ bytes: [UInt8]) -> OVSDBError.Kind {
    .garbage("found \(String(decoding: bytes.prefix(60), as: UTF8.self).quoted)")
  }
}
