import Foundation

/// A fenced block of a page.
struct CodeBlock: CustomStringConvertible, Sendable {
  var page: String
  var line: Int
  var language: String
  var text: String

  var description: String { "\(page):\(line)" }
}

enum Markdown {
  /// All fenced blocks of a page.
  static func blocks(of page: String) throws -> [CodeBlock] {
    var found: [CodeBlock] = []
    var open: CodeBlock?
    let lines = try Repository.text(page).split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      guard line.hasPrefix("```") else {
        open?.text += line + "\n"
        continue
      }
      if let block = open {
        found.append(block)
        open = nil
      } else {
        open = CodeBlock(page: page, line: index + 1, language: String(line.dropFirst(3)), text: "")
      }
    }
    return found
  }

  /// The targets of the page's links to files of the repository, without their anchors.
  static func links(of page: String) throws -> [String] {
    try Repository.text(page).matches(of: /\]\((?<target>[^)\s]+)\)/).map { String($0.output.target) }
      .filter { !$0.contains("://") && !$0.hasPrefix("#") }
      .map { String($0.prefix { $0 != "#" }) }
  }

  /// The first cell of every row of the page's tables, as far as it is in backticks: `` | `key` | … | ``, also
  /// several in one cell.
  static func keys(of page: String) throws -> Set<String> {
    let rows = try Repository.text(page).split(separator: "\n").filter { $0.hasPrefix("| `") }
    let cells = rows.compactMap { $0.split(separator: "|").first }
    return Set(cells.flatMap { $0.matches(of: /`([^`]+)`/).map { String($0.output.1) } })
  }
}
