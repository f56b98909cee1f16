internal import WireCore

/// Finds where JSON documents end that come back to back, without a delimiter, in pieces (RFC 7047, section 4). Each byte is
/// looked at once, whatever the pieces. Whether a document is well-formed is not its business, but for the brackets: the end of
/// one that does not close what it opened would be waited for.
struct DocumentScanner {
  /// How large a message may be, in bytes: a listing of some 10,000 ports.
  static let sizeLimit = 16 << 20
  /// Of values in a message: a port and its interface have some hundred.
  static let valueLimit = 500_000
  /// Arrays and objects within each other.
  static let depthLimit = 64

  /// How far the current document has been looked at.
  private var position = 0
  private var depth = 0
  /// One bit for each open array or object, the innermost lowest: 1 is an object.
  private var open: UInt64 = 0
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
      case UInt8(ascii: "\""): isInString = depth > 0
      case UInt8(ascii: "{"), UInt8(ascii: "["): try begin(isObject: byte == UInt8(ascii: "{"))
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard depth > 0, (open & 1 == 1) == (byte == UInt8(ascii: "}")) else { throw Self.garbage(bytes) }
        if depth == 1 { return finish() }
        depth -= 1
        open >>= 1
      default: break
      }
      // A message is an object.
      if depth == 0 ? !Self.isSpace(byte) : open == 0 && depth == 1 { throw Self.garbage(bytes) }
    }
    guard bytes.count < Self.sizeLimit else { throw .tooLarge(limit: Self.sizeLimit) }
    return nil
  }

  private mutating func begin(isObject: Bool) throws(OVSDBError.Kind) {
    guard depth < Self.depthLimit else { throw .garbage("more than \(Self.depthLimit) levels of nesting") }
    depth += 1
    open = open << 1 | (isObject ? 1 : 0)
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
