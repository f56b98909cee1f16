package import WireCore

/// Why some bytes are not a document that we read.
package struct JSONError: Error, Sendable, Equatable {
  /// Where reading stopped, counted from 0; nil where the whole document is meant.
  package let offset: Int?
  /// Line and column (in bytes) of `offset`, counted from 1.
  package let line: Int
  package let column: Int
  /// What is wrong, and what was expected there.
  package let why: String

  package init(_ why: String) {
    (offset, line, column) = (nil, 1, 1)
    self.why = why
  }

  package init(_ why: String, at offset: Int, in bytes: [UInt8]) {
    let before = bytes.prefix(offset)
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    self.offset = offset
    line = 1 + before.count { $0 == UInt8(ascii: "\n") }
    column = 1 + before.count - lineStart
    self.why = why
  }

  /// The error as its reader sees it: `networks.d/front.json: line 3, column 7 failed: expected a value, found "}"`.
  package func wireError(in document: String) -> WireError {
    let place = offset == nil ? "" : ": line \(line), column \(column)"
    return WireError(document + place, why)
  }
}
