import WireCore
package import WireLinux

/// What is recorded of one container.
package struct ContainerRecord: Sendable, Hashable {
  package enum Status: Int64, Sendable, Hashable {
    /// Recorded, and something in the kernel may exist.
    case attaching
    case attached
    case detaching
  }

  package var id: String
  /// The engine's name for it; names may repeat.
  package var name: String?
  /// What addresses and chosen ports are remembered by: the name, else the id.
  package var owner: String
  package var bundle: String
  package var runtime: String
  package var pid: Int32
  /// Field 22 of `/proc/PID/stat`, in clock ticks since boot: with it a pid that was reused is told apart.
  package var pidStart: UInt64
  package var netns: NamespaceIdentity
  package var status: Status
  /// Seconds since 1970.
  package var created: Int64
  /// The resolved attachment as JSON; nothing here reads it.
  package var document: String

  package init(
    id: String, name: String?, bundle: String, runtime: String, pid: Int32, pidStart: UInt64, netns: NamespaceIdentity,
    status: Status, created: Int64, document: String
  ) {
    self.id = id
    self.name = name
    owner = name ?? id
    self.bundle = bundle
    self.runtime = runtime
    self.pid = pid
    self.pidStart = pidStart
    self.netns = netns
    self.status = status
    self.created = created
    self.document = document
  }
}

extension Store {
  /// Records a container; one with that id is overwritten and keeps what it holds.
  ///
  /// Two statements, of which a new container needs the first alone: `ON CONFLICT` takes three times as long to compile.
  package func record(_ container: ContainerRecord) throws(StateError) {
    let values: [Value] = [
      .text(container.id), .optional(container.name), .text(container.owner), .text(container.bundle),
      .text(container.runtime), .integer(Int64(container.pid)), .unsigned(container.pidStart),
      .unsigned(container.netns.device), .unsigned(container.netns.inode), .integer(container.status.rawValue),
      .integer(container.created), .text(container.document),
    ]
    do throws(StateError) {
      try database.run("INSERT INTO container VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    } catch {
      guard error.kind == .refused else { throw error }
      let changed = try database.run(
        """
        UPDATE container SET name = ?2, owner = ?3, bundle = ?4, runtime = ?5, pid = ?6, pid_start = ?7,
          netns_device = ?8, netns_inode = ?9, status = ?10, created = ?11, document = ?12 WHERE id = ?1
        """, values)
      guard changed > 0 else { throw error }
    }
  }

  /// Writes a container's document. False if there is no such container.
  @discardableResult
  package func setDocument(_ document: String, of id: String) throws(StateError) -> Bool {
    try database.run("UPDATE container SET document = ? WHERE id = ?", [.text(document), .text(id)]) > 0
  }

  /// False if there is no such container.
  @discardableResult
  package func updateStatus(_ status: ContainerRecord.Status, of id: String) throws(StateError) -> Bool {
    try database.run("UPDATE container SET status = ? WHERE id = ?", [.integer(status.rawValue), .text(id)]) > 0
  }

  package func container(id: String) throws(StateError) -> ContainerRecord? {
    try database.first("SELECT * FROM container WHERE id = ?", [.text(id)], Self.container)
  }

  /// The container with exactly this id, else the newest of those with this name.
  package func container(named name: String) throws(StateError) -> ContainerRecord? {
    if let container = try container(id: name) { return container }
    return try database.first(
      "SELECT * FROM container WHERE name = ? ORDER BY created DESC, rowid DESC LIMIT 1", [.text(name)], Self.container)
  }

  /// The containers whose ids begin with `prefix`, at most `limit`: with 2, one result means that it is unique.
  package func containers(idPrefix prefix: String, limit: Int = 2) throws(StateError) -> [ContainerRecord] {
    guard !prefix.isEmpty else { return [] }
    // No byte of UTF-8 is 0xff, so this is above every text with the prefix and below all that come after.
    let end = Array(prefix.utf8) + [0xff]
    return try database.all(
      "SELECT * FROM container WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
      [.text(prefix), .rawText(end), .integer(Int64(limit))], Self.container)
  }

  /// The newest container with that namespace. Asked at each start, and nearly always of one that nobody has: the id
  /// alone is a shorter statement.
  package func container(netns: NamespaceIdentity) throws(StateError) -> ContainerRecord? {
    let id = try database.first(
      "SELECT id FROM container WHERE netns_inode = ? AND netns_device = ? ORDER BY rowid DESC LIMIT 1",
      [.unsigned(netns.inode), .unsigned(netns.device)]
    ) { row throws(StateError) in try row.text(0) }
    guard let id else { return nil }
    return try container(id: id)
  }

  /// The id of another container whose document holds both texts.
  package func container(
    besides id: String, holding one: String, and other: String
  ) throws(StateError) -> String? {
    try database.first(
      "SELECT id FROM container WHERE id <> ? AND instr(document, ?) > 0 AND instr(document, ?) > 0 LIMIT 1",
      [.text(id), .text(one), .text(other)]
    ) { row throws(StateError) in try row.text(0) }
  }

  /// All of them, oldest first.
  package func containers() throws(StateError) -> [ContainerRecord] {
    try database.all("SELECT * FROM container ORDER BY created, rowid", [], Self.container)
  }

  /// Lets a container that was renamed find its addresses and chosen ports again under its new name.
  package func renameOwner(of id: String, from old: String, to new: String) throws(StateError) {
    try database.run("UPDATE lease SET owner = ? WHERE container = ?", [.text(new), .text(id)])
    try database.run("UPDATE OR REPLACE chosen_port SET owner = ? WHERE owner = ?", [.text(new), .text(old)])
  }

  /// Forgets a container, with its links and ports; its leases become free, remembered for their owner, as its chosen
  /// ports are. False if there is no such container.
  @discardableResult
  package func removeContainer(id: String) throws(StateError) -> Bool {
    try freeLeases(of: id)
    return try database.run("DELETE FROM container WHERE id = ?", [.text(id)]) > 0
  }

  private static func container(_ row: Row) throws(StateError) -> ContainerRecord {
    guard let status = ContainerRecord.Status(rawValue: try row.integer(9)) else {
      throw row.unexpected(9, "a status")
    }
    var container = ContainerRecord(
      id: try row.text(0), name: try row.optionalText(1), bundle: try row.text(3), runtime: try row.text(4),
      pid: try row.integer(5, as: Int32.self), pidStart: try row.unsigned(6),
      netns: NamespaceIdentity(device: try row.unsigned(7), inode: try row.unsigned(8)), status: status,
      created: try row.integer(10), document: try row.text(11))
    container.owner = try row.text(2)
    return container
  }
}
