/// A JSON value in Swift's own types. Members keep their order.
package enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  /// A number written without fraction and exponent.
  case integer(Int64)
  /// Any other number.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  package struct Member: Sendable, Equatable {
    package var name: String
    package var value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// Parses `bytes`. With `only`, the result is an object that holds the values at those paths (`["linux",
  /// "namespaces"]`) and nothing else: the rest is checked by the guard but never becomes a tree.
  package static func parse(
    _ bytes: [UInt8], limits: JSONLimits, duplicates: DuplicateKeys, only paths: [[String]]? = nil
  ) throws(JSONError) -> JSONValue {
    guard let paths else {
      try JSONGuard.check(bytes, limits: limits, duplicates: duplicates)
      return try JSONDocument.parse(bytes, depth: limits.depth).value()
    }
    let places = try JSONGuard.pass(over: bytes, limits: limits, duplicates: duplicates, finding: paths)
    guard let first = bytes.first(where: { !" \t\r\n".utf8.contains($0) }), first == UInt8(ascii: "{") else {
      throw JSONError("expected an object", at: 0, in: bytes)
    }
    return try values(at: paths, places, in: bytes, limits)
  }

  /// What a member of the document's object is, with nothing in it: an array or object looks empty. Nil where there is none.
  package static func outline(
    of name: String, in bytes: [UInt8], limits: JSONLimits
  ) throws(JSONError) -> JSONValue? {
    let outer = JSONLimits(size: limits.size, depth: limits.depth, kept: .max, values: .max)
    let places = try JSONGuard.pass(over: bytes, limits: outer, duplicates: .lastWins, finding: [[name]])
    guard let place = places.first ?? nil else { return nil }
    switch bytes[place.start] {
    case UInt8(ascii: "{"): return .object([])
    case UInt8(ascii: "["): return .array([])
    default: return try JSONDocument.parse(Array(bytes[place.start..<place.end]), depth: 1).value()
    }
  }

  /// The wanted values, parsed as one array: starting json-c's parser costs more than a small value.
  private static func values(
    at paths: [[String]], _ places: [Place?], in bytes: [UInt8], _ limits: JSONLimits
  ) throws(JSONError) -> JSONValue {
    var text = [UInt8(ascii: "[")]
    var found: [[String]] = []
    for (path, place) in zip(paths, places) {
      guard let place else { continue }
      if !found.isEmpty { text.append(UInt8(ascii: ",")) }
      text += bytes[place.start..<place.end]
      found.append(path)
    }
    text.append(UInt8(ascii: "]"))
    var result = JSONValue.object([])
    let names = found.map { $0.joined(separator: ".") }
    let values = try JSONDocument.parse(text, depth: limits.depth + 1).elements(named: names)
    for (path, value) in zip(found, values) { result.set(value, at: path[...]) }
    return result
  }

  /// The member `name` of an object; nil for other values.
  package subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  private mutating func set(_ value: JSONValue, at path: ArraySlice<String>) {
    guard let name = path.first else {
      self = value
      return
    }
    var members: [Member] = []
    if case .object(let present) = self { members = present }
    let index = members.firstIndex { $0.name == name } ?? members.count
    if index == members.count { members.append(Member(name, .object([]))) }
    members[index].value.set(value, at: path.dropFirst())
    self = .object(members)
  }

  /// What it is, for error messages.
  package var kind: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
