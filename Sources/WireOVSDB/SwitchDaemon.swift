internal import Glibc
package import WireCore
internal import WireJSON
package import WireLinux

/// ovs-vswitchd by its control socket, as ovs-appctl(8) speaks to it: JSON-RPC like that of the database, with a command for
/// a method, words for parameters and a text for a result.
package final class SwitchDaemon {
  /// Where Open vSwitch's packages let it put its files.
  package static let standardFolder = "/var/run/openvswitch"

  private let connection: OVSDBConnection

  /// The folder in which the daemon of a database has its files: a database elsewhere has none on this host.
  package static func folder(of database: DatabaseAddress) -> String {
    guard case .unix(let path) = database, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      return standardFolder
    }
    return String(path[..<slash])
  }

  package init(of database: DatabaseAddress, until deadline: Deadline) throws(OVSDBError) {
    connection = try OVSDBConnection(.unix(path: Self.socket(of: database)), until: deadline)
  }

  /// The socket's name has the daemon's process number in it, unless it was started with `--unixctl`.
  package static func socket(of database: DatabaseAddress) throws(OVSDBError) -> String {
    let folder = folder(of: database)
    let file = "\(folder)/ovs-vswitchd.pid"
    let text: String
    do throws(SystemError) {
      text = String(decoding: try Files.read(file, limit: 64), as: UTF8.self)
    } catch {
      throw OVSDBError(.unix(path: file), "looking for ovs-vswitchd", error.errno == ENOENT ? .missing : .system(error))
    }
    let pid = text.prefix { $0.isASCII && $0.isNumber }
    let numbered = "\(folder)/ovs-vswitchd.\(pid).ctl"
    let plain = "\(folder)/ovs-vswitchd.ctl"
    let path = Files.exists(numbered) || !Files.exists(plain) ? numbered : plain
    guard path.utf8.count <= DatabaseAddress.pathLimit else {
      throw OVSDBError(.unix(path: path), "looking for ovs-vswitchd", .missing)
    }
    return path
  }

  /// What the daemon answers to `ovs-appctl COMMAND WORDS`.
  package func run(_ command: String, _ words: [String], until deadline: Deadline) throws(OVSDBError) -> String {
    let request = try connection.send(command, words.map { .string($0) }, count: 1, for: command, until: deadline)
    let reply = try connection.reply(to: request, until: deadline)
    if case .string(let refusal)? = reply["error"] {
      throw OVSDBError(
        connection.address, command, .rejected(refusal.split(separator: "\n").first.map(String.init) ?? ""))
    }
    guard case .string(let text)? = reply["result"] else {
      throw OVSDBError(connection.address, command, .garbage("a reply without a text"))
    }
    return text
  }
}
