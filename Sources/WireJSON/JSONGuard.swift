internal import WireCore

/// What two members of the same name in one object mean.
package enum DuplicateKeys: Sendable {
  /// An error that names the key: our own files.
  case refuse
  /// The last one counts, as in runtimes: their files.
  case lastWins
}

/// Proves that a document is one that json-c reads as it was meant, before json-c sees it.
package enum JSONGuard {
  /// Checks size, depth, grammar, encoding and keys of `bytes`.
  package static func check(
    _ bytes: [UInt8], limits: JSONLimits, duplicates: DuplicateKeys = .lastWins
  ) throws(JSONError) {
    _ = try pass(over: bytes, limits: limits, duplicates: duplicates, finding: [])
  }

  /// Checks the whole document and says where the values at `paths` (names of members, from the top) stand; a path that
  /// leads nowhere gives nil. At most 64 paths.
  static func pass(
    over bytes: [UInt8], limits: JSONLimits, duplicates: DuplicateKeys, finding paths: [[String]]
  ) throws(JSONError) -> [Place?] {
    var scanner = try JSONScanner(bytes, limits: limits)
    var finder = PathFinder(paths)
    var keys = KeyList()
    var budget = Budget(limits)
    while let token = try scanner.next() {
      if paths.isEmpty {
        try budget.see(token, in: scanner)
      } else {
        let isWithin = finder.isWithin
        finder.see(token, in: scanner)
        if isWithin { try budget.see(token, in: scanner) }
      }
      if duplicates == .refuse { try keys.see(token, in: scanner) }
    }
    return finder.found
  }
}

/// What may still become a tree.
private struct Budget {
  private let limits: JSONLimits
  private var values = 0
  private var bytes = 0

  init(_ limits: JSONLimits) { self.limits = limits }

  mutating func see(_ token: JSONScanner.Token, in scanner: JSONScanner) throws(JSONError) {
    switch token.kind {
    case .endObject, .endArray: return
    case .key: break
    case .beginObject, .beginArray, .string, .number, .literal: values += 1
    }
    bytes += token.range.count
    guard values <= limits.values else {
      throw JSONError("expected at most \(limits.values) values", at: token.range.lowerBound, in: scanner.bytes)
    }
    guard bytes <= limits.kept else {
      throw JSONError("expected at most \(limits.kept) bytes of values", at: token.range.lowerBound, in: scanner.bytes)
    }
  }
}

/// Where a value stands. Not a `Range`: an array of these needs no look-up of conformances, which costs a process that
/// does it once more than the whole pass.
struct Place {
  let start: Int
  let end: Int
}

/// The keys of the objects that are open; two of one name in one object are an error at its end.
private struct KeyList {
  private var keys: [(name: String, offset: Int)] = []
  /// Where the keys of each open object begin.
  private var starts: [Int] = []

  mutating func see(_ token: JSONScanner.Token, in scanner: JSONScanner) throws(JSONError) {
    switch token.kind {
    case .beginObject: starts.append(keys.count)
    case .key: keys.append((scanner.text(of: token), token.range.lowerBound))
    case .endObject:
      guard let start = starts.popLast() else { return }
      // Sorted, so that a hostile object with a million keys costs little more than reading it.
      keys[start...].sort { $0.name == $1.name ? $0.offset < $1.offset : $0.name < $1.name }
      for index in keys.indices.dropFirst(start + 1) where keys[index].name == keys[index - 1].name {
        let key = keys[index]
        throw JSONError("expected each key once, found \(key.name.quoted) again", at: key.offset, in: scanner.bytes)
      }
      keys.removeSubrange(start...)
    default: break
    }
  }
}

/// Follows the scanner and notes where the wanted values stand. Sets of paths are bits of a word: no memory a token.
private struct PathFinder {
  private let paths: [[[UInt8]]]
  private(set) var found: [Place?]
  /// For the object at each depth: the paths that its members may go on.
  private var candidates: [UInt64]
  /// The paths whose value comes next, or is open since `start` at `depth`.
  private var pending: UInt64 = 0
  private var open: [(paths: UInt64, start: Int, depth: Int)] = []

  init(_ paths: [[String]]) {
    self.paths = paths.prefix(64).map { $0.map { Array($0.utf8) } }
    found = Array(repeating: nil, count: self.paths.count)
    candidates = Array(repeating: 0, count: 67)
    candidates[1] = self.paths.count == 64 ? .max : 1 << UInt64(self.paths.count) - 1
  }

  /// Whether the next token is of a wanted value.
  var isWithin: Bool { pending != 0 || !open.isEmpty }

  mutating func see(_ token: JSONScanner.Token, in scanner: JSONScanner) {
    switch token.kind {
    case .key:
      guard candidates[token.depth] != 0 else {
        candidates[token.depth + 1] = 0
        return
      }
      follow(token, in: scanner)
    case .beginObject, .beginArray:
      if token.kind == .beginArray { candidates[token.depth + 1] = 0 }
      if pending != 0 { open.append((pending, token.range.lowerBound, token.depth)) }
      pending = 0
    case .endObject, .endArray:
      guard let last = open.last, last.depth == token.depth else { return }
      open.removeLast()
      note(last.paths, Place(start: last.start, end: token.range.upperBound))
    case .string, .number, .literal:
      if pending != 0 { note(pending, Place(start: token.range.lowerBound, end: token.range.upperBound)) }
      pending = 0
    }
  }

  private mutating func follow(_ key: JSONScanner.Token, in scanner: JSONScanner) {
    let text = key.isEscaped ? Array(scanner.text(of: key).utf8) : nil
    let name = text?[...] ?? scanner.bytes[key.range.dropFirst().dropLast()]
    var next: UInt64 = 0
    for (index, path) in paths.enumerated() where candidates[key.depth] & 1 << UInt64(index) != 0 {
      guard path.count >= key.depth, path[key.depth - 1].elementsEqual(name) else { continue }
      if path.count == key.depth { pending |= 1 << UInt64(index) } else { next |= 1 << UInt64(index) }
    }
    candidates[key.depth + 1] = next
  }

  private mutating func note(_ set: UInt64, _ place: Place) {
    for index in paths.indices where set & 1 << UInt64(index) != 0 { found[index] = place }
  }
}
