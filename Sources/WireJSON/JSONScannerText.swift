internal import WireCore

/// Strings, numbers and the three words.
extension JSONScanner {
  /// Skips a string, from quote to quote; says whether it holds a backslash.
  mutating func skipString() throws(JSONError) -> Bool {
    position += 1
    var isEscaped = false
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return isEscaped
      case UInt8(ascii: "\\"):
        isEscaped = true
        position += 1
        try skipEscape()
      case 0x20..<0x80: position += 1
      case 0x80...: try skipMultibyte(byte)
      default: throw expected("a control character to be escaped")
      }
    }
    throw expected("the closing quote of a string")
  }

  private mutating func skipEscape() throws(JSONError) {
    switch peek {
    case UInt8(ascii: "u"):
      position += 1
      let unit = try hexUnit()
      if unit == 0 {
        throw JSONError("expected no NUL character in a string, found \\u0000", at: position - 6, in: bytes)
      }
      if (0xdc00...0xdfff).contains(unit) { throw surrogate(at: position - 6) }
      guard (0xd800...0xdbff).contains(unit) else { return }
      guard peek == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") else {
        throw surrogate(at: position - 6)
      }
      position += 2
      guard (0xdc00...0xdfff).contains(try hexUnit()) else { throw surrogate(at: position - 6) }
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    default: throw expected("one of \"\\/bfnrtu after a backslash")
    }
  }

  private func surrogate(at offset: Int) -> JSONError {
    JSONError("expected a pair of surrogates, found one alone", at: offset, in: bytes)
  }

  private mutating func hexUnit() throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = HexDigit.value(byte) else { throw expected("four hexadecimal digits") }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  /// One character of two to four bytes, by the table of well-formed sequences (Unicode 15, table 3-7).
  private mutating func skipMultibyte(_ lead: UInt8) throws(JSONError) {
    let (count, second): (Int, ClosedRange<UInt8>)
    switch lead {
    case 0xc2...0xdf: (count, second) = (1, 0x80...0xbf)
    case 0xe0: (count, second) = (2, 0xa0...0xbf)
    case 0xed: (count, second) = (2, 0x80...0x9f)
    case 0xe1...0xef: (count, second) = (2, 0x80...0xbf)
    case 0xf0: (count, second) = (3, 0x90...0xbf)
    case 0xf1...0xf3: (count, second) = (3, 0x80...0xbf)
    case 0xf4: (count, second) = (3, 0x80...0x8f)
    default: throw expected("UTF-8")
    }
    for index in 0..<count {
      position += 1
      guard let byte = peek, (index == 0 ? second : 0x80...0xbf).contains(byte) else { throw expected("UTF-8") }
    }
    position += 1
  }

  mutating func skipNumber() throws(JSONError) {
    if peek == UInt8(ascii: "-") { position += 1 }
    if peek == UInt8(ascii: "0") {
      position += 1
      if let byte = peek, isDigit(byte) { throw expected("no digit after a leading zero") }
    } else {
      try skipDigits()
    }
    if peek == UInt8(ascii: ".") {
      position += 1
      try skipDigits()
    }
    guard peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") else { return }
    position += 1
    if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
    try skipDigits()
  }

  private mutating func skipDigits() throws(JSONError) {
    guard let byte = peek, isDigit(byte) else { throw expected("a digit") }
    while let byte = peek, isDigit(byte) { position += 1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  mutating func skipLiteral(_ word: StaticString) throws(JSONError) {
    let start = position
    for letter in word.description.utf8 {
      guard peek == letter else {
        position = start
        throw expected("a value")
      }
      position += 1
    }
  }

  /// The text of a key or string that the scanner has passed.
  package func text(of token: Token) -> String {
    let content = token.range.dropFirst().dropLast()
    guard token.isEscaped else { return String(decoding: bytes[content], as: UTF8.self) }
    var utf8: [UInt8] = []
    utf8.reserveCapacity(content.count)
    var index = content.startIndex
    while index < content.endIndex {
      guard bytes[index] == UInt8(ascii: "\\") else {
        utf8.append(bytes[index])
        index += 1
        continue
      }
      index += 2
      switch bytes[index - 1] {
      case UInt8(ascii: "b"): utf8.append(0x08)
      case UInt8(ascii: "f"): utf8.append(0x0c)
      case UInt8(ascii: "n"): utf8.append(0x0a)
      case UInt8(ascii: "r"): utf8.append(0x0d)
      case UInt8(ascii: "t"): utf8.append(0x09)
      case UInt8(ascii: "u"): appendScalar(at: &index, to: &utf8)
      case let byte: utf8.append(byte)
      }
    }
    return String(decoding: utf8, as: UTF8.self)
  }

  /// Appends what `\uXXXX`, or a pair of them, stands for; `index` is at the first hexadecimal digit.
  private func appendScalar(at index: inout Int, to utf8: inout [UInt8]) {
    let unit = { (start: Int) in
      bytes[start..<start + 4].reduce(UInt32(0)) { $0 << 4 | UInt32(HexDigit.value($1) ?? 0) }
    }
    var value = unit(index)
    index += 4
    if (0xd800...0xdbff).contains(value) {
      value = 0x10000 + (value - 0xd800) << 10 + (unit(index + 2) - 0xdc00)
      index += 6
    }
    guard let scalar = Unicode.Scalar(value) else { return }
    utf8.append(contentsOf: Character(scalar).utf8)
  }
}
