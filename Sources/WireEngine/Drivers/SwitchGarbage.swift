import WireConfig
import WireCore
import WireLinux
import WireOVSDB
import WirePlan
import WireState

/// Ports in Open vSwitch's database that belong to no container any more. A device that is gone leaves its rows behind,
/// and ovs-vswitchd looks for it again and again.
enum SwitchGarbage {
  /// Finds the ports that carry our mark and are in no record, and unless `dryRun` takes them out; others' are left alone,
  /// whatever state they are in. The caller has the store's lock. A database that does not answer is an error only where
  /// something is recorded of it.
  static func collect(
    dryRun: Bool, besides adopted: [Attachment], on host: borrowing Host
  ) throws(WireError) -> [Garbage.Finding] {
    let recorded = try (adopted + Records.attachments(on: host)).flatMap { $0.interfaces }.filter {
      $0.switchPort != nil
    }
    let known = Set(recorded.map { $0.hostLink.description })
    let needed = Set(recorded.compactMap { $0.switchPort?.database })
    var findings: [Garbage.Finding] = []
    for database in try databases(on: host).union(needed) {
      do throws(OVSDBError) {
        let ovs = try host.switches.at(database, until: host.deadline)
        let orphans = try ovs.ports(until: host.deadline)
          .filter { $0.port.externalIDs[.container] != nil && !known.contains($0.port.name) }
        findings += orphans.map { finding($0) }
        if !dryRun { _ = try ovs.removePorts(orphans.map { $0.port }, until: host.deadline) }
      } catch {
        guard needed.contains(database) else { continue }
        throw Hints.explain(error, while: "looking for ports that are left in Open vSwitch")
      }
    }
    return findings
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
