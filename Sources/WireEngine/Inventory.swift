internal import Glibc
import WireConfig
package import WireCore
import WireLinux
package import WirePlan
import WireState

/// One wired container, as people ask for it.
package struct WiredContainer: Sendable {
  package enum Status: String, Sendable {
    /// Everything was made, and the container lives.
    case attached
    /// A hook is at it, or was until it was killed.
    case attaching
    /// Its process has ended and nobody has taken its network back: `gc` does.
    case gone
  }

  package var attachment: Attachment
  package var runtime: String
  package var bundle: String
  package var pid: Int32
  /// The inode of its network namespace, as in `/proc/PID/ns/net`.
  package var netns: UInt64
  package var status: Status
  /// Seconds since 1970.
  package var created: Int64

  package init(
    attachment: Attachment, runtime: String, bundle: String, pid: Int32, netns: UInt64, status: Status, created: Int64
  ) {
    self.attachment = attachment
    self.runtime = runtime
    self.bundle = bundle
    self.pid = pid
    self.netns = netns
    self.status = status
    self.created = created
  }
}

/// Reads what is recorded, without changing anything.
package enum Inventory {
  /// All containers, oldest first.
  package static func all(_ configuration: Configuration) throws(WireError) -> [WiredContainer] {
    let records = try read(configuration) { (store) throws(StateError) in try store.containers() } ?? []
    var containers: [WiredContainer] = []
    for record in records where !record.document.isEmpty { containers.append(try container(record)) }
    return containers
  }

  /// The one container that a person means: by id, by name, or by the beginning of its id.
  package static func find(_ text: String, _ configuration: Configuration) throws(WireError) -> WiredContainer {
    let exact = try read(configuration) { (store) throws(StateError) in try store.container(id: text) }
    if let record = exact.flatMap({ $0 }) { return try container(record) }
    // By name it is the newest that has the name now: engines rename, and no hook is told.
    if let named = try all(configuration).last(where: { $0.attachment.container.name == text }) { return named }
    let found = try read(configuration) { (store) throws(StateError) in
      try store.containers(idPrefix: text, limit: 5)
    }
    guard let record = found?.first else {
      throw WireError("container \(text.quoted)", "nothing of that id or name is wired", hint: "see: wirehook ls")
    }
    guard found?.count == 1 else {
      let ids = (found ?? []).map { $0.id }.joined(separator: ", ")
      throw WireError("container \(text.quoted)", "several ids begin like this: \(ids)", hint: "give more of the id")
    }
    return try container(record)
  }

  private static func container(_ record: ContainerRecord) throws(WireError) -> WiredContainer {
    let isAlive = Collector.lives(record)
    let status: WiredContainer.Status = isAlive ? (record.status == .attached ? .attached : .attaching) : .gone
    var attachment = try Records.attachment(record)
    if let name = EngineFacts.currentName(of: attachment.container) { attachment.container.name = name }
    return WiredContainer(
      attachment: attachment, runtime: record.runtime, bundle: record.bundle, pid: record.pid,
      netns: record.netns.inode, status: status, created: record.created)
  }

  static func read<Result>(
    _ configuration: Configuration, _ body: (borrowing Store) throws(StateError) -> Result
  ) throws(WireError) -> Result? {
    let directory = configuration.main.stateDirectory
    let boot: String
    do throws(SystemError) {
      boot = try ProcessIdentity.bootID()
    } catch {
      throw Hints.explain(error, while: "reading the boot id")
    }
    do throws(StateError) {
      guard let store = try Store.openForReading(directory: directory, bootID: boot) else { return nil }
      return try body(store)
    } catch {
      throw Hints.explain(error, in: directory)
    }
  }
}
