import ArgumentParser
import WireCore
import WireEngine
import WireJSON

/// How results reach the reader.
enum Output {
  static func json(_ value: JSONValue) { print(JSONWriter.pretty(value), terminator: "") }

  /// Rows of cells under headings, each column as wide as its widest cell.
  static func table(_ headings: [String], _ rows: [[String]]) {
    var widths = headings.map { $0.count }
    for row in rows { for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) } }
    for row in [headings] + rows {
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
      }
      print(line)
    }
  }
}

/// A command whose error is one line, `wirehook: WHAT failed: WHY; HINT`, and exit code 1.
protocol WirehookSubcommand: ParsableCommand {
  func perform() throws
}

extension WirehookSubcommand {
  func run() throws {
    do {
      try perform()
    } catch let error as WireError {
      StandardError.write("wirehook: \(error)\n")
      throw ExitCode(1)
    }
  }
}
