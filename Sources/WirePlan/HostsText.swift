import WireCore

/// The text of /etc/hosts (hosts(5)).
enum HostsText {
  /// Ends each line that we write, so that the next edit finds it.
  static let mark = "# wirehook"

  /// The file with `lines` at its end, in place of those of an earlier edit. A line that says something else of the same
  /// names goes: of the container's own names only one on loopback, for the user may have named other addresses so.
  static func edited(_ bytes: [UInt8], _ lines: [HostsLine]) -> [UInt8] {
    let own = Set(lines.filter { $0.isOwn }.flatMap { $0.names })
    let others = Set(lines.filter { !$0.isOwn }.flatMap { $0.names })
    var result: [UInt8] = []
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
      let text = String(decoding: line, as: UTF8.self)
      guard !text.hasSuffix(mark), !isSuperseded(text, own: own, others: others) else { continue }
      result += line
      result.append(UInt8(ascii: "\n"))
    }
    for line in lines {
      result += "\(line.address)\t\(line.names.joined(separator: " "))\t\(mark)\n".utf8
    }
    return result
  }

  private static func isSuperseded(_ line: String, own: Set<String>, others: Set<String>) -> Bool {
    let words = words(line)
    guard words.count > 1, let address = IPAddress(words[0]) else { return false }
    let names = words.dropFirst()
    if names.allSatisfy({ others.contains($0) }) { return true }
    return address.isLoopback && names.allSatisfy { own.contains($0) }
  }

  /// The words before a comment.
  private static func words(_ line: String) -> [String] {
    line.utf8.prefix { $0 != UInt8(ascii: "#") }
      .split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
