import WireCore

/// Text of strangers (names come from whoever wrote the container) made fit to be shown on one line.
package enum Printable {
  /// The text without anything that moves a cursor, breaks a line or turns the writing direction around: such characters
  /// become `\x1b`, `\u202e`.
  package static func line(_ text: String, limit: Int = .max) -> String {
    var result = ""
    for scalar in text.escapingControls(limit: limit).unicodeScalars {
      if isMisleading(scalar) {
        result += "\\u" + String(scalar.value, radix: 16)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Controls above ASCII, separators of lines, what is invisible, and what reverses the order of what follows (UAX 9).
  private static func isMisleading(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x80...0x9f, 0x00ad, 0x061c, 0x200b, 0x200e, 0x200f, 0x2028...0x202e, 0x2060...0x2069, 0xfeff, 0xfff0...0xffff,
      0xe0000...0xe0fff:
      true
    // XML 1.0 has no place for these.
    default: scalar.value & 0xfffe == 0xfffe
    }
  }
}

/// How wide text is on a terminal, in cells.
package enum Cells {
  package static func width(of text: String) -> Int {
    var width = 0
    for character in text { width += self.width(of: character) }
    return width
  }

  /// The text in no more than `limit` cells: what does not fit gives way to one `…`.
  package static func cut(_ text: String, to limit: Int, ellipsis: String = "…") -> String {
    guard width(of: text) > limit else { return text }
    let room = limit - ellipsis.count
    guard room > 0 else { return String(ellipsis.prefix(max(limit, 0))) }
    var result = ""
    var used = 0
    for character in text {
      let width = width(of: character)
      guard used + width <= room else { break }
      result.append(character)
      used += width
    }
    return result + ellipsis
  }

  /// East Asian wide characters and pictures take two (UAX 11), combining marks none of their own.
  static func width(of character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x0300...0x036f: return 0
    case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
      0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }
}
