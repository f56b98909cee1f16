import WireCore

/// The text of /etc/resolv.conf (resolv.conf(5)).
package enum ResolverText {
  /// Begins what we write into a file that was not there.
  private static let heading = "# Written by wirehook.\n"

  /// The addresses of the `nameserver` lines, as they are written: one may have a zone.
  package static func servers(_ bytes: [UInt8]) -> [String] {
    lines(bytes).compactMap { line in
      let words = words(line)
      return words.count > 1 && words[0] == "nameserver" ? words[1] : nil
    }
  }

  /// Whether we wrote the whole file.
  package static func isOurs(_ bytes: [UInt8]) -> Bool { bytes.starts(with: heading.utf8) }

  /// The file with other resolvers or search domains; options and comments stay.
  static func edited(_ bytes: [UInt8], _ settings: ResolverSettings) -> [UInt8] {
    var result: [UInt8] = bytes.isEmpty ? Array(heading.utf8) : []
    for line in lines(bytes) {
      switch words(line).first {
      case "nameserver" where !settings.servers.isEmpty: continue
      case "search" where settings.search != nil, "domain" where settings.search != nil: continue
      default:
        result += line
        result.append(UInt8(ascii: "\n"))
      }
    }
    if let search = settings.search, !search.isEmpty { result += "search \(search.joined(separator: " "))\n".utf8 }
    for server in settings.servers { result += "nameserver \(server)\n".utf8 }
    return result
  }

  private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "\n")) }

  private static func words(_ line: ArraySlice<UInt8>) -> [String] {
    line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
      .prefix(2).map { String(decoding: $0, as: UTF8.self) }
  }
}
