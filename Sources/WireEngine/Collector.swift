package import WireCore
import WireLinux
import WirePlan
package import WireState

/// Takes back what containers that are gone still hold: a runtime that was killed, a start that failed late, a crash.
package enum Collector {
  /// Whether the container is gone: its process has ended, or the attach that recorded it was cut off.
  package static func isGone(_ record: ContainerRecord, on host: borrowing Host) throws(WireError) -> Bool {
    guard lives(record) else { return true }
    guard record.status != .attached else { return false }
    // Somebody is at it, or was until he was killed.
    guard try host.locks.tryLock(.container(record.id)) else { return false }
    host.locks.unlock(.container(record.id))
    return true
  }

  /// Takes back all of one container, if it is gone; false if it lives. Waits for a process that is at it already.
  package static func releaseIfGone(_ id: String, on host: borrowing Host) throws(WireError) -> Bool {
    guard let record = try record(id, on: host) else { return true }
    guard try isGone(record, on: host) else { return false }
    try host.locks.lock(.container(id), until: host.deadline)
    defer { host.locks.unlock(.container(id)) }
    // It may have been started again while this one waited. Whoever has the lock knows that nobody else is at it: a
    // record that says so was cut off.
    guard let record = try self.record(id, on: host) else { return true }
    guard record.status != .attached || !lives(record) else { return false }
    try release(record, on: host)
    host.log.write(.info, "took back what container \(id) had left")
    return true
  }

  /// Takes back all containers that are gone; the ids of them. One that resists is logged and left.
  package static func releaseAllGone(on host: borrowing Host, except own: String? = nil) throws(WireError) -> [String] {
    let records = try host.read { () throws(StateError) in try host.store.containers() }
    var released: [String] = []
    for record in records where record.id != own {
      do throws(WireError) {
        if try releaseIfGone(record.id, on: host) { released.append(record.id) }
      } catch {
        host.log.write(.error, "taking back container \(record.id): \(error)")
      }
    }
    return released
  }

  /// Takes back all of one container, alive or not, and forgets it. The caller has its lock.
  package static func release(_ record: ContainerRecord, on host: borrowing Host) throws(WireError) {
    // An empty document: the process died between its claims and its plan, before any effect.
    let attachment = record.document.isEmpty ? nil : try Records.attachment(record)
    if let attachment { try Undo.takeBack(attachment, isInhabited: lives(record), on: host) }
    let name = attachment.flatMap { EngineFacts.currentName(of: $0.container) }
    try host.change { () throws(StateError) in
      if let name, name != record.owner {
        try host.store.renameOwner(of: record.id, from: record.owner, to: name)
      }
      _ = try host.store.removeContainer(id: record.id)
    }
    if let attachment { try NetworkInstaller.forgetUnused(after: attachment, on: host) }
  }

  /// Whether the very process that was recorded still runs; for a namespace without one, whether its file still stands
  /// for it.
  static func lives(_ record: ContainerRecord) -> Bool {
    if record.pid == 0, !record.document.isEmpty {
      do {
        guard let path = try Records.attachment(record).container.namespaceFile else { return false }
        let namespace = try NetworkNamespace.open(path: path).identity
        return record.netns == namespace
      } catch {
        return false
      }
    }
    return ProcessIdentity(pid: record.pid, startTime: record.pidStart).isAlive
  }

  private static func record(_ id: String, on host: borrowing Host) throws(WireError) -> ContainerRecord? {
    try host.read { () throws(StateError) in try host.store.container(id: id) }
  }
}
