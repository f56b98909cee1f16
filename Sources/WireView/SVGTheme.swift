/// The picture's colours.
package enum SVGTheme: String, Sendable, CaseIterable {
  /// As the reader's browser or system prefers (`prefers-color-scheme`).
  case auto
  case light
  case dark

  /// Each bridge has one colour, and what hangs on it too; the seventh begins again.
  static let accents = 6

  var styleSheet: String {
    switch self {
    case .auto: Self.shapes + Self.lightColours + "@media (prefers-color-scheme: dark) {\n\(Self.darkColours)}\n"
    case .light: Self.shapes + Self.lightColours
    case .dark: Self.shapes + Self.darkColours
    }
  }

  private static let shapes = """
    text { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; font-size: 11px; }
    .t { font-size: 20px; font-weight: bold; } .n { font-size: 13px; font-weight: bold; } .l { font-weight: bold; } .c, .o { font-size: 10px; }
    .m, .o { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    .link { fill: none; stroke-width: 2; } .thick { stroke-width: 5; stroke-linecap: round; } .dash { stroke-dasharray: 5 4; }
    .ghost { stroke-dasharray: 4 3; } .pill, .panel, .bridge { stroke-width: 1.5; }

    """

  private static let lightColours = palette(
    back: "#f5f7fa", card: "#ffffff", edge: "#d5dce5", ink: "#1b2533", faint: "#5d6b7e", wire: "#94a2b5",
    states: ("#1f9d55", "#c98a00", "#d13b3b"),
    accents: ["#2a6fdb", "#0d8a7a", "#7a4fd0", "#b26a00", "#c2376c", "#4a7f1c"])

  private static let darkColours = palette(
    back: "#0f141b", card: "#1a222d", edge: "#313d4d", ink: "#e8edf4", faint: "#95a4b8", wire: "#64748a",
    states: ("#45c97f", "#f0b944", "#ff6b6b"),
    accents: ["#6ea8ff", "#3fcdb6", "#b79aff", "#f2b04d", "#ff82ab", "#93cf5c"])

  private static func palette(
    back: String, card: String, edge: String, ink: String, faint: String, wire: String,
    states: (String, String, String), accents: [String]
  ) -> String {
    var text = """
      .back { fill: \(back); } .card { fill: \(card); stroke: \(edge); } .host { fill: none; stroke: \(edge); stroke-width: 1.5; }
      text { fill: \(ink); } .c, .m, .faint { fill: \(faint); } .strong { fill: \(ink); } .link { stroke: \(wire); }
      .attached { fill: \(states.0); } .attaching { fill: \(states.1); } .gone { fill: \(states.2); }

      """
    for (number, accent) in accents.enumerated() {
      text += """
        .a\(number).link { stroke: \(accent); } .a\(number).head { fill: \(accent); stroke: none; }
        .a\(number).pill { fill: \(card); stroke: \(accent); } .a\(number).ink { fill: \(accent); }
        .a\(number).bridge { fill: \(accent); fill-opacity: 0.05; stroke: \(accent); }
        .a\(number).band { fill: \(accent); fill-opacity: 0.16; }
        .a\(number).panel { fill: \(accent); fill-opacity: 0.05; stroke: \(accent); stroke-opacity: 0.35; }

        """
    }
    return text
  }
}
