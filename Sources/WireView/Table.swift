/// Rows under headings, aligned, and no wider than a terminal where there is one.
package struct Table {
  package enum Alignment: Sendable { case left, right }

  /// What a cell means, which gives it its colour.
  package enum Meaning: Sendable { case plain, name, status, port, dim, bad }

  package struct Column: Sendable {
    let heading: String
    let alignment: Alignment
    let meaning: Meaning
    /// Whether it may lose characters on a narrow terminal.
    let isCut: Bool

    package init(
      _ heading: String, _ alignment: Alignment = .left, _ meaning: Meaning = .plain, isCut: Bool = false
    ) {
      self.heading = heading
      self.alignment = alignment
      self.meaning = meaning
      self.isCut = isCut
    }
  }

  private static let gap = 2
  /// Nothing is cut to less.
  private static let least = 5

  private let columns: [Column]
  /// Each cell is a list: side by side with commas where that fits, else one below the other.
  private var rows: [[[String]]] = []

  package init(_ columns: [Column]) { self.columns = columns }

  package mutating func add(_ cells: [[String]]) {
    rows.append(cells.map { cell in cell.map { Printable.line($0) } })
  }

  /// A row of cells of one item each.
  package mutating func add(_ cells: [String]) { add(cells.map { [$0] }) }

  /// The lines, headings first; `width`: cells in a line, nil where nobody counts them.
  package func lines(width: Int?, style: Style, ellipsis: String = "…") -> [String] {
    let plan = plan(width)
    var lines = [line(columns.map { $0.heading }, plan, style.dim, ellipsis)]
    for row in rows {
      let cells = row.enumerated().map { column, items in
        plan.isStacked[column] && !items.isEmpty ? items : [items.joined(separator: ", ")]
      }
      for part in 0..<(cells.map { $0.count }.max() ?? 1) {
        let texts = cells.map { part < $0.count ? $0[part] : "" }
        lines.append(line(texts, plan, nil, ellipsis, style))
      }
    }
    return lines
  }

  private struct Plan {
    var widths: [Int]
    var isStacked: [Bool]
  }

  /// How wide each column is: first the lists are set one below the other, the widest first; then what may be cut is.
  private func plan(_ limit: Int?) -> Plan {
    var plan = Plan(widths: [], isStacked: columns.map { _ in false })
    for column in columns.indices { plan.widths.append(width(of: column, isStacked: false)) }
    guard let limit else { return plan }
    let used = { (plan: Plan) in plan.widths.reduce(Self.gap * (columns.count - 1), +) }
    let lists = columns.indices.filter { column in rows.contains { $0[column].count > 1 } }
    for column in lists.sorted(by: { plan.widths[$0] > plan.widths[$1] }) where used(plan) > limit {
      plan.isStacked[column] = true
      plan.widths[column] = width(of: column, isStacked: true)
    }
    while used(plan) > limit {
      let cut = columns.indices.filter { columns[$0].isCut && plan.widths[$0] > Self.least }
      guard let widest = cut.max(by: { plan.widths[$0] < plan.widths[$1] }) else { break }
      plan.widths[widest] -= 1
    }
    return plan
  }

  private func width(of column: Int, isStacked: Bool) -> Int {
    var width = Cells.width(of: columns[column].heading)
    for row in rows {
      let texts = isStacked ? row[column] : [row[column].joined(separator: ", ")]
      for text in texts { width = max(width, Cells.width(of: text)) }
    }
    return width
  }

  private func line(
    _ texts: [String], _ plan: Plan, _ paint: ((String) -> String)?, _ ellipsis: String, _ style: Style = .plain
  ) -> String {
    var line = ""
    var owed = 0
    for (column, whole) in texts.enumerated() {
      let text = Cells.cut(whole, to: plan.widths[column], ellipsis: ellipsis)
      let padding = plan.widths[column] - Cells.width(of: text)
      let shown = paint?(text) ?? style.paint(text, columns[column].meaning)
      if columns[column].alignment == .right { owed += padding }
      if !text.isEmpty {
        line += String(repeating: " ", count: owed) + shown
        owed = 0
      }
      owed += Self.gap + (columns[column].alignment == .left ? padding : 0)
    }
    return line
  }
}

extension Style {
  fileprivate func paint(_ text: String, _ meaning: Table.Meaning) -> String {
    switch meaning {
    case .plain: text
    case .name: name(text)
    case .status: status(text)
    case .port: port(text)
    case .dim: dim(text)
    case .bad: bad(text)
    }
  }
}
