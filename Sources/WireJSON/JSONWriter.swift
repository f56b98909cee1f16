/// Writes values as text, the same text each time.
package enum JSONWriter {
  /// On one line, without a space.
  package static func compact(_ value: JSONValue) -> String {
    var text = ""
    write(value, to: &text, indent: nil)
    return text
  }

  /// Two spaces a level, a line feed at the end.
  package static func pretty(_ value: JSONValue) -> String {
    var text = ""
    write(value, to: &text, indent: 0)
    return text + "\n"
  }

  private static func write(_ value: JSONValue, to text: inout String, indent: Int?) {
    switch value {
    case .null: text += "null"
    case .bool(let bool): text += bool ? "true" : "false"
    case .integer(let integer): text += String(integer)
    // JSON has no word for what is not finite.
    case .number(let number): text += number.isFinite ? String(number) : "null"
    case .string(let string): write(string, to: &text)
    case .array(let elements):
      list(elements, "[", "]", to: &text, indent: indent) { (element, text, indent) in
        write(element, to: &text, indent: indent)
      }
    case .object(let members):
      list(members, "{", "}", to: &text, indent: indent) { (member, text, indent) in
        write(member.name, to: &text)
        text += indent == nil ? ":" : ": "
        write(member.value, to: &text, indent: indent)
      }
    }
  }

  private static func list<Item>(
    _ items: [Item], _ opening: String, _ closing: String, to text: inout String, indent: Int?,
    _ write: (Item, inout String, Int?) -> Void
  ) {
    text += opening
    let inner = indent.map { $0 + 1 }
    for (index, item) in items.enumerated() {
      if index > 0 { text += "," }
      if let inner { text += "\n" + String(repeating: "  ", count: inner) }
      write(item, &text, inner)
    }
    if let indent, !items.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
    text += closing
  }

  /// A string in quotes: what RFC 8259 wants escaped, and DEL, which a terminal would act on.
  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}", "\u{7f}":
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
