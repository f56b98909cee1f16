import WireCore

/// A TOML text line by line: which line is a table's header, which begins a key, which goes on with a value. Enough to
/// insert a table and to change one value; everything else is left to whoever reads the file.
struct TOMLLines {
  struct Line {
    /// Without the line feed.
    var text: String
    var kind: Kind

    /// The strings in it, where it is part of an array of simple ones.
    var strings: [String] {
      guard !text.trimmingSpace().hasPrefix("#") else { return [] }
      return text.split(omittingEmptySubsequences: false) { $0 == "\"" || $0 == "'" }.enumerated()
        .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
  }

  enum Kind: Equatable {
    /// `[a."b.c"]`, as its parts.
    case header([String])
    /// `[[a]]`.
    case arrayHeader([String])
    /// A key with its value: all parts of the key, those of the table it stands in first.
    case key([String])
    /// White space, a comment, or more of the value that began above.
    case other
  }

  var lines: [Line] = []
  /// Whether the last line ends with a line feed.
  var endsWithNewline: Bool

  init(_ text: String, file: String) throws(WireError) {
    endsWithNewline = text.utf8.last == UInt8(ascii: "\n")
    var value = TOMLValueScanner()
    var table: [String] = []
    let parts = text.isEmpty ? [] : text.splitLines()
    for (number, line) in (endsWithNewline ? parts.dropLast() : parts[...]).enumerated() {
      guard !value.isOpen else {
        value.read(line.utf8)
        lines.append(Line(text: line, kind: .other))
        continue
      }
      guard let kind = Self.kind(of: line, in: table) else {
        throw WireError("\(file): line \(number + 1)", "expected a table's header or a key with a value")
      }
      if case .header(let name) = kind { table = name }
      if case .arrayHeader(let name) = kind { table = name }
      if case .key = kind { value.read(line.utf8) }
      lines.append(Line(text: line, kind: kind))
    }
    guard !value.isOpen else { throw WireError(file, "it ends within a value") }
  }

  var text: String { lines.map(\.text).joined(separator: "\n") + (endsWithNewline && !lines.isEmpty ? "\n" : "") }

  private static func kind(of line: String, in table: [String]) -> Kind? {
    var rest = Substring(line.trimmingSpace())
    guard let first = rest.first, first != "#" else { return .other }
    guard first == "[" else {
      guard let key = TOMLKey.parse(&rest), rest.first == "=" else { return nil }
      return .key(table + key)
    }
    rest.removeFirst()
    let isArray = rest.first == "["
    if isArray { rest.removeFirst() }
    guard let name = TOMLKey.parse(&rest), rest.hasPrefix(isArray ? "]]" : "]") else { return nil }
    let after = rest.dropFirst(isArray ? 2 : 1).drop { $0 == " " || $0 == "\t" }
    guard after.isEmpty || after.first == "#" else { return nil }
    return isArray ? .arrayHeader(name) : .header(name)
  }
}

/// Dotted keys: `a."b.c".'d'`.
enum TOMLKey {
  /// Takes a key, with the spaces around its parts, off the front of `text`; nil where there is none.
  static func parse(_ text: inout Substring) -> [String]? {
    var parts: [String] = []
    while true {
      text = text.drop { $0 == " " || $0 == "\t" }
      guard let part = part(&text) else { return nil }
      parts.append(part)
      text = text.drop { $0 == " " || $0 == "\t" }
      guard text.first == "." else { return parts }
      text.removeFirst()
    }
  }

  private static func part(_ text: inout Substring) -> String? {
    guard let first = text.first else { return nil }
    if first == "\"" || first == "'" {
      let rest = text.dropFirst()
      guard let end = rest.firstIndex(of: first) else { return nil }
      let part = String(rest[..<end])
      // Escapes in a name: nobody writes them, and guessing would be worse.
      guard first == "'" || !part.contains("\\") else { return nil }
      text = rest[rest.index(after: end)...]
      return part
    }
    let part = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
    text = text.dropFirst(part.count)
    return part.isEmpty ? nil : String(part)
  }
}

/// Follows values over lines: strings of four kinds, arrays, comments.
struct TOMLValueScanner {
  private enum State { case plain, basic, literal, longBasic, longLiteral }
  private var state = State.plain
  private var depth = 0

  /// Whether the value goes on in the next line.
  var isOpen: Bool { depth > 0 || state == .longBasic || state == .longLiteral }

  mutating func read(_ line: some Sequence<UInt8>) {
    let bytes = Array(line)
    var index = 0
    let quote = UInt8(ascii: "\""), apostrophe = UInt8(ascii: "'")
    let triple = { (at: Int, mark: UInt8) in at + 2 < bytes.count && bytes[at + 1] == mark && bytes[at + 2] == mark }
    while index < bytes.count {
      let byte = bytes[index]
      switch state {
      case .plain where byte == UInt8(ascii: "#"): return
      case .plain where byte == quote || byte == apostrophe:
        let isLong = triple(index, byte)
        state = byte == quote ? (isLong ? .longBasic : .basic) : (isLong ? .longLiteral : .literal)
        if isLong { index += 2 }
      case .plain where byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{"): depth += 1
      case .plain where byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}"): depth -= depth > 0 ? 1 : 0
      case .basic where byte == UInt8(ascii: "\\"), .longBasic where byte == UInt8(ascii: "\\"): index += 1
      case .basic where byte == quote, .literal where byte == apostrophe: state = .plain
      case .longBasic where byte == quote && triple(index, quote),
        .longLiteral where byte == apostrophe && triple(index, apostrophe):
        state = .plain
        index += 2
      default: break
      }
      index += 1
    }
    // A string of one line ends with it, whatever is wrong there.
    if state == .basic || state == .literal { state = .plain }
  }
}

extension String {
  /// What stands between line feeds. By bytes: to Swift a carriage return and a line feed are one character.
  func splitLines() -> [String] {
    utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String(Substring($0)) }
  }

  /// Without spaces, tabs and carriage returns at its ends.
  func trimmingSpace() -> String {
    let isSpace = { (character: Character) in character == " " || character == "\t" || character == "\r" }
    var rest = drop(while: isSpace)
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return String(rest)
  }
}
