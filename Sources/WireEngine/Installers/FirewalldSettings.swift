internal import Glibc
package import WireCore
package import WireLinux
import WireNFTables

/// What firewalld.conf says that concerns us.
package struct FirewalldSettings: Sendable, Hashable {
  /// `StrictForwardPorts=yes` (firewalld 2.3 and newer): it lets pass what its own forward ports translate and nothing else
  /// that was translated, ports that container engines publish included. Whoever sets it means it.
  package var isStrict = false

  static let path = "/etc/firewalld/firewalld.conf"
  static let strictness =
    "StrictForwardPorts=yes in \(path): published ports do not answer, but for those that are forward ports of firewalld's too"

  /// Every attach that publishes reads this file, mostly comments: by bytes, it costs a fiftieth of what it does by characters.
  package init(bytes: [UInt8]) {
    let key = Array("StrictForwardPorts".utf8)
    for line in bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      let line = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
      guard line.starts(with: key) else { continue }
      let parts = String(decoding: line, as: UTF8.self).split(separator: "=", maxSplits: 1)
        .map { $0.filter { !$0.isWhitespace } }
      guard parts.count == 2, parts[0] == "StrictForwardPorts" else { continue }
      isStrict = ["yes", "true"].contains(parts[1].lowercased())
    }
  }

  /// Of a host without the file: the defaults.
  static func read(root: String = "") throws(WireError) -> FirewalldSettings {
    do throws(SystemError) {
      return FirewalldSettings(bytes: try Files.read(root + path, limit: 1 << 20))
    } catch {
      guard error.errno == ENOENT else { throw Hints.explain(error, while: "reading \(root + path)") }
      return FirewalldSettings(bytes: [])
    }
  }

  /// Refuses to publish where firewalld is at work and is set to let no such port pass: it would look published and never
  /// answer. Where firewalld.conf is not there, one open(2).
  package static func admitPublishing(until deadline: Deadline) throws(WireError) {
    guard try read().isStrict, try isAtWork(until: deadline) else { return }
    throw WireError(
      "publishing ports", "firewalld has \(strictness)",
      hint: "set StrictForwardPorts=no and run firewall-cmd --reload, or leave wirehook.ports out")
  }

  /// Whether firewalld filters in this network namespace: its file may be there without it.
  static func isAtWork(until deadline: Deadline) throws(WireError) -> Bool {
    do throws(NFTablesError) {
      return try FirewallSocket().hasTable(named: "firewalld", deadline: deadline.moment)
    } catch {
      throw Hints.explain(error, while: "looking for firewalld's table")
    }
  }
}
