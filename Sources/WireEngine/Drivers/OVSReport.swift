import WireCore
import WireLinux
import WireOVSDB
import WirePlan

/// A bridge of Open vSwitch as `wirehook network inspect` shows it.
extension OVSDriver {
  func describe(_ report: inout NetworkReport, on host: borrowing Host) throws(WireError) {
    let setup = report.setup
    do throws(OVSDBError) {
      let ovs = try host.switches.at(setup.databaseAddress(on: host), until: host.deadline)
      let look = try ovs.look(at: setup.bridge.description, container: nil, until: host.deadline)
      guard let bridge = look.bridge else { return }
      report.datapath = bridge.datapathType.isEmpty ? "system" : bridge.datapathType
      for port in try ovs.ports(until: host.deadline) where port.bridge == bridge.name {
        let row = port.interfaces.first
        let state = port.error ?? row?.linkState ?? "not taken up by ovs-vswitchd"
        if let row, let remote = row.options["remote_ip"] {
          report.tunnels.append(
            NetworkReport.Tunnel(
              name: port.port.name, remote: remote, key: row.options["key"] ?? "0", state: state,
              isForeign: port.port.externalIDs[.tunnel] == nil))
        } else {
          let owner = owner(of: port, setup, report.containers.map { $0.container })
          report.ports.append(
            NetworkReport.Port(name: port.port.name, owner: owner, vlan: port.port.vlan, state: state))
        }
      }
    } catch {
      throw Hints.explain(error, while: "looking at bridge \(setup.bridge)")
    }
  }

  private func owner(of port: AttachedPort, _ setup: NetworkSetup, _ containers: [ContainerIdentity]) -> String {
    let marks = port.port.externalIDs
    if let id = marks[.container] {
      let name = containers.first { $0.id == id }?.owner ?? id
      return "\(marks[.interface] ?? "an interface") of \(name)"
    }
    return port.port.name == port.bridge || marks[.network] != nil ? "the host" : NetworkReport.somebodyElse
  }
}
