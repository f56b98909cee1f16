internal import WireCore
internal import WireJSON

/// Where the hooks of a config.json stand in its bytes.
struct HookLayout {
  /// The value of `hooks` or of a stage in it.
  struct Value {
    /// From the key to the value's end.
    let member: Range<Int>
    let range: Range<Int>
    let kind: JSONScanner.Token.Kind
  }

  /// The most entries of one stage.
  private static let entryLimit = 4096

  /// After the document's own `{`.
  private(set) var start = 0
  private(set) var hooks: Value?
  private(set) var stages: [HookStage: Value] = [:]
  /// The entries of each stage.
  private(set) var entries: [HookStage: [Range<Int>]] = [:]

  init(_ bytes: [UInt8]) throws(JSONError) {
    var scanner = try JSONScanner(bytes, limits: .bundle)
    guard let first = try scanner.next(), first.kind == .beginObject else {
      throw JSONError("expected an object", at: 0, in: bytes)
    }
    start = first.range.upperBound
    while let key = try scanner.next(), key.kind == .key {
      guard scanner.text(of: key) == "hooks" else {
        _ = try Self.skipValue(&scanner, after: key)
        continue
      }
      guard hooks == nil else { throw Self.twice("hooks", key, bytes) }
      hooks = try readHooks(&scanner, key, bytes)
    }
    // The closing brace was the last token, or there is an error in what follows it.
    _ = try scanner.next()
  }

  private mutating func readHooks(
    _ scanner: inout JSONScanner, _ name: JSONScanner.Token, _ bytes: [UInt8]
  ) throws(JSONError) -> Value {
    guard let first = try scanner.next() else { throw JSONError("expected a value") }
    guard first.kind == .beginObject else {
      let end = try Self.skip(&scanner, from: first)
      return Self.value(name, first, end)
    }
    while let key = try scanner.next() {
      guard key.kind == .key else { return Self.value(name, first, key.range.upperBound) }
      guard let stage = HookStage(rawValue: scanner.text(of: key)) else {
        _ = try Self.skipValue(&scanner, after: key)
        continue
      }
      // Which of two counts is each runtime's own choice: an entry in the wrong one would never run.
      guard stages[stage] == nil else { throw Self.twice("hooks." + stage.rawValue, key, bytes) }
      stages[stage] = try readStage(&scanner, stage, key, bytes)
    }
    throw JSONError("expected \"}\"")
  }

  private mutating func readStage(
    _ scanner: inout JSONScanner, _ stage: HookStage, _ name: JSONScanner.Token, _ bytes: [UInt8]
  ) throws(JSONError) -> Value {
    guard let first = try scanner.next() else { throw JSONError("expected a value") }
    guard first.kind == .beginArray else {
      let end = try Self.skip(&scanner, from: first)
      return Self.value(name, first, end)
    }
    var found: [Range<Int>] = []
    while let element = try scanner.next() {
      guard element.kind != .endArray else {
        entries[stage] = found
        return Self.value(name, first, element.range.upperBound)
      }
      guard found.count < Self.entryLimit else {
        throw JSONError(
          "expected at most \(Self.entryLimit) hooks of a stage", at: element.range.lowerBound, in: bytes)
      }
      found.append(element.range.lowerBound..<(try Self.skip(&scanner, from: element)))
    }
    throw JSONError("expected \"]\"")
  }

  private static func value(_ key: JSONScanner.Token, _ first: JSONScanner.Token, _ end: Int) -> Value {
    Value(member: key.range.lowerBound..<end, range: first.range.lowerBound..<end, kind: first.kind)
  }

  private static func twice(_ name: String, _ key: JSONScanner.Token, _ bytes: [UInt8]) -> JSONError {
    JSONError("expected \(name.quoted) once, found it again", at: key.range.lowerBound, in: bytes)
  }

  private static func skipValue(_ scanner: inout JSONScanner, after key: JSONScanner.Token) throws(JSONError) -> Int {
    guard let first = try scanner.next() else { return key.range.upperBound }
    return try skip(&scanner, from: first)
  }

  /// Goes on to the end of the value that `first` begins, and says where that is.
  private static func skip(_ scanner: inout JSONScanner, from first: JSONScanner.Token) throws(JSONError) -> Int {
    guard first.kind == .beginObject || first.kind == .beginArray else { return first.range.upperBound }
    while let token = try scanner.next() {
      let closes = token.kind == .endObject || token.kind == .endArray
      if closes, token.depth == first.depth { return token.range.upperBound }
    }
    return first.range.upperBound
  }
}
