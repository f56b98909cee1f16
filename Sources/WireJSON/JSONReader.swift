package import WireCore

/// A value with the document and path that it came from, so that an error says where to look:
/// `networks.d/front.json: subnets[1].gateway "10.0.0" failed: expected an address inside 10.210.4.0/22`.
package struct JSONReader: Sendable {
  package let value: JSONValue
  /// The file's name, or what else the document is called.
  package let document: String
  /// `subnets[1].gateway`; empty for the document itself.
  package let path: String

  package init(_ value: JSONValue, document: String, path: String = "") {
    self.value = value
    self.document = document
    self.path = path
  }

  /// The error that this value is not `expectation`.
  package func expected(_ expectation: String, hint: String? = nil) -> WireError {
    WireError(name + " " + shown, "expected " + expectation, hint: hint)
  }

  /// The error that this value, though it is well formed, cannot be.
  package func refused(_ why: String, hint: String? = nil) -> WireError {
    WireError(name + " " + shown, why, hint: hint)
  }

  private var name: String { path.isEmpty ? document : "\(document): \(path)" }

  /// Scalars as they are written, shortened; arrays and objects only by their kind.
  private var shown: String {
    switch value {
    case .string(let text): text.quoted
    case .array, .object: "(\(value.kind))"
    default: JSONWriter.compact(value)
    }
  }

  // MARK: Objects

  /// Refuses members that are not in `known`, with the nearest known name as the hint.
  package func allowOnly(_ known: [String]) throws(WireError) {
    guard case .object(let members) = value else { throw expected("an object") }
    for member in members where !known.contains(member.name) {
      let near = Spelling.nearest(to: member.name, in: known)
      throw WireError(
        "\(document): \(path.isEmpty ? "" : path + ".")\(member.name.escapingControls(limit: 120))", "unknown key",
        hint: near.map { "did you mean \($0.quoted)?" } ?? "known keys are \(known.joined(separator: ", "))")
    }
  }

  /// The member `name`; nil where it is absent or `null`.
  package subscript(name: String) -> JSONReader? {
    guard let member = value[name], member != .null else { return nil }
    return JSONReader(member, document: document, path: path.isEmpty ? name : "\(path).\(name)")
  }

  /// The member `name`, which must be there.
  package func required(_ name: String) throws(WireError) -> JSONReader {
    guard case .object = value else { throw expected("an object") }
    guard let member = self[name] else {
      throw WireError("\(document): \(path.isEmpty ? "" : path + ".")\(name)", "the key is missing")
    }
    return member
  }

  // MARK: Scalars and arrays

  package func bool() throws(WireError) -> Bool {
    guard case .bool(let bool) = value else { throw expected("true or false") }
    return bool
  }

  package func string() throws(WireError) -> String {
    guard case .string(let string) = value else { throw expected("a string") }
    return string
  }

  package func integer(in range: ClosedRange<Int64>) throws(WireError) -> Int64 {
    guard case .integer(let integer) = value, range.contains(integer) else {
      throw expected("a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  /// The elements of an array, each with its index in the path; at most `limit`.
  package func elements(limit: Int = 1024) throws(WireError) -> [JSONReader] {
    guard case .array(let elements) = value else { throw expected("an array") }
    guard elements.count <= limit else { throw expected("at most \(limit) elements, found \(elements.count)") }
    return elements.enumerated().map { JSONReader($1, document: document, path: "\(path)[\($0)]") }
  }

  /// A string that `read` understands: `IPAddress.init`, `MyEnum.init(rawValue:)`.
  package func parsed<Value>(
    _ expectation: @autoclosure () -> String, _ read: (String) -> Value?
  ) throws(WireError) -> Value {
    guard case .string(let text) = value, let result = read(text) else { throw expected(expectation()) }
    return result
  }
}
