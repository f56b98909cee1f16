internal import Glibc
import WireCore

/// The recorded state: which container holds which links, addresses and ports, and what is remembered of those gone.
///
/// One SQLite file, `state.db`. It is opened for one or two short transactions and closed again, by one thread.
/// The constraints of its schema hold for every writer, so a mistake of the code ends in an error, never in an address
/// given twice. Reads outside of `transaction` see whatever was last committed.
package struct Store: ~Copyable {
  let database: Database

  /// The file in the state directory.
  package static let fileName = "state.db"
  /// How long a writer waits for another: far longer than any transaction takes.
  package static let busyMilliseconds: Int32 = 5000

  /// Opens the file in `directory`, which must exist; a missing file is made (mode 0600).
  ///
  /// Another `bootID` than the recorded one means that the host went down: containers, links, ports and network markers
  /// of then are gone, and their leases become free, remembered for their owners.
  package static func open(
    directory: String, bootID: String, busyMilliseconds: Int32 = Store.busyMilliseconds
  ) throws(StateError) -> Store {
    let store = Store(database: try connect(path(in: directory), busyMilliseconds))
    // PERSIST: committing overwrites the journal's header, which saves making and deleting a file. No fsync: what the
    // kernel has is safe from kill -9, and a power cut voids the state by its boot id. Triggers and foreign keys need
    // room to undo one statement: in memory, else it is a file.
    try store.database.execute(
      "PRAGMA temp_store=MEMORY;PRAGMA journal_mode=PERSIST;PRAGMA synchronous=OFF")
    if try store.transaction(immediate: false, { () throws(StateError) in try store.condition(bootID) }) != .current {
      try store.transaction { () throws(StateError) in try store.bringUp(to: bootID) }
    }
    return store
  }

  /// Opens the file to read it, as a listing does; nil where there is none of this boot, so nothing is recorded.
  package static func openForReading(
    directory: String, bootID: String, busyMilliseconds: Int32 = Store.busyMilliseconds
  ) throws(StateError) -> Store? {
    let path = path(in: directory)
    guard access(path, F_OK) == 0 || errno != ENOENT else { return nil }
    let store = Store(database: try Database(path: path, busyMilliseconds: busyMilliseconds))
    try store.database.execute("PRAGMA query_only=ON")
    let condition = try store.transaction(immediate: false) { () throws(StateError) in try store.condition(bootID) }
    guard condition == .current else { return nil }
    return consume store
  }

  /// Runs `body` as one change of the state: all of it stands, or, when it throws or the process dies, none.
  package func transaction<Result>(_ body: () throws(StateError) -> Result) throws(StateError) -> Result {
    try transaction(immediate: true, body)
  }

  /// Runs `body` on one state of the database: what it reads belongs together, and costs one look at the file.
  package func snapshot<Result>(_ body: () throws(StateError) -> Result) throws(StateError) -> Result {
    try transaction(immediate: false, body)
  }

  /// The same for a body that throws its own errors; `failure` makes one from an error of beginning or committing.
  package func transaction<Result, Failure: Error>(
    failure: (StateError) -> Failure, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do throws(StateError) { try database.run("BEGIN IMMEDIATE") } catch { throw failure(error) }
    let result: Result
    do throws(Failure) {
      result = try body()
    } catch {
      rollback()
      throw error
    }
    do throws(StateError) {
      try database.run("COMMIT")
    } catch {
      rollback()
      throw failure(error)
    }
    return result
  }

  private func transaction<Result>(
    immediate: Bool, _ body: () throws(StateError) -> Result
  ) throws(StateError) -> Result {
    guard !immediate else { return try transaction(failure: { $0 }, body) }
    try database.run("BEGIN")
    do throws(StateError) {
      let result = try body()
      try database.run("COMMIT")
      return result
    } catch {
      rollback()
      throw error
    }
  }

  /// Where SQLite has already rolled back by itself (disk full, damage), this fails, which changes nothing.
  private func rollback() {
    do throws(StateError) { try database.run("ROLLBACK") } catch {}
  }

  static func path(in directory: String) -> String {
    // SQLite takes "file:…" for a URI.
    (directory.hasPrefix("/") ? directory : "./" + directory) + "/" + fileName
  }

  private static func connect(_ path: String, _ busyMilliseconds: Int32) throws(StateError) -> Database {
    do throws(StateError) {
      return try Database(path: path, busyMilliseconds: busyMilliseconds)
    } catch {
      guard error.kind == .inaccessible(errno: ENOENT) else { throw error }
    }
    // Made here, not by SQLite, which would leave the mode to the umask. Empty is a database without tables.
    let file = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 || errno == EEXIST else {
      let code = errno
      throw StateError(.inaccessible(errno: code), "\(path): \(String(cString: strerror(code)))")
    }
    if file >= 0 { close(file) }
    return try Database(path: path, busyMilliseconds: busyMilliseconds)
  }
}
