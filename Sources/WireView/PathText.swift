package import WireJSON

/// A path for a terminal: a line a hop, marked, and below the one that stops the command that mends it.
package struct PathText {
  package struct Marks: Sendable {
    let passes, note, stops, arrow: String

    package static let symbols = Marks(passes: "✓", note: "!", stops: "✗", arrow: "→")
    package static let ascii = Marks(passes: "ok", note: "!", stops: "NO", arrow: "->")

    fileprivate func mark(_ verdict: PathHop.Verdict) -> String {
      switch verdict {
      case .passes: passes
      case .note: note
      case .stops: stops
      }
    }
  }

  private let marks: Marks
  private let style: Style

  package init(marks: Marks, style: Style) {
    self.marks = marks
    self.style = style
  }

  package func draw(_ report: PathReport) -> String {
    var lines = [
      "\(style.name(Printable.line(report.from))) \(marks.arrow) \(style.name(Printable.line(report.to)))"
        + style.dim("  \(Printable.line(report.packet))")
    ]
    let sections = [("request", report.request), ("answer", report.answer), ("probe", report.probe ?? [])]
    let all = sections.flatMap { $0.1 }
    let places = all.map { Cells.width(of: Printable.line($0.place)) }.max() ?? 0
    let kinds = all.map { $0.kind.rawValue.count }.max() ?? 0
    for (title, hops) in sections where !hops.isEmpty {
      lines += ["", style.dim(title)]
      for hop in hops { lines += draw(hop, places, kinds) }
    }
    lines += ["", conclusion(report)]
    return lines.joined(separator: "\n") + "\n"
  }

  private func draw(_ hop: PathHop, _ places: Int, _ kinds: Int) -> [String] {
    let width = max(marks.passes.count, marks.stops.count)
    let mark = Self.padded(marks.mark(hop.verdict), to: width)
    let place = Self.padded(Printable.line(hop.place), to: places)
    let kind = Self.padded(hop.kind.rawValue, to: kinds)
    let text = Printable.line(hop.text)
    var lines = ["  \(paint(mark, hop.verdict)) \(style.bold(place))  \(style.dim(kind))  \(text)"]
    if let remedy = hop.remedy {
      let indent = String(repeating: " ", count: width + places + kinds + 7)
      lines.append(indent + style.warning("\(marks.arrow) \(Printable.line(remedy))"))
    }
    return lines
  }

  private func conclusion(_ report: PathReport) -> String {
    guard let stop = report.stop else { return style.good("reachable") }
    let way = report.request.contains(stop) ? "the request" : report.answer.contains(stop) ? "the answer" : "the probe"
    return style.bad(
      "\(way) stops at \(Printable.line(stop.place)), \(stop.kind.rawValue): \(Printable.line(stop.text))")
  }

  private func paint(_ mark: String, _ verdict: PathHop.Verdict) -> String {
    switch verdict {
    case .passes: style.good(mark)
    case .note: style.warning(mark)
    case .stops: style.bad(mark)
    }
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - Cells.width(of: text)))
  }
}

extension PathReport {
  package var json: JSONValue {
    .object([
      .init("from", .string(from)), .init("to", .string(to)), .init("packet", .string(packet)),
      .init("reachable", .bool(stop == nil)), .init("stop", stop?.json ?? .null),
      .init("request", .array(request.map { $0.json })), .init("answer", .array(answer.map { $0.json })),
      .init("probe", probe.map { .array($0.map { $0.json }) } ?? .null),
    ])
  }
}

extension PathHop {
  fileprivate var json: JSONValue {
    .object([
      .init("place", .string(place)), .init("kind", .string(kind.rawValue)),
      .init("verdict", .string(verdict.rawValue)), .init("text", .string(text)),
      .init("remedy", remedy.map { .string($0) } ?? .null),
    ])
  }
}
