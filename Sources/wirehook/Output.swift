import ArgumentParser
import WireCore
import WireEngine
import WireJSON
import WireView

/// How results reach the reader.
enum Output {
  static func json(_ value: JSONValue) { print(JSONWriter.pretty(value), terminator: "") }

  /// A table in the width of the terminal.
  static func table(_ table: Table, _ style: Style = .plain) {
    let width = Terminal.isThere || Environment.value("COLUMNS") != nil ? Terminal.width : nil
    for line in table.lines(width: width, style: style, ellipsis: Terminal.ellipsis) { print(line) }
  }

  /// Rows of cells under headings, each column as wide as its widest cell.
  static func table(_ headings: [String], _ rows: [[String]]) {
    var table = Table(headings.map { Table.Column($0) })
    for row in rows { table.add(row) }
    self.table(table)
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
