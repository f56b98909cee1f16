import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// Routes of the host, and of VPNs, that lead elsewhere what belongs to a network's containers.
enum RouteCheck {
  static func findings(
    _ setups: [NetworkSetup], _ route: borrowing NetlinkSocket
  ) throws(WireError) -> [Doctor.Finding] {
    var findings: [Doctor.Finding] = []
    let deadline = Deadline.after(milliseconds: 2000)
    do throws(NetlinkError) {
      let routes = try Self.routes(route, until: deadline)
      for setup in setups where setup.managed {
        let own = route.index(of: setup.link)
        for other in routes where own == nil || other.link != own {
          guard let destination = other.destination, destination.length > 0,
            let subnet = setup.subnets.first(where: { $0.overlaps(destination) })
          else { continue }
          var name: String?
          if let index = other.link { name = try route.link(.index(index), until: deadline)?.name }
          findings.append(finding(setup, subnet, destination, name ?? "another link"))
        }
      }
    } catch {
      throw Hints.explain(error, while: "reading the host's routes")
    }
    if findings.isEmpty, !setups.isEmpty {
      findings.append(Doctor.Finding(.ok, "subnets", "no route of the host overlaps a network's"))
    }
    return findings
  }

  /// Those of every table that a rule leads to: VPNs have tables of their own.
  private static func routes(
    _ route: borrowing NetlinkSocket, until deadline: Deadline
  ) throws(NetlinkError) -> [Route] {
    var routes: [Route] = []
    for family in Family.allCases {
      let tables = try route.rules(family, until: deadline).map(\.table)
      for table in Set(tables + [Route.mainTable]) where table != Route.localTable {
        routes += try route.routes(family, table: table, until: deadline)
      }
    }
    return routes
  }

  private static func finding(
    _ setup: NetworkSetup, _ subnet: Prefix, _ route: Prefix, _ link: String
  ) -> Doctor.Finding {
    let what = "network \(setup.network): subnet \(subnet)"
    let remedy = "give the network another subnet, in networks.d/\(setup.network).json"
    // The longer prefix wins: a wider route only loses the addresses that are the network's.
    guard route.length >= subnet.length else {
      return Doctor.Finding(
        .warning, what, "hides a part of \(route), which the host reaches by \(link) (a VPN?)", remedy)
    }
    return Doctor.Finding(.error, what, "the host's route \(route) leads to \(link), not to the containers", remedy)
  }
}
