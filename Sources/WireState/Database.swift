internal import CSQLite
internal import Glibc
import WireCore

/// One connection to an SQLite file. Statements are compiled when first used, kept, and finalised with the connection.
///
/// A statement must have ended before the same SQL is run again: `rows` must not be nested with itself.
struct Database: ~Copyable {
  let path: String
  private let handle: OpaquePointer
  private let statements: UnsafeMutablePointer<Prepared>
  private let statementCount: UnsafeMutablePointer<Int>

  private struct Prepared {
    var sql: UnsafePointer<UInt8>
    var statement: OpaquePointer
  }

  /// More than the SQL literals of this module; what does not fit is an error in this module, and refused.
  private static let statementLimit = 64
  /// The longest text, blob or SQL that SQLite will handle for us: a hostile file cannot make us allocate more.
  private static let valueLimit: Int32 = 8 << 20

  private static let configured: Bool = csqlite_configure() == SQLITE_OK

  /// Opens an existing file. Nothing is read from it yet.
  init(path: String, busyMilliseconds: Int32) throws(StateError) {
    _ = Self.configured
    var opened: OpaquePointer?
    // Each connection stays on the thread that opened it, so its own mutex has nothing to guard.
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let opened else {
      let error = Self.error(code, opened, path)
      sqlite3_close_v2(opened)
      throw error
    }
    self.path = path
    handle = opened
    statements = .allocate(capacity: Self.statementLimit)
    statementCount = .allocate(capacity: 1)
    statementCount.initialize(to: 0)
    sqlite3_busy_timeout(opened, busyMilliseconds)
    sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, Self.valueLimit)
    csqlite_set(opened, SQLITE_DBCONFIG_ENABLE_FKEY, 1)
    csqlite_set(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
  }

  deinit {
    for index in 0..<statementCount.pointee { sqlite3_finalize(statements[index].statement) }
    sqlite3_close_v2(handle)
    statements.deallocate()
    statementCount.deallocate()
  }

  /// Runs SQL that returns nothing of interest, several statements too. Not kept.
  func execute(_ sql: String) throws(StateError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw error(code) }
  }

  /// Runs one statement to its end; the number of rows that it changed itself.
  @discardableResult
  func run(_ sql: StaticString, _ values: [Value] = []) throws(StateError) -> Int {
    try rows(sql, values) { _ in true }
    return Int(sqlite3_changes(handle))
  }

  /// What `read` makes of the first row; nil if there is none.
  func first<Result>(
    _ sql: StaticString, _ values: [Value] = [], _ read: (Row) throws(StateError) -> Result
  ) throws(StateError) -> Result? {
    var result: Result?
    try rows(sql, values) { row throws(StateError) in
      result = try read(row)
      return false
    }
    return result
  }

  /// What `read` makes of each row.
  func all<Result>(
    _ sql: StaticString, _ values: [Value] = [], _ read: (Row) throws(StateError) -> Result
  ) throws(StateError) -> [Result] {
    var results: [Result] = []
    try rows(sql, values) { row throws(StateError) in
      results.append(try read(row))
      return true
    }
    return results
  }

  /// Hands each row to `body`, until that returns false.
  func rows(
    _ sql: StaticString, _ values: [Value], _ body: (Row) throws(StateError) -> Bool
  ) throws(StateError) {
    let statement = try prepare(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (index, value) in values.enumerated() {
      let code = value.bind(to: statement, at: Int32(index + 1))
      guard code == SQLITE_OK else { throw error(code) }
    }
    while true {
      let code = sqlite3_step(statement)
      switch code {
      case SQLITE_ROW: guard try body(Row(statement: statement, path: path)) else { return }
      case SQLITE_DONE: return
      default: throw error(code)
      }
    }
  }

  private func prepare(_ sql: StaticString) throws(StateError) -> OpaquePointer {
    let count = statementCount.pointee
    for index in 0..<count where statements[index].sql == sql.utf8Start { return statements[index].statement }
    guard count < Self.statementLimit else { throw StateError(.refused, "\(path): too many statements") }
    var prepared: OpaquePointer?
    let code = sql.utf8Start.withMemoryRebound(to: CChar.self, capacity: sql.utf8CodeUnitCount) { text in
      sqlite3_prepare_v2(handle, text, Int32(sql.utf8CodeUnitCount), &prepared, nil)
    }
    guard code == SQLITE_OK, let prepared else { throw error(code) }
    (statements + count).initialize(to: Prepared(sql: sql.utf8Start, statement: prepared))
    statementCount.pointee = count + 1
    return prepared
  }

  private func error(_ code: Int32) -> StateError { Self.error(code, handle, path) }

  private static func error(_ code: Int32, _ handle: OpaquePointer?, _ path: String) -> StateError {
    let errno = handle.map { sqlite3_system_errno($0) } ?? 0
    let message = String(cString: handle.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
    let reason = errno == 0 ? message : "\(message) (\(String(cString: strerror(errno))))"
    let kind: StateError.Kind =
      switch code & 0xff {
      // "No such table" and the like: the schema was checked, so what contradicts it is damage.
      case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT, SQLITE_ERROR, SQLITE_TOOBIG: .corrupt
      case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .busy
      case SQLITE_CONSTRAINT, SQLITE_MISMATCH: .refused
      case SQLITE_FULL: .full
      case SQLITE_IOERR where errno == ENOSPC || errno == EDQUOT: .full
      default: .inaccessible(errno: errno)
      }
    return StateError(kind, "\(path): \(reason)")
  }
}
