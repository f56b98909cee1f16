package import WireJSON

/// The name that the server gives a row.
package struct OVSUUID: Sendable, Hashable, CustomStringConvertible {
  package let description: String

  /// Reads 36 characters of hexadecimal digits and hyphens.
  package init?(_ text: String) {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    let letters = UInt8(ascii: "a")...UInt8(ascii: "f")
    guard text.utf8.count == 36,
      text.utf8.allSatisfy({ digits.contains($0) || letters.contains($0) || $0 == UInt8(ascii: "-") })
    else { return nil }
    description = text
  }
}

/// A map of strings to strings, as in `external_ids`. In the order of the keys, so that the text that is sent and the
/// comparison of two do not depend on who wrote it.
package struct StringMap: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  package struct Pair: Sendable, Hashable {
    package let key: String
    package let value: String
  }

  package private(set) var pairs: [Pair] = []

  package init() {}

  package init(dictionaryLiteral elements: (String, String)...) {
    for (key, value) in elements { self[key] = value }
  }

  package var isEmpty: Bool { pairs.isEmpty }

  package subscript(key: String) -> String? {
    get { pairs.first { $0.key == key }?.value }
    set {
      pairs.removeAll { $0.key == key }
      guard let newValue else { return }
      let index = pairs.firstIndex { key < $0.key } ?? pairs.count
      pairs.insert(Pair(key: key, value: newValue), at: index)
    }
  }
}

/// What a column may hold (RFC 7047, section 5.1).
package indirect enum OVSDBValue: Sendable, Hashable {
  case string(String)
  case integer(Int64)
  case bool(Bool)
  case uuid(OVSUUID)
  /// The row that an insert of the same transaction makes under this name.
  case named(String)
  case set([OVSDBValue])
  case map([Pair])

  package struct Pair: Sendable, Hashable {
    package let key: OVSDBValue
    package let value: OVSDBValue

    package init(_ key: OVSDBValue, _ value: OVSDBValue) {
      self.key = key
      self.value = value
    }
  }

  package static func map(_ strings: StringMap) -> OVSDBValue {
    .map(strings.pairs.map { Pair(.string($0.key), .string($0.value)) })
  }

  package var json: JSONValue {
    switch self {
    case .string(let string): .string(string)
    case .integer(let integer): .integer(integer)
    case .bool(let bool): .bool(bool)
    case .uuid(let uuid): .array([.string("uuid"), .string(uuid.description)])
    case .named(let name): .array([.string("named-uuid"), .string(name)])
    case .set(let elements): .array([.string("set"), .array(elements.map(\.json))])
    case .map(let pairs):
      .array([.string("map"), .array(pairs.map { .array([$0.key.json, $0.value.json]) })])
    }
  }

  /// Reads what a server sent; nil where it is none of the forms. Real numbers stand in no column that we read.
  package init?(_ json: JSONValue) {
    switch json {
    case .string(let string): self = .string(string)
    case .integer(let integer): self = .integer(integer)
    case .bool(let bool): self = .bool(bool)
    case .array(let parts) where parts.count == 2:
      guard case .string(let form) = parts[0], let value = Self.value(form, parts[1]) else { return nil }
      self = value
    default: return nil
    }
  }

  private static func value(_ form: String, _ content: JSONValue) -> OVSDBValue? {
    switch (form, content) {
    case ("uuid", .string(let text)): return OVSUUID(text).map { .uuid($0) }
    case ("named-uuid", .string(let name)): return .named(name)
    case ("set", .array(let elements)):
      let atoms = elements.compactMap { Self($0) }
      return atoms.count == elements.count ? .set(atoms) : nil
    case ("map", .array(let elements)):
      let pairs = elements.compactMap { pair($0) }
      return pairs.count == elements.count ? .map(pairs) : nil
    default: return nil
    }
  }

  private static func pair(_ json: JSONValue) -> Pair? {
    guard case .array(let sides) = json, sides.count == 2, let key = Self(sides[0]), let value = Self(sides[1]) else {
      return nil
    }
    return Pair(key, value)
  }

  /// A set of one may be written as the element alone (RFC 7047, section 5.1, `<set>`).
  var elements: [OVSDBValue]? {
    switch self {
    case .set(let elements): elements
    case .map: nil
    default: [self]
    }
  }
}
