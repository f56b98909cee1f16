internal import WireCore

/// An object where it stands in a text, member by member: for changes that leave every other byte as it is.
package struct JSONObjectText: Sendable {
  package struct Member: Sendable {
    package let name: String
    /// From the key to the value's end.
    package let range: Range<Int>
    package let value: Range<Int>
  }

  package let members: [Member]
  /// Between the braces.
  package let content: Range<Int>

  /// The object that `range` of `bytes` holds, white space around it aside; no range: all of them. Each name may stand
  /// once: which of two counts is not ours to guess.
  package init(_ bytes: [UInt8], in range: Range<Int>? = nil) throws(JSONError) {
    let start = range?.lowerBound ?? 0
    var scanner = try JSONScanner(range.map { Array(bytes[$0]) } ?? bytes, limits: .bundle)
    guard let first = try scanner.next(), first.kind == .beginObject else {
      throw JSONError("expected an object", at: start, in: bytes)
    }
    var found: [Member] = []
    var end = first.range.upperBound
    while let token = try scanner.next() {
      end = token.range.lowerBound
      guard token.kind == .key else { continue }
      let name = scanner.text(of: token)
      guard !found.contains(where: { $0.name == name }) else {
        throw JSONError(
          "expected each key once, found \(name.quoted) again", at: start + token.range.lowerBound, in: bytes)
      }
      let value = try Self.value(&scanner)
      found.append(
        Member(
          name: name, range: start + token.range.lowerBound..<start + value.upperBound,
          value: start + value.lowerBound..<start + value.upperBound))
    }
    members = found
    content = start + first.range.upperBound..<start + end
  }

  package subscript(name: String) -> Member? { members.first { $0.name == name } }

  /// The text with one more member at the end, on a line of its own where the others have one.
  package func adding(_ name: String, _ value: String, to bytes: [UInt8]) -> [UInt8] {
    let member = JSONWriter.compact(.string(name)) + ": " + value
    guard let first = members.first, let last = members.last else {
      return Self.replace(content.lowerBound..<content.lowerBound, of: bytes, by: member)
    }
    let before = bytes[content.lowerBound..<first.range.lowerBound]
    let line = before.lastIndex(of: UInt8(ascii: "\n")).map { before[$0...] } ?? before
    let end = last.range.upperBound
    return Self.replace(end..<end, of: bytes, by: "," + String(decoding: line, as: UTF8.self) + member)
  }

  /// The text without a member, its comma and the white space before it.
  package func removing(_ name: String, from bytes: [UInt8]) -> [UInt8] {
    guard let index = members.firstIndex(where: { $0.name == name }) else { return bytes }
    let range =
      if index > 0 {
        members[index - 1].range.upperBound..<members[index].range.upperBound
      } else if members.count > 1 {
        members[0].range.lowerBound..<members[1].range.lowerBound
      } else {
        content
      }
    return Self.replace(range, of: bytes, by: "")
  }

  /// The text with another value for a member.
  package static func replace(_ range: Range<Int>, of bytes: [UInt8], by text: String) -> [UInt8] {
    var result = bytes
    result.replaceSubrange(range, with: text.utf8)
    return result
  }

  private static func value(_ scanner: inout JSONScanner) throws(JSONError) -> Range<Int> {
    guard let first = try scanner.next() else { throw JSONError("expected a value") }
    guard first.kind == .beginObject || first.kind == .beginArray else { return first.range }
    while let token = try scanner.next() {
      let closes = token.kind == .endObject || token.kind == .endArray
      if closes, token.depth == first.depth { return first.range.lowerBound..<token.range.upperBound }
    }
    throw JSONError("expected the end of the value")
  }
}
