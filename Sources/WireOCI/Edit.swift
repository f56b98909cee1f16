/// A part of a JSON text that is replaced.
struct Edit {
  let range: Range<Int>
  let text: String

  init(range: Range<Int>, text: String) {
    self.range = range
    self.text = text
  }

  /// Makes `text` the first member or element of what opens just before `offset`.
  init(insert text: String, asFirstAt offset: Int, in bytes: [UInt8]) {
    self.init(range: offset..<offset, text: Self.isEmpty(after: offset, in: bytes) ? text : text + ",")
  }

  /// Takes a member or element away, with the comma after it; the last one with the comma before it.
  init(remove item: Range<Int>, in bytes: [UInt8]) {
    let comma = UInt8(ascii: ",")
    let next = bytes[item.upperBound...].firstIndex { !Self.isSpace($0) }
    if let next, bytes[next] == comma {
      self.init(range: item.lowerBound..<next + 1, text: "")
    } else if let before = bytes[..<item.lowerBound].lastIndex(where: { !Self.isSpace($0) }), bytes[before] == comma {
      self.init(range: before..<item.upperBound, text: "")
    } else {
      self.init(range: item, text: "")
    }
  }

  /// The bytes with all edits made; they must not overlap.
  static func apply(_ edits: [Edit], to bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + edits.reduce(0) { $0 + $1.text.utf8.count })
    var position = 0
    for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      result += bytes[position..<edit.range.lowerBound]
      result += edit.text.utf8
      position = edit.range.upperBound
    }
    result += bytes[position...]
    return result
  }

  /// Whether an array or object that opens just before `offset` has nothing in it.
  static func isEmpty(after offset: Int, in bytes: [UInt8]) -> Bool {
    let next = bytes[offset...].first { !isSpace($0) }
    return next == UInt8(ascii: "}") || next == UInt8(ascii: "]")
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }
}
