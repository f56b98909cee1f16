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

  /// Whether a legacy filter table of the family is there. An accept for a single container is not written into it.
  package static func drops(_ family: Family) -> Bool {
    do throws(SystemError) { return try hasFilterTable(family) } catch { return false }
  }

  /// Whether they stand, or there is no such chain.
  package static func accepts(_ bridge: InterfaceName, until deadline: Deadline) throws(SystemError) -> Bool {
    try apply(Int32(CLINUX_LEGACY_TEST), bridge, until: deadline) == 0
  }

  private static func apply(
    _ action: Int32, _ bridge: InterfaceName, until deadline: Deadline
  ) throws(SystemError) -> Int32 {
    var count: Int32 = 0
    for family in Family.allCases where try hasFilterTable(family) {
      let lock = try lock(until: deadline)
      let domain = family == .ipv4 ? AF_INET : AF_INET6
      let changed = clinux_legacy_accept(domain, DockerUser.chain, bridge.description, DockerUser.comment, action)
      guard changed >= 0 else { throw SystemError("setsockopt", errno) }
      count += changed
      _ = consume lock
    }
    return count
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
