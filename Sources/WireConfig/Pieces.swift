/// Cutting text at ASCII bytes. A `Character` would not do: "," and a combining accent after it are one, which is no ",".
extension Substring {
  /// What stands between the bytes `separator`, empty pieces too; the last of `limit` pieces keeps what is left.
  func pieces(at separator: UInt8, limit: Int = .max) -> [Substring] {
    var result: [Substring] = []
    var start = startIndex
    var index = startIndex
    while index < endIndex, result.count < limit - 1 {
      let next = utf8.index(after: index)
      if utf8[index] == separator {
        result.append(self[start..<index])
        start = next
      }
      index = next
    }
    result.append(self[start...])
    return result
  }

  /// The text without spaces and tabs at its ends.
  var trimmingBlanks: Substring {
    var start = startIndex
    var end = endIndex
    while start < end, Self.isBlank(utf8[start]) { start = utf8.index(after: start) }
    while start < end, Self.isBlank(utf8[utf8.index(before: end)]) { end = utf8.index(before: end) }
    return self[start..<end]
  }

  /// The words between spaces and tabs.
  var words: [Substring] {
    utf8.split(whereSeparator: Self.isBlank).map { self[$0.startIndex..<$0.endIndex] }
  }

  /// Whether there is nothing but digits.
  var isDigits: Bool { utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}

extension String {
  func pieces(at separator: UInt8, limit: Int = .max) -> [Substring] { self[...].pieces(at: separator, limit: limit) }
  var trimmingBlanks: Substring { self[...].trimmingBlanks }
  var words: [Substring] { self[...].words }
  var isDigits: Bool { self[...].isDigits }
}
