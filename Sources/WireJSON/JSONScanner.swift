/// Cuts a document into tokens and holds it to the whole grammar of RFC 8259: one pass, no recursion, no memory but a
/// word of bits. Beyond the grammar it refuses what json-c or a C string would get wrong: bytes that are not UTF-8,
/// lone surrogates, and `\u0000`.
package struct JSONScanner: Sendable {
  package struct Token: Sendable, Equatable {
    package enum Kind: Sendable { case beginObject, endObject, beginArray, endArray, key, string, number, literal }
    package let kind: Kind
    /// Where it stands; of a key or string with both quotes.
    package let range: Range<Int>
    /// How many arrays and objects it stands in; of a bracket, its own included.
    package let depth: Int
    /// Whether a string holds a backslash, so that its bytes are not its text.
    package let isEscaped: Bool
  }

  private enum Expectation { case value, valueOrEnd, key, keyOrEnd, commaOrEnd, nothing }

  let bytes: [UInt8]
  var position = 0
  private let limits: JSONLimits
  private var expectation = Expectation.value
  private var depth = 0
  /// One bit for each open array or object, the innermost lowest: 1 is an object.
  private var open: UInt64 = 0

  package init(_ bytes: [UInt8], limits: JSONLimits) throws(JSONError) {
    guard bytes.count <= limits.size else {
      throw JSONError("\(bytes.count) bytes, expected at most \(limits.size)")
    }
    self.bytes = bytes
    self.limits = limits
  }

  /// The next token; nil at the end of a whole document.
  package mutating func next() throws(JSONError) -> Token? {
    skipSpace()
    if expectation == .commaOrEnd, peek == UInt8(ascii: ",") {
      position += 1
      skipSpace()
      expectation = open & 1 == 1 ? .key : .value
    }
    guard let byte = peek else {
      guard expectation == .nothing else { throw expected(wanted) }
      return nil
    }
    let closes = byte == (open & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    switch expectation {
    case .nothing: throw expected("nothing after the value")
    case .valueOrEnd where closes, .keyOrEnd where closes, .commaOrEnd where closes: return close()
    case .commaOrEnd: throw expected(wanted)
    case .key, .keyOrEnd:
      guard byte == UInt8(ascii: "\"") else { throw expected(wanted) }
      return try key()
    case .value, .valueOrEnd: return try value(byte)
    }
  }

  private mutating func value(_ byte: UInt8) throws(JSONError) -> Token {
    let start = position
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["): return try begin(isObject: byte == UInt8(ascii: "{"))
    case UInt8(ascii: "\""):
      let isEscaped = try skipString()
      return scalar(.string, from: start, isEscaped: isEscaped)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      try skipNumber()
      return scalar(.number, from: start)
    case UInt8(ascii: "t"): try skipLiteral("true")
    case UInt8(ascii: "f"): try skipLiteral("false")
    case UInt8(ascii: "n"): try skipLiteral("null")
    default: throw expected(wanted)
    }
    return scalar(.literal, from: start)
  }

  private mutating func scalar(_ kind: Token.Kind, from start: Int, isEscaped: Bool = false) -> Token {
    expectation = depth == 0 ? .nothing : .commaOrEnd
    return Token(kind: kind, range: start..<position, depth: depth, isEscaped: isEscaped)
  }

  private mutating func begin(isObject: Bool) throws(JSONError) -> Token {
    guard depth < limits.depth else {
      throw expected("at most \(limits.depth) arrays and objects within each other")
    }
    depth += 1
    open = open << 1 | (isObject ? 1 : 0)
    expectation = isObject ? .keyOrEnd : .valueOrEnd
    position += 1
    return Token(
      kind: isObject ? .beginObject : .beginArray, range: position - 1..<position, depth: depth, isEscaped: false)
  }

  private mutating func close() -> Token {
    let kind = open & 1 == 1 ? Token.Kind.endObject : .endArray
    position += 1
    let token = Token(kind: kind, range: position - 1..<position, depth: depth, isEscaped: false)
    open >>= 1
    depth -= 1
    expectation = depth == 0 ? .nothing : .commaOrEnd
    return token
  }

  private mutating func key() throws(JSONError) -> Token {
    let start = position
    let isEscaped = try skipString()
    let token = Token(kind: .key, range: start..<position, depth: depth, isEscaped: isEscaped)
    skipSpace()
    guard peek == UInt8(ascii: ":") else { throw expected("\":\" after the key") }
    position += 1
    expectation = .value
    return token
  }

  private var wanted: String {
    switch expectation {
    case .value: "a value"
    case .valueOrEnd: "a value or \"]\""
    case .key: "a key in double quotes"
    case .keyOrEnd: "a key in double quotes or \"}\""
    case .commaOrEnd: open & 1 == 1 ? "\",\" or \"}\"" : "\",\" or \"]\""
    case .nothing: "nothing"
    }
  }

  var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  /// The error at the current position: what should stand there, and what does.
  func expected(_ what: String) -> JSONError {
    let found =
      switch peek {
      case nil: "the end"
      case let byte? where (0x20...0x7e).contains(byte): "\"\(Character(Unicode.Scalar(byte)))\""
      case let byte?: "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    return JSONError("expected \(what), found \(found)", at: position, in: bytes)
  }
}
