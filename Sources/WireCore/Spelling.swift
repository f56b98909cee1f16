/// Finds what somebody may have meant to type.
package enum Spelling {
  /// The known word nearest to `word`, if it is near enough that it may be meant: at most a third of it differs.
  package static func nearest(to word: String, in known: some Sequence<String>) -> String? {
    let wanted = Array(word.utf8.prefix(64))
    var best: (word: String, distance: Int)?
    for candidate in known {
      let distance = distance(wanted, Array(candidate.utf8.prefix(64)))
      if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    guard let best, best.distance <= max(1, wanted.count / 3) else { return nil }
    return best.word
  }

  /// Levenshtein's distance, a swap of neighbours counted as one (optimal string alignment).
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var before: [Int] = []
    var previous = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      for column in right.indices {
        var cost = min(
          previous[column] + (left[row] == right[column] ? 0 : 1), min(previous[column + 1], current[column]) + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          cost = min(cost, before[column - 1] + 1)
        }
        current.append(cost)
      }
      before = previous
      previous = current
    }
    return previous[right.count]
  }
}
