import Foundation

/// A JSON document to look into: `json["links"][0]["name"].string`. What is not there is `.null`.
package enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(Double)
  case text(String)
  case list([JSON])
  case object([String: JSON])

  package init(parsing text: String) throws {
    guard !text.allSatisfy(\.isWhitespace) else {
      self = .list([])
      return
    }
    do {
      self.init(try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed))
    } catch {
      throw Failure("not JSON: \(text.prefix(500))")
    }
  }

  package init(_ value: Any) {
    switch value {
    case let value as JSON: self = value
    case let value as String: self = .text(value)
    // Foundation casts 0 and 1 to Bool as well; a true boolean has the C type `char`.
    case let value as NSNumber where String(cString: value.objCType) == "c": self = .bool(value.boolValue)
    case let value as NSNumber: self = .number(value.doubleValue)
    case let value as [Any]: self = .list(value.map { JSON($0) })
    case let value as [String: Any]: self = .object(value.mapValues { JSON($0) })
    default: self = .null
    }
  }

  package subscript(key: String) -> JSON {
    if case .object(let members) = self { return members[key] ?? .null }
    return .null
  }
  package subscript(index: Int) -> JSON {
    if case .list(let items) = self, items.indices.contains(index) { return items[index] }
    return .null
  }

  package var array: [JSON] { if case .list(let items) = self { items } else { [] } }
  package var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
  package var string: String? { if case .text(let text) = self { text } else { nil } }
  package var int: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
}

/// Text of a value built from dictionaries, arrays, strings and numbers.
package func jsonText(_ value: Any) throws -> String {
  String(decoding: try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys]), as: UTF8.self)
}

extension JSON {
  /// The document as text.
  package var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let value): Int(exactly: value).map { "\($0)" } ?? "\(value)"
    case .text(let text): (try? jsonText([text]).dropFirst().dropLast()).map(String.init) ?? "\"\""
    case .list(let items): "[" + items.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{"
        + members.sorted { $0.key < $1.key }.map { "\(JSON.text($0.key).text):\($0.value.text)" }
        .joined(separator: ",") + "}"
    }
  }
}
