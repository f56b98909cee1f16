/// Puts SVG elements one behind the other. Whole pixels only, so the same picture is the same text.
struct SVGCanvas {
  enum Anchor: String { case start, middle, end }

  private(set) var text = ""

  mutating func rect(_ frame: Frame, radius: Int = 8, _ classes: String) {
    text +=
      "<rect x=\"\(frame.x)\" y=\"\(frame.y)\" width=\"\(frame.width)\" height=\"\(frame.height)\" rx=\"\(radius)\""
      + " class=\"\(classes)\"/>\n"
  }

  mutating func dot(_ x: Int, _ y: Int, _ classes: String) {
    text += "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"4\" class=\"\(classes)\"/>\n"
  }

  mutating func path(_ d: String, _ classes: String) { text += "<path d=\"\(d)\" class=\"\(classes)\"/>\n" }

  mutating func line(_ x: Int, _ y: Int, to end: Int, _ classes: String) { path("M\(x) \(y)H\(end)", classes) }

  /// A line that ends in an arrow's head.
  mutating func arrow(_ x: Int, _ y: Int, to end: Int, _ classes: String) {
    line(x, y, to: end - 6, classes)
    path("M\(end - 8) \(y - 4)L\(end) \(y)L\(end - 8) \(y + 4)Z", classes + " head")
  }

  /// Writes on the base line `y`, in no more than `room` pixels; what had to be cut shows whole under the pointer.
  mutating func write(
    _ string: String, _ x: Int, _ y: Int, _ font: SVGFont, room: Int = .max, anchor: Anchor = .start,
    _ classes: String = ""
  ) {
    let clean = Printable.line(string, limit: 400)
    let shown = font.fit(clean, room)
    let extra = classes.isEmpty ? "" : " \(classes)"
    let place = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
    text += "<text x=\"\(x)\" y=\"\(y)\" class=\"\(font.name)\(extra)\"\(place)>"
    if shown != clean { text += "<title>\(Self.escape(clean))</title>" }
    text += "\(Self.escape(shown))</text>\n"
  }

  /// What is drawn inside shows `title` under the pointer.
  mutating func group(title: [String], _ body: (inout SVGCanvas) -> Void) {
    let lines = title.map { Self.escape(Printable.line($0, limit: 400)) }
    text += "<g><title>\(lines.joined(separator: "\n"))</title>\n"
    body(&self)
    text += "</g>\n"
  }

  /// What XML reads as markup, in text and in attributes. Controls are gone already.
  static func escape(_ string: String) -> String {
    var escaped = ""
    for character in string {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.append(character)
      }
    }
    return escaped
  }
}

/// A rectangle in pixels.
struct Frame: Hashable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int

  var right: Int { x + width }
  var bottom: Int { y + height }
}
