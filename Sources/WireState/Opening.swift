import WireCore

/// What a file turns out to be when it is opened.
enum Condition: Equatable {
  /// Tables of this version, records of this boot.
  case current
  /// Tables of this version, records of an earlier boot.
  case earlierBoot
  /// Tables of an earlier version.
  case earlierVersion(Int64)
  /// No tables at all.
  case empty
}

extension Store {
  /// Looks at version, tables and boot id; changes nothing.
  func condition(_ bootID: String) throws(StateError) -> Condition {
    let application = try pragma("PRAGMA application_id")
    let version = try pragma("PRAGMA user_version")
    guard application == Schema.application else {
      guard application == 0, version == 0,
        try database.first("SELECT 1 FROM sqlite_schema LIMIT 1", [], { _ in }) == nil
      else { throw StateError(.foreign, "\(database.path): a database of another program, not of wirehook") }
      return .empty
    }
    guard version <= Schema.version else {
      throw StateError(
        .newer(version: version),
        "\(database.path): written by a later wirehook (version \(version) of the file, this one knows \(Schema.version))"
      )
    }
    guard version >= 1 else { throw damaged("version \(version)") }
    guard version == Schema.version else { return .earlierVersion(version) }
    try checkTables()
    guard let boot = try database.first("SELECT boot FROM meta", [], { row throws(StateError) in try row.text(0) })
    else { throw damaged("no boot id") }
    return boot == bootID ? .current : .earlierBoot
  }

  /// Makes the file current. Inside a write transaction: what another process has done meanwhile is seen.
  func bringUp(to bootID: String) throws(StateError) {
    switch try condition(bootID) {
    case .current: return
    case .empty:
      for statement in Schema.statements { try database.execute("\(statement)") }
      try database.execute("PRAGMA application_id=\(Schema.application);PRAGMA user_version=\(Schema.version)")
      try database.run("INSERT INTO meta(boot) VALUES(?)", [.text(bootID)])
    case .earlierVersion(let version):
      for step in Schema.migrations.dropFirst(Int(version) - 1) {
        for statement in step { try database.execute("\(statement)") }
      }
      try database.execute("PRAGMA user_version=\(Schema.version)")
      try bringUp(to: bootID)
    case .earlierBoot: try startAfresh(bootID)
    }
  }

  /// Forgets what did not outlive the boot. The first open of a boot also pays for reading the whole file: without
  /// fsync a power cut may have left a mix of old and new pages, which must not surface later as an odd answer.
  private func startAfresh(_ bootID: String) throws(StateError) {
    let verdict = try database.first("PRAGMA integrity_check(1)", [], { row throws(StateError) in try row.text(0) })
    guard verdict == "ok" else { throw damaged(verdict ?? "no verdict") }
    try database.run(
      """
      UPDATE lease SET container = NULL, freed = 1 + coalesce((
        SELECT max(other.freed) FROM lease AS other
        WHERE other.container IS NULL AND other.segment = lease.segment AND other.pool = lease.pool), 0)
      WHERE container IS NOT NULL
      """)
    try database.run("DELETE FROM container")
    try database.run("DELETE FROM network")
    try database.run("UPDATE meta SET boot = ?", [.text(bootID)])
  }

  /// The tables must be ours to the letter: the constraints are what everything else relies on. Their order may be
  /// another one: `VACUUM` writes tables before indices. What `ANALYZE` adds is SQLite's own.
  private func checkTables() throws(StateError) {
    var isThere = Array(repeating: false, count: Schema.statements.count)
    var expected = 0
    try database.rows(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' ORDER BY rowid", []
    ) { row throws(StateError) in
      let found =
        expected < isThere.count && row.text(0, is: Schema.statements[expected])
        ? expected : Schema.statements.firstIndex { row.text(0, is: $0) }
      guard let found, !isThere[found] else {
        throw damaged("its tables are not those of version \(Schema.version)")
      }
      isThere[found] = true
      expected = found + 1
      return true
    }
    guard !isThere.contains(false) else { throw damaged("tables are missing") }
  }

  private func pragma(_ sql: StaticString) throws(StateError) -> Int64 {
    try database.first(sql, [], { row throws(StateError) in try row.integer(0) }) ?? 0
  }

  private func damaged(_ reason: String) -> StateError { StateError(.corrupt, "\(database.path): damaged: \(reason)") }
}
