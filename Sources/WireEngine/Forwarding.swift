internal import Glibc
import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// Switches on what lets packets pass through this host, if it is off.
enum Forwarding {
  static func enable(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) {
    do throws(SystemError) {
      for family in setup.families {
        switch family {
        case .ipv4: try enableIPv4()
        case .ipv6: try enableIPv6(on: host)
        }
      }
    } catch {
      throw Hints.explain(error, while: "switching on forwarding for network \(setup.network)")
    }
  }

  private static func enableIPv4() throws(SystemError) {
    let forward = Sysctl("net", "ipv4", "ip_forward")
    if try forward.read() != "1" { try forward.write("1") }
  }

  /// A host that forwards no longer believes router advertisements where accept_ra is 1, and would lose its own default
  /// route minutes later: there it becomes 2 ("even if forwarding", ip-sysctl.rst) first. Elsewhere it stays.
  private static func enableIPv6(on host: borrowing Host) throws(SystemError) {
    let forward = Sysctl("net", "ipv6", "conf", "all", "forwarding")
    guard try forward.read() != "1" else { return }
    for link in try Files.list("/proc/sys/net/ipv6/conf") where link != "all" {
      let accept = Sysctl("net", "ipv6", "conf", link, "accept_ra")
      do throws(SystemError) {
        if try accept.read() == "1" { try accept.write("2") }
      } catch {
        // A link may go while the list is read.
        guard error.errno == ENOENT else { throw error }
      }
    }
    try forward.write("1")
  }
}
