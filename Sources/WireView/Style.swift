/// Colours of a terminal, or none: what means the same has the same colour in every command.
package struct Style: Sendable, Hashable {
  private let isColoured: Bool

  package static let plain = Style(isColoured: false)
  package static let coloured = Style(isColoured: true)

  package func bold(_ text: String) -> String { wrap(text, "1") }
  /// Headings, and what matters least.
  package func dim(_ text: String) -> String { wrap(text, "2") }
  /// Whatever has a name of its own.
  package func name(_ text: String) -> String { wrap(text, "1;36") }
  package func port(_ text: String) -> String { wrap(text, "35") }
  package func good(_ text: String) -> String { wrap(text, "32") }
  package func warning(_ text: String) -> String { wrap(text, "33") }
  package func bad(_ text: String) -> String { wrap(text, "31") }

  /// A container's status.
  package func status(_ status: String) -> String {
    switch status {
    case "attached": good(status)
    case "attaching": warning(status)
    default: bad(status)
    }
  }

  private func wrap(_ text: String, _ code: String) -> String {
    isColoured && !text.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }

  /// The line in at most `limit` cells; escape sequences have no width, and the last one is kept closed.
  package func cut(_ line: String, to limit: Int?, ellipsis: String = "…") -> String {
    guard let limit, Self.width(of: line) > limit else { return line }
    guard isColoured else { return Cells.cut(line, to: limit, ellipsis: ellipsis) }
    var result = ""
    var used = 0
    var isEscape = false
    for character in line {
      if character == "\u{1b}" { isEscape = true }
      if isEscape {
        result.append(character)
        if character == "m" { isEscape = false }
        continue
      }
      let width = Cells.width(of: character)
      guard used + width <= limit - ellipsis.count else { break }
      result.append(character)
      used += width
    }
    return result + ellipsis + "\u{1b}[0m"
  }

  /// The cells that a line takes, escape sequences not counted.
  package static func width(of line: String) -> Int {
    var width = 0
    var isEscape = false
    for character in line {
      if character == "\u{1b}" { isEscape = true }
      if !isEscape { width += Cells.width(of: character) } else if character == "m" { isEscape = false }
    }
    return width
  }
}
