import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// What fills up: tracked connections, ports of a bridge, the queue that broadcasts pass.
enum LimitCheck {
  /// The kernel's own (BR_MAX_PORTS less the one it keeps).
  private static let ports = 1023

  static func findings(
    _ setups: [NetworkSetup], _ route: borrowing NetlinkSocket
  ) throws(WireError) -> [Doctor.Finding] {
    var findings = conntrack()
    let backlog = number("net", "core", "netdev_max_backlog") ?? 1000
    for setup in setups where setup.database == nil {
      guard let index = route.index(of: setup.bridge) else { continue }
      let count: Int
      do throws(NetlinkError) {
        count = try route.links(master: index, until: .after(milliseconds: 2000)).count
      } catch {
        throw Hints.explain(error, while: "listing the ports of bridge \(setup.bridge)")
      }
      let what = "bridge \(setup.bridge)"
      if count >= ports {
        findings.append(
          Doctor.Finding(.error, what, "has all the \(ports) ports that the kernel gives one", "use another network"))
      } else if count + 50 >= backlog {
        // Each port takes its copy of a broadcast from the same queue.
        findings.append(
          Doctor.Finding(
            .warning, what, "with \(count) ports broadcasts (ARP) get lost: net.core.netdev_max_backlog is \(backlog)",
            "sysctl -w net.core.netdev_max_backlog=4096"))
      } else if count >= ports - 100 {
        findings.append(
          Doctor.Finding(.warning, what, "\(count) of the \(ports) ports are taken", "use another network soon"))
      }
    }
    return findings
  }

  private static func conntrack() -> [Doctor.Finding] {
    guard let count = number("net", "netfilter", "nf_conntrack_count"),
      let limit = number("net", "netfilter", "nf_conntrack_max"), limit > 0
    else { return [] }
    let what = "nf_conntrack"
    let share = "\(count) of \(limit) connections"
    guard count > limit - limit / 5 else { return [Doctor.Finding(.ok, what, share)] }
    return [
      Doctor.Finding(
        count >= limit - limit / 50 ? .error : .warning, what, "\(share): when it is full, new ones are dropped",
        "sysctl -w net.netfilter.nf_conntrack_max=\(limit > Int.max / 2 ? limit : limit * 2)")
    ]
  }

  private static func number(_ parts: String...) -> Int? {
    (try? Sysctl(path: parts).read()).flatMap { DecimalNumber.parse($0, upTo: UInt64(UInt32.max)) }.map { Int($0) }
  }
}
