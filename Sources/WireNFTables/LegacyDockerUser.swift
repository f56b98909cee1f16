internal import CLinux
internal import Glibc
package import WireCore
package import WireLinux

/// The chain DOCKER-USER in the tables of iptables-legacy, which the kernel keeps apart from nf_tables: a packet has to be
/// accepted by both. See `DockerUser`.
package enum LegacyDockerUser {
  /// Makes sure that the chain accepts what comes from `bridge` and what goes to it; without the chain, nothing.
  package static func admit(_ bridge: InterfaceName, until deadline: Deadline) throws(SystemError) {
    _ = try apply(Int32(CLINUX_LEGACY_ADD), bridge, until: deadline)
  }

  /// Takes the two rules out again.
  package static func remove(_ bridge: InterfaceName, until deadline: Deadline) throws(SystemError) {
    _ = try apply(Int32(CLINUX_LEGACY_REMOVE), bridge, until: deadline)
  }

  /// Whether they stand, or there is no such chain.
  package static func accepts(_ bridge: InterfaceName, until deadline: Deadline) throws(SystemError) -> Bool {
    try apply(Int32(CLINUX_LEGACY_TEST), bridge, until: deadline) == 0
  }

  /// The same of what was translated to one container on a bridge of Docker's own, and of nothing else that goes there.
  package static func admit(
    _ target: IPAddress, on bridge: InterfaceName, until deadline: Deadline
  ) throws(SystemError) {
    _ = try apply(Int32(CLINUX_LEGACY_ADD), target, bridge, until: deadline)
  }

  package static func remove(
    _ target: IPAddress, on bridge: InterfaceName, until deadline: Deadline
  ) throws(SystemError) {
    _ = try apply(Int32(CLINUX_LEGACY_REMOVE), target, bridge, until: deadline)
  }

  package static func accepts(
    _ target: IPAddress, on bridge: InterfaceName, until deadline: Deadline
  ) throws(SystemError) -> Bool {
    try apply(Int32(CLINUX_LEGACY_TEST), target, bridge, until: deadline) == 0
  }

  /// How many of the rules were changed, or are missing.
  private static func apply(
    _ action: Int32, _ bridge: InterfaceName, until deadline: Deadline
  ) throws(SystemError) -> Int32 {
    var count: Int32 = 0
    for family in Family.allCases where try hasFilterTable(family) {
      let lock = try lock(until: deadline)
      count += try apply(action, family, in: bridge, DockerUser.comment)
      count += try apply(action, family, out: bridge, DockerUser.comment)
      _ = consume lock
    }
    return count
  }

  private static func apply(
    _ action: Int32, _ target: IPAddress, _ bridge: InterfaceName, until deadline: Deadline
  ) throws(SystemError) -> Int32 {
    guard try hasFilterTable(target.family) else { return 0 }
    let lock = try lock(until: deadline)
    let comment = DockerUser.comment(target, bridge)
    let changed = try apply(action, target.family, out: bridge, destination: target.bytes, comment)
    _ = consume lock
    return changed
  }

  private static func apply(
    _ action: Int32, _ family: Family, in incoming: InterfaceName? = nil, out outgoing: InterfaceName? = nil,
    destination: [UInt8]? = nil, _ comment: String
  ) throws(SystemError) -> Int32 {
    let changed = withCString(incoming) { incoming in
      withCString(outgoing) { outgoing in
        comment.withCString { comment in
          func change(_ destination: UnsafePointer<UInt8>?) -> Int32 {
            var rule = clinux_legacy_rule(in: incoming, out: outgoing, destination: destination, comment: comment)
            return clinux_legacy_accept(
              family == .ipv4 ? AF_INET : AF_INET6, DockerUser.chain, &rule, action)
          }
          return destination?.withUnsafeBufferPointer { change($0.baseAddress) } ?? change(nil)
        }
      }
    }
    guard changed >= 0 else { throw SystemError("setsockopt", errno) }
    return changed
  }

  private static func withCString(_ name: InterfaceName?, _ body: (UnsafePointer<CChar>?) -> Int32) -> Int32 {
    name?.description.withCString(body) ?? body(nil)
  }

  /// Asking the table itself would make it.
  static func hasFilterTable(_ family: Family) throws(SystemError) -> Bool {
    let path = "/proc/thread-self/net/ip\(family == .ipv4 ? "" : "6")_tables_names"
    do throws(SystemError) {
      return try Files.read(path, limit: 4096).split(separator: UInt8(ascii: "\n")).contains {
        $0.elementsEqual("filter".utf8)
      }
    } catch {
      guard error.errno == ENOENT else { throw error }
      return false
    }
  }

  /// The lock that iptables-legacy takes for as long as it reads and replaces a table.
  private static func lock(until deadline: Deadline) throws(SystemError) -> Descriptor {
    let path = "/run/xtables.lock"
    let file = try Descriptor.open(path, O_RDONLY | O_CREAT | O_NOFOLLOW, mode: 0o600)
    while flock(file.raw, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw SystemError("flock", errno, path: path) }
      guard !deadline.isOver else {
        throw SystemError("flock", ETIMEDOUT, path: path, reason: "another program holds the lock of iptables")
      }
      usleep(2000)
    }
    return file
  }
}
