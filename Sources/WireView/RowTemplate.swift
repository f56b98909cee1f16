package import WireCore

/// A line for each row, written by the user: `{{.Name}} {{.IP}}`. The placeholders are those that the listing offers; there
/// are no functions and no conditions.
package struct RowTemplate: Sendable, Equatable {
  private enum Piece: Sendable, Equatable {
    case text(String)
    case field(String)
  }

  private let pieces: [Piece]

  /// Reads a template; `fields` are the names that a placeholder may have.
  package init(_ text: String, fields: [String]) throws(WireError) {
    var pieces: [Piece] = []
    var rest = Substring(text)
    while let start = Self.find("{{", in: rest) {
      pieces.append(.text(Self.unescaped(rest[..<start])))
      rest = rest[start...].dropFirst(2)
      guard let end = Self.find("}}", in: rest) else {
        throw WireError("--format \(text.quoted)", "a {{ has no }}")
      }
      var name = rest[..<end]
      while name.first == " " { name.removeFirst() }
      while name.last == " " { name.removeLast() }
      guard name.first == ".", fields.contains(String(name.dropFirst())) else {
        let near = Spelling.nearest(to: String(name.drop { $0 == "." }), in: fields)
        throw WireError(
          "--format \(text.quoted)", "there is no {{\(name)}}",
          hint: near.map { "did you mean {{.\($0)}}?" }
            ?? "there are: \(fields.map { ".\($0)" }.joined(separator: " "))")
      }
      pieces.append(.field(String(name.dropFirst())))
      rest = rest[end...].dropFirst(2)
    }
    pieces.append(.text(Self.unescaped(rest)))
    self.pieces = pieces
  }

  /// The line of one row, without control characters: values come from strangers.
  package func line(_ value: (_ field: String) -> String) -> String {
    var line = ""
    for piece in pieces {
      switch piece {
      case .text(let text): line += text
      case .field(let name): line += Printable.line(value(name))
      }
    }
    return line
  }

  private static func find(_ braces: String, in text: Substring) -> Substring.Index? {
    var index = text.startIndex
    while index < text.endIndex {
      if text[index...].hasPrefix(braces) { return index }
      index = text.index(after: index)
    }
    return nil
  }

  /// `\t` and `\n` as a shell passes them on.
  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var isEscape = false
    for character in text {
      switch (isEscape, character) {
      case (true, "t"): result += "\t"
      case (true, "n"): result += "\n"
      case (true, "\\"): result += "\\"
      case (true, _): result += "\\\(character)"
      case (false, "\\"):
        isEscape = true
        continue
      case (false, _): result.append(character)
      }
      isEscape = false
    }
    return isEscape ? result + "\\" : result
  }
}
