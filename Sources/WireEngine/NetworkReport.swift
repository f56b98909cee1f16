import WireConfig
package import WireCore
import WireLinux
import WireNetlink
import WireOVSDB
package import WirePlan
import WireState

/// One network as people ask for it: what its file or its record says, and what the host has of it.
package struct NetworkReport: Sendable {
  /// A port of the bridge.
  package struct Port: Sendable {
    package var name: String
    /// `eth0 of web`, `the host`, `somebody else`.
    package var owner: String
    package var vlan: VLANMembership?
    /// `up`, `down`, or what the kernel or Open vSwitch says against it.
    package var state: String
  }

  /// A way to another host.
  package struct Tunnel: Sendable {
    package var name: String
    package var remote: String
    /// The VNI, or `flow`.
    package var key: String
    package var state: String
    /// Made by somebody else, and never touched.
    package var isForeign: Bool
  }

  /// The owner of what wirehook did not make.
  package static let somebodyElse = "somebody else"

  package var name: String
  package var setup: NetworkSetup
  /// Whether it was set up on this host, and its bridge is there.
  package var stands: Bool
  /// `system` or `netdev`; nil: a Linux bridge.
  package var datapath: String?
  package var ports: [Port] = []
  package var tunnels: [Tunnel] = []
  /// Those on it now.
  package var containers: [(container: ContainerIdentity, interface: AttachedInterface)] = []
}

extension NetworkReport {
  /// All networks that are configured or stand, by name.
  package static func all(on host: borrowing Host) throws(WireError) -> [NetworkReport] {
    var setups: [String: NetworkSetup] = [:]
    var standing: Set<String> = []
    for marker in try host.read({ () throws(StateError) in try host.store.markers() }) {
      setups[marker.name] = try Records.network(marker)
      if marker.bridgeIndex != 0 { standing.insert(marker.name) }
    }
    let ipv6 = try NetworkChoice.hasIPv6()
    for name in try host.configuration.networkNames() where setups[name] == nil {
      if let network = try host.configuration.network(named: name) { setups[name] = NetworkSetup(network, ipv6: ipv6) }
    }
    let attachments = try Records.attachments(on: host)
    var reports: [NetworkReport] = []
    for (name, setup) in setups.sorted(by: { $0.key < $1.key }) {
      var report = NetworkReport(
        name: name, setup: setup, stands: standing.contains(name) && host.route.index(of: setup.link) != nil)
      report.containers = attachments.flatMap { attachment in
        attachment.interfaces.filter { $0.network == name }.map { (attachment.container, $0) }
      }
      reports.append(report)
    }
    return reports
  }

  /// One network with its ports and tunnels.
  package static func of(_ name: String, on host: borrowing Host) throws(WireError) -> NetworkReport {
    var report = try find(name, on: host)
    try report.setup.driver.driver.describe(&report, on: host)
    return report
  }

  /// One network, without what has to be asked of its driver.
  static func find(_ name: String, on host: borrowing Host) throws(WireError) -> NetworkReport {
    let reports = try all(on: host)
    if let report = reports.first(where: { $0.name == name }) { return report }
    let near = Spelling.nearest(to: name, in: reports.map { $0.name }).map { "did you mean \($0)?" }
    throw WireError("network \(name.quoted)", "there is no such network", hint: near ?? "see: wirehook network ls")
  }
}
