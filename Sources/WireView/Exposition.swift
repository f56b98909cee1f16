internal import WireCore

/// Metrics in the text format that Prometheus reads (version 0.0.4). Families in the order in which they are added, which
/// is what the format asks for: all samples of one stand together.
package struct Exposition: Sendable {
  package enum Kind: String, Sendable { case counter, gauge }

  package private(set) var text = ""

  package init() {}

  /// One family; nothing of it where there is no sample.
  package mutating func add(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(String, String)], value: String)]
  ) {
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(Self.escape(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    for sample in samples {
      let labels = sample.labels.map { "\($0.0)=\"\(Self.escape($0.1, quotes: true))\"" }.joined(separator: ",")
      text += "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(sample.value)\n"
    }
  }

  private static func escape(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      // The format allows them; a terminal or a log that it is shown on would obey them.
      case "\0"..<" ", "\u{7f}"..<"\u{a0}": result += "\\" + String(scalar).escapingControls()
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
