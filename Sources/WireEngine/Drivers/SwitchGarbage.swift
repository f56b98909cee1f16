import WireConfig
import WireCore
import WireLinux
import WireOVSDB
import WirePlan
import WireState

/// Ports in Open vSwitch's database that belong to no container any more. A device that is gone leaves its rows behind,
/// and ovs-vswitchd looks for it again and again.
enum SwitchGarbage {
  /// The ports of every database that answers. One that does not is an error only where something is recorded of it.
  static func look(on host: borrowing Host) throws(WireError) -> [DatabaseAddress: [AttachedPort]] {
    let needed = try Set(Records.attachments(on: host).flatMap { $0.interfaces }.compactMap { $0.switchPort?.database })
    var found: [DatabaseAddress: [AttachedPort]] = [:]
    for database in try databases(on: host).union(needed) {
      do throws(OVSDBError) {
        found[database] = try host.switches.ports(database, until: host.deadline.leavingTimeToUndo)
      } catch {
        guard needed.contains(database) else { continue }
        throw Hints.explain(error, while: "looking for ports that are left in Open vSwitch")
      }
    }
    return found
  }

  /// The flows of ours on bridges that are recorded or configured, or have ports of ours.
  static func lookForFlows(
    besides ports: [DatabaseAddress: [AttachedPort]], on host: borrowing Host
  ) throws(WireError) -> [SwitchSenders.Place: Set<UInt64>] {
    let needed = try Set(
      Records.attachments(on: host).flatMap { $0.interfaces }.compactMap { $0.switchSenderCheck }.map {
        SwitchSenders.Place($0)
      })
    var places = needed
    for (database, ports) in ports {
      let known = try bridges(of: database, on: host)
      let own = ports.filter { $0.port.externalIDs[.container] != nil || known.contains($0.bridge) }.map { $0.bridge }
      for bridge in Set(own) {
        if let name = InterfaceName(bridge) { places.insert(SwitchSenders.Place(database, name)) }
      }
    }
    return try SwitchSenders.look(at: places, needed: needed, on: host)
  }

  /// Of `ports`, finds those that carry our mark and are in no record, and unless `dryRun` takes them out; others' are left
  /// alone, whatever state they are in. No lock is needed: a port's record comes before it and goes after it, so one that
  /// was there when the records are read is in them or nobody's; and what is taken out is the row that was seen.
  static func collect(
    _ ports: [DatabaseAddress: [AttachedPort]], dryRun: Bool, besides adopted: [Attachment], on host: borrowing Host
  ) throws(WireError) -> [Garbage.Finding] {
    let recorded = try (adopted + Records.attachments(on: host)).flatMap { $0.interfaces }
    let known = Set(recorded.map { $0.hostLink.description })
    var findings: [Garbage.Finding] = []
    for (database, ports) in ports {
      let orphans = ports.filter { $0.port.externalIDs[.container] != nil && !known.contains($0.port.name) }
      findings += orphans.map { finding($0) }
      guard !dryRun, !orphans.isEmpty else { continue }
      do throws(OVSDBError) {
        let ovs = try host.switches.at(database, until: host.deadline)
        _ = try ovs.removePorts(orphans.map { $0.port }, until: host.deadline)
      } catch {
        throw Hints.explain(error, while: "taking out ports that are left in Open vSwitch")
      }
    }
    return findings
  }

  /// The bridges of one database that the configuration knows, and those of networks that stand.
  private static func bridges(of database: DatabaseAddress, on host: borrowing Host) throws(WireError) -> Set<String> {
    var found: Set<String> = []
    for name in try host.configuration.networkNames() {
      guard let network = try? host.configuration.network(named: name), network.driver == .ovs,
        network.ovs.database ?? host.main.ovsDatabase == database
      else { continue }
      found.insert(network.bridge.description)
    }
    for marker in try host.read({ () throws(StateError) in try host.store.markers() }) where marker.bridgeIndex != 0 {
      let setup = try Records.network(marker)
      if setup.driver == .ovs, setup.databaseAddress(on: host) == database { found.insert(setup.bridge.description) }
    }
    return found
  }

  /// The databases that the configuration knows, and those of networks that stand.
  static func databases(on host: borrowing Host) throws(WireError) -> Set<DatabaseAddress> {
    var found: Set<DatabaseAddress> = [host.main.ovsDatabase]
    for name in try host.configuration.networkNames() {
      // A file that cannot be read is for `config check` to say.
      guard let network = try? host.configuration.network(named: name) else { continue }
      if let database = network.ovs.database { found.insert(database) }
    }
    for marker in try host.read({ () throws(StateError) in try host.store.markers() }) where marker.bridgeIndex != 0 {
      if let database = try Records.network(marker).database { found.insert(database) }
    }
    return found
  }

  private static func finding(_ port: AttachedPort) -> Garbage.Finding {
    let owner = port.port.externalIDs[.container] ?? ""
    return Garbage.Finding(
      kind: .port, name: port.port.name,
      detail: "bridge \(port.bridge), of container \(owner)"
        + (port.error.map { ": \($0)" } ?? ""))
  }
}
