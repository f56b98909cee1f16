/// Writes values as text, the same text each time. It is put together as bytes: strings that grow cost several times that.
package enum JSONWriter {
  /// On one line, without a space.
  package static func compact(_ value: JSONValue) -> String {
    var text: [UInt8] = []
    write(value, to: &text, indent: nil)
    return String(decoding: text, as: UTF8.self)
  }

  /// Two spaces a level, a line feed at the end.
  package static func pretty(_ value: JSONValue) -> String {
    var text: [UInt8] = []
    write(value, to: &text, indent: 0)
    text.append(UInt8(ascii: "\n"))
    return String(decoding: text, as: UTF8.self)
  }

  private static func write(_ value: JSONValue, to text: inout [UInt8], indent: Int?) {
    switch value {
    case .null: text += "null".utf8
    case .bool(let bool): text += (bool ? "true" : "false").utf8
    case .integer(let integer): text += String(integer).utf8
    // JSON has no word for what is not finite.
    case .number(let number): text += (number.isFinite ? String(number) : "null").utf8
    case .string(let string): write(string, to: &text)
    case .array(let elements):
      text.append(UInt8(ascii: "["))
      for index in elements.indices {
        separate(index, to: &text, indent: indent)
        write(elements[index], to: &text, indent: indent.map { $0 + 1 })
      }
      close("]", isEmpty: elements.isEmpty, to: &text, indent: indent)
    case .object(let members):
      text.append(UInt8(ascii: "{"))
      for index in members.indices {
        separate(index, to: &text, indent: indent)
        write(members[index].name, to: &text)
        text += (indent == nil ? ":" : ": ").utf8
        write(members[index].value, to: &text, indent: indent.map { $0 + 1 })
      }
      close("}", isEmpty: members.isEmpty, to: &text, indent: indent)
    }
  }

  /// What stands before item number `index` of a list.
  private static func separate(_ index: Int, to text: inout [UInt8], indent: Int?) {
    if index > 0 { text.append(UInt8(ascii: ",")) }
    if let indent { newLine(indent + 1, to: &text) }
  }

  private static func close(_ bracket: Unicode.Scalar, isEmpty: Bool, to text: inout [UInt8], indent: Int?) {
    if let indent, !isEmpty { newLine(indent, to: &text) }
    text.append(UInt8(ascii: bracket))
  }

  private static func newLine(_ level: Int, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\n"))
    for _ in 0..<level { text += "  ".utf8 }
  }

  /// A string in quotes: what RFC 8259 wants escaped, and DEL, which a terminal would act on.
  private static func write(_ string: String, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): text += "\\\"".utf8
      case UInt8(ascii: "\\"): text += "\\\\".utf8
      case UInt8(ascii: "\n"): text += "\\n".utf8
      case UInt8(ascii: "\r"): text += "\\r".utf8
      case UInt8(ascii: "\t"): text += "\\t".utf8
      case 0..<0x20, 0x7f: text += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}
