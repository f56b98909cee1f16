/// Swift code with the text of comments and string literals blanked, so that a search finds code alone.
struct SwiftSource {
  /// The code; lines keep their numbers.
  private(set) var code = ""
  private var rest: Substring

  init(_ text: String) {
    rest = text[...]
    while !rest.isEmpty { step() }
  }

  private mutating func step() {
    if rest.hasPrefix("//") {
      skip(to: "\n")
    } else if rest.hasPrefix("/*") {
      skipBlockComment()
    } else if let hashes = openingOfString {
      skipString(hashes: hashes)
    } else {
      code.append(rest.removeFirst())
    }
  }

  /// Leaves out everything before `end`; the line breaks stay.
  private mutating func skip(to end: String) {
    while !rest.isEmpty, !rest.hasPrefix(end) { blank() }
  }

  private mutating func blank() {
    if rest.removeFirst().isNewline { code.append("\n") }
  }

  /// Block comments nest in Swift.
  private mutating func skipBlockComment() {
    var depth = 0
    repeat {
      if rest.hasPrefix("/*") {
        depth += 1
        rest.removeFirst(2)
      } else if rest.hasPrefix("*/") {
        depth -= 1
        rest.removeFirst(2)
      } else {
        blank()
      }
    } while depth > 0 && !rest.isEmpty
  }

  /// How many `#` stand before the quote with which a literal begins here; nil where none begins.
  private var openingOfString: Int? {
    let hashes = rest.prefix { $0 == "#" }.count
    return rest.dropFirst(hashes).first == "\"" ? hashes : nil
  }

  private mutating func skipString(hashes: Int) {
    rest.removeFirst(hashes)
    let quotes = rest.hasPrefix("\"\"\"") ? "\"\"\"" : "\""
    let guards = String(repeating: "#", count: hashes)
    rest.removeFirst(quotes.count)
    while !rest.isEmpty, !rest.hasPrefix(quotes + guards) {
      if rest.hasPrefix("\\" + guards) { rest.removeFirst(1 + hashes) }
      if !rest.isEmpty { blank() }
    }
    rest = rest.dropFirst(quotes.count + hashes)
    code += "\"\""
  }

  /// The modules that the file imports, whatever the access level before the word.
  var imports: [String] {
    code.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard let index = words.firstIndex(of: "import"), index + 1 < words.count,
        words[..<index].allSatisfy({
          ["internal", "package", "public", "private", "fileprivate"].contains($0) || $0.hasPrefix("@")
        })
      else { return nil }
      let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
      let name =
        kinds.contains(String(words[index + 1])) && index + 2 < words.count ? words[index + 2] : words[index + 1]
      return name.split(separator: ".").first.map(String.init)
    }
  }
}
