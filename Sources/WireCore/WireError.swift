/// What failed, why, and what the reader can do about it. Printed as one line, `WHAT failed: WHY; HINT`.
package struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The thing that failed, by name: `attaching "web" to network "front"`.
  package let what: String
  /// The reason, in the kernel's own words where it gave any.
  package let why: String
  /// What the reader can do about it.
  package let hint: String?

  package init(_ what: String, _ why: String, hint: String? = nil) {
    self.what = what
    self.why = why
    self.hint = hint
  }

  /// One line whatever the input was: control characters, which may come from a container's author, are escaped.
  package var description: String {
    let line = "\(what) failed: \(why)"
    return (hint.map { "\(line); \($0)" } ?? line).escapingControls(limit: 2000)
  }
}

extension String {
  /// The text with control characters escaped as `\xNN`, and cut after `limit` characters: safe to print on one line.
  package func escapingControls(limit: Int = .max) -> String {
    var result = ""
    for (count, scalar) in unicodeScalars.enumerated() {
      guard count < limit else { return result + "…" }
      switch scalar.value {
      case 0x20..<0x7f, 0xa0...: result.unicodeScalars.append(scalar)
      default:
        let hex = String(scalar.value, radix: 16)
        result += "\\x" + (hex.utf8.count < 2 ? "0" + hex : hex)
      }
    }
    return result
  }

  /// The text in double quotes, escaped and shortened, for error messages.
  package var quoted: String { "\"\(escapingControls(limit: 120))\"" }
}
