import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WireOVSDB
import WirePlan

/// Reads the bridges of Open vSwitch with their ports and tunnels.
enum SwitchTopology {
  /// The bridges in the databases that networks and containers name, and in the main file's where it is there. A picture is
  /// wanted most when something is broken: of a database that does not answer nothing is drawn but what is recorded.
  static func read(
    _ configuration: Configuration, _ setups: [NetworkSetup], _ containers: [WiredContainer], until deadline: Deadline
  ) -> [Topology.Bridge] {
    var databases = setups.compactMap { $0.database }
    databases += containers.flatMap { $0.attachment.interfaces.compactMap { $0.switchPort?.database } }
    if case .unix(let path) = configuration.main.ovsDatabase, Files.exists(path) {
      databases.append(configuration.main.ovsDatabase)
    }
    var bridges: [Topology.Bridge] = []
    for database in Set(databases).sorted(by: { $0.description < $1.description }) {
      do throws(OVSDBError) {
        let found = try read(database, until: deadline)
        bridges += found.filter { bridge in !bridges.contains { $0.name == bridge.name } }
      } catch {
        continue
      }
    }
    return bridges
  }

  private static func read(
    _ database: DatabaseAddress, until deadline: Deadline
  ) throws(OVSDBError) -> [Topology.Bridge] {
    let ovs = try OpenVSwitch(database, until: deadline)
    let ports = try ovs.ports(until: deadline)
    return try ovs.bridges(until: deadline).map { row in
      var bridge = Topology.Bridge(name: row.name, kind: .ovs)
      for port in ports where port.bridge == row.name && port.port.name != row.name {
        if let tunnel = Topology.Tunnel(port) {
          bridge.tunnels.append(tunnel)
        } else {
          // Of a bond the members are the links that the host has.
          let names = port.interfaces.count > 1 ? port.interfaces.map { $0.name } : [port.port.name]
          bridge.ports += names.map { Topology.Port(name: $0, vlan: port.port.vlan) }
        }
      }
      return bridge
    }
  }
}

extension Topology.Tunnel {
  fileprivate init?(_ port: AttachedPort) {
    guard let row = port.interfaces.first, let remote = row.options["remote_ip"] else { return nil }
    self.init(
      name: port.port.name, kind: row.type, key: row.options["key"],
      local: row.options["local_ip"].flatMap { IPAddress($0) }, remote: IPAddress(remote))
  }
}
