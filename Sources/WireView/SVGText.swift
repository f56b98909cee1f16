/// A way of writing in the picture.
enum SVGFont: Sendable {
  case title, name, label, plain, caption, address, port

  /// The class in the style sheet.
  var name: String {
    switch self {
    case .title: "t"
    case .name: "n"
    case .label: "l"
    case .plain: "p"
    case .caption: "c"
    case .address: "m"
    case .port: "o"
    }
  }

  /// In pixels.
  var size: Int {
    switch self {
    case .title: 20
    case .name: 13
    case .label, .plain, .address: 11
    case .port, .caption: 10
    }
  }

  private var isFixed: Bool { self == .address || self == .port }
  private var isBold: Bool { self == .title || self == .name || self == .label }

  /// How wide the text becomes, in pixels, rounded up.
  ///
  /// Measured with the advances of DejaVu Sans, which is wider than the other faces of the style sheet: what fits here fits
  /// everywhere. What is not ASCII counts as a full square, which no alphabet exceeds.
  func width(of text: String) -> Int {
    var hundredths = 0
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x20...0x7e where isFixed: hundredths += 61
      case 0x20...0x7e: hundredths += (isBold ? Self.bold : Self.regular)[Int(scalar.value) - 0x20]
      case 0x0300...0x036f: break
      default: hundredths += 100
      }
    }
    return (hundredths * size + 99) / 100
  }

  /// The text, or as much of it as fits with an ellipsis. Of a name the end is kept as well: that is where names differ.
  func fit(_ text: String, _ room: Int) -> String {
    guard width(of: text) > room else { return text }
    let characters = Array(text.prefix(400))
    var kept = characters.count - 1
    while kept > 0 {
      let tail = isBold ? kept * 2 / 5 : 0
      let cut = String(characters.prefix(kept - tail)) + "…" + String(characters.suffix(tail))
      if width(of: cut) <= room { return cut }
      kept -= 1
    }
    return "…"
  }

  /// Advances of the characters from space to tilde, in hundredths of the size.
  private static let regular = [
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84,
    84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69,
    39,
    34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59,
    59,
    52, 64, 34, 64, 84,
  ]
  private static let bold = [
    35, 46, 52, 84, 70, 100, 87, 31, 46, 46, 52, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 40, 40, 84,
    84,
    84, 58, 100, 77, 76, 73, 83, 68, 68, 82, 84, 37, 37, 77, 64, 100, 84, 85, 73, 85, 77, 72, 68, 81, 77, 110, 77, 72,
    73,
    46, 37, 46, 84, 50, 50, 67, 72, 59, 72, 68, 44, 72, 71, 34, 34, 67, 34, 104, 71, 69, 72, 72, 49, 60, 48, 71, 65, 92,
    65,
    65, 58, 71, 37, 71, 84,
  ]
}
