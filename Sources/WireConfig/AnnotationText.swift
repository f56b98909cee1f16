internal import WireCore

/// The value of one annotation, or an entry of it, with the key for error messages.
struct AnnotationText {
  /// The whole key: `wirehook.ip.san0`.
  let key: String
  let value: String

  init(key: String, value: String) {
    self.key = key
    self.value = value
  }

  func expected(_ expectation: String, hint: String? = nil) -> WireError {
    refused("expected " + expectation, hint: hint)
  }

  func refused(_ why: String, hint: String? = nil) -> WireError {
    WireError("annotation \(key.escapingControls(limit: 120)) \(value.quoted)", why, hint: hint)
  }

  /// The comma-separated entries without the blanks around them; none may be empty.
  func entries(_ expectation: String) throws(WireError) -> [AnnotationText] {
    let entries = value.pieces(at: UInt8(ascii: ","), limit: Self.limit + 1)
      .map { AnnotationText(key: key, value: String($0.trimmingBlanks)) }
    guard entries.count <= Self.limit else { throw refused("expected at most \(Self.limit) entries") }
    for entry in entries where entry.value.isEmpty { throw expected(expectation) }
    return entries
  }

  /// The entries, each read by `read`.
  func list<Value>(_ expectation: String, _ read: (String) -> Value?) throws(WireError) -> [Value] {
    var values: [Value] = []
    for entry in try entries(expectation) { values.append(try entry.parsed(expectation, read)) }
    return values
  }

  func parsed<Value>(
    _ expectation: @autoclosure () -> String, _ read: (String) -> Value?
  ) throws(WireError) -> Value {
    guard let result = read(String(value.trimmingBlanks)) else { throw expected(expectation()) }
    return result
  }

  func number(in range: ClosedRange<UInt64>) throws(WireError) -> UInt64 {
    try parsed("a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      DecimalNumber.parse(text, upTo: range.upperBound).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// The most entries in one annotation.
  static let limit = 1024
}
