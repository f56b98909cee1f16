package import WireCore
import WireLinux
import WireNFTables
import WireNetlink
import WirePlan
import WireState

/// Something that was recorded and is not so.
package struct Difference: Sendable, Hashable {
  /// Whose it is: `container web`, `network front`.
  package let subject: String
  /// What is not so: `address 10.210.0.2/16 of eth0 is missing`.
  package let text: String
}

/// Compares what is recorded with the kernel, which is the truth.
package enum Checker {
  /// The differences of one container with the networks that it is on, or of everything.
  package static func check(_ id: String?, on host: borrowing Host) throws(WireError) -> [Difference] {
    let records = try self.records(id, on: host)
    var differences: [Difference] = []
    for marker in try networks(of: id == nil ? nil : records, on: host) {
      differences += try NetworkCheck(try Records.network(marker), marker).differences(on: host)
    }
    for record in records {
      guard try !Collector.isGone(record, on: host) else {
        differences.append(Difference(subject: "container \(record.owner)", text: "it has ended: wirehook gc"))
        continue
      }
      guard record.status == .attached else { continue }
      differences += try ContainerCheck(try Records.attachment(record)).differences(record, on: host)
    }
    return differences
  }

  /// The records that are meant: one by id or name, or all.
  static func records(_ id: String?, on host: borrowing Host) throws(WireError) -> [ContainerRecord] {
    guard let id else { return try host.read { () throws(StateError) in try host.store.containers() } }
    let found = try host.read { () throws(StateError) in
      if let exact = try host.store.container(named: id) { return [exact] }
      return try host.store.containers(idPrefix: id, limit: 2)
    }
    guard found.count == 1 else {
      throw WireError(
        "container \(id.quoted)", found.isEmpty ? "nothing of that id or name is wired" : "several ids begin like this",
        hint: "see: wirehook ls")
    }
    return found
  }

  /// The networks that were set up: those of the records, or all.
  static func networks(
    of records: [ContainerRecord]?, on host: borrowing Host
  ) throws(WireError) -> [NetworkMarker] {
    let markers = try host.read { () throws(StateError) in try host.store.markers() }.filter { $0.bridgeIndex != 0 }
    guard let records else { return markers }
    var names: Set<String> = []
    for record in records where !record.document.isEmpty {
      names.formUnion(try Records.attachment(record).interfaces.map { $0.network })
    }
    return markers.filter { names.contains($0.name) }
  }
}
