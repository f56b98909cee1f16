import WireCore

/// Two texts as diff(1) -u shows them.
package enum TextDifference {
  fileprivate enum Piece: Equatable {
    case same(String)
    case removed(String)
    case added(String)
  }

  /// Lines around a change that are shown with it.
  private static let context = 3

  package static func unified(_ before: [UInt8]?, _ after: [UInt8]?, path: String) -> String {
    let pieces = compare(lines(before ?? []), lines(after ?? []))
    var text = "--- \(before == nil ? "/dev/null" : path)\n+++ \(after == nil ? "/dev/null" : path)\n"
    for hunk in hunks(pieces) { text += show(pieces, hunk) }
    return text
  }

  /// Lines, each with a mark where the last one has no line feed.
  private static func lines(_ bytes: [UInt8]) -> [String] {
    guard !bytes.isEmpty else { return [] }
    var lines = String(decoding: bytes, as: UTF8.self).splitLines().map { line in
      // Tabs are what people indent with; anything else could make a terminal lie.
      line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).escapingControls() }
        .joined(separator: "\t")
    }
    if bytes.last == UInt8(ascii: "\n") {
      lines.removeLast()
    } else {
      lines[lines.count - 1] += "\n\\ No newline at end of file"
    }
    return lines
  }

  private static func compare(_ old: [String], _ new: [String]) -> [Piece] {
    var pieces: [Piece] = []
    var (row, column) = (0, 0)
    let difference = new.difference(from: old)
    var removed = Set<Int>()
    var inserted = Set<Int>()
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    while row < old.count || column < new.count {
      if removed.contains(row) {
        pieces.append(.removed(old[row]))
        row += 1
      } else if inserted.contains(column) {
        pieces.append(.added(new[column]))
        column += 1
      } else {
        pieces.append(.same(old[row]))
        row += 1
        column += 1
      }
    }
    return pieces
  }

  /// Ranges of pieces: each change with its context, joined where they touch.
  private static func hunks(_ pieces: [Piece]) -> [Range<Int>] {
    var hunks: [Range<Int>] = []
    for (index, piece) in pieces.enumerated() {
      if case .same = piece { continue }
      let range = max(0, index - context)..<min(pieces.count, index + context + 1)
      if let last = hunks.last, last.upperBound >= range.lowerBound {
        hunks[hunks.count - 1] = last.lowerBound..<range.upperBound
      } else {
        hunks.append(range)
      }
    }
    return hunks
  }

  private static func show(_ pieces: [Piece], _ hunk: Range<Int>) -> String {
    var (old, new) = (1, 1)
    for piece in pieces[..<hunk.lowerBound] {
      if piece.isOld { old += 1 }
      if piece.isNew { new += 1 }
    }
    let oldCount = pieces[hunk].count { $0.isOld }
    let newCount = pieces[hunk].count { $0.isNew }
    var text = "@@ -\(oldCount == 0 ? old - 1 : old),\(oldCount) +\(newCount == 0 ? new - 1 : new),\(newCount) @@\n"
    for piece in pieces[hunk] {
      switch piece {
      case .same(let line): text += " \(line)\n"
      case .removed(let line): text += "-\(line)\n"
      case .added(let line): text += "+\(line)\n"
      }
    }
    return text
  }
}

extension TextDifference.Piece {
  fileprivate var isOld: Bool { if case .added = self { false } else { true } }
  fileprivate var isNew: Bool { if case .removed = self { false } else { true } }
}
