internal import CSQLite
internal import Glibc
import WireCore

/// What is bound to a `?` of a statement.
enum Value {
  case text(String)
  /// Bytes that are UTF-8 up to the last, for the bounds of a range of texts.
  case rawText([UInt8])
  case integer(Int64)
  case blob([UInt8])
  case null

  static func address(_ address: IPAddress) -> Value { .blob(address.bytes) }
  static func optional(_ text: String?) -> Value { text.map { .text($0) } ?? .null }
  /// The bit pattern: SQLite's integers are signed.
  static func unsigned(_ number: UInt64) -> Value { .integer(Int64(bitPattern: number)) }

  /// Binds a copy; SQLite's result code.
  func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    switch self {
    case .text(var text):
      text.withUTF8 { bytes in Self.bindText(bytes, statement, index) }
    case .rawText(let bytes):
      bytes.withUnsafeBufferPointer { bytes in Self.bindText(bytes, statement, index) }
    case .integer(let number): sqlite3_bind_int64(statement, index, number)
    case .blob(let bytes):
      bytes.withUnsafeBufferPointer { bytes in
        csqlite_bind_blob(statement, index, bytes.baseAddress, Int32(clamping: bytes.count))
      }
    case .null: sqlite3_bind_null(statement, index)
    }
  }

  private static func bindText(_ bytes: UnsafeBufferPointer<UInt8>, _ statement: OpaquePointer, _ index: Int32) -> Int32
  {
    guard let base = bytes.baseAddress else { return csqlite_bind_text(statement, index, "", 0) }
    return base.withMemoryRebound(to: CChar.self, capacity: bytes.count) { text in
      csqlite_bind_text(statement, index, text, Int32(clamping: bytes.count))
    }
  }
}

/// The current row of a statement. Nothing in it is trusted: another type than expected is `.corrupt`.
struct Row {
  fileprivate let statement: OpaquePointer
  fileprivate let path: String

  init(statement: OpaquePointer, path: String) {
    self.statement = statement
    self.path = path
  }

  func text(_ column: Int32) throws(StateError) -> String {
    guard sqlite3_column_type(statement, column) == SQLITE_TEXT, let bytes = sqlite3_column_text(statement, column),
      let text = String(
        validating: UnsafeBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column))),
        as: UTF8.self)
    else { throw unexpected(column, "text") }
    return text
  }

  func optionalText(_ column: Int32) throws(StateError) -> String? {
    isNull(column) ? nil : try text(column)
  }

  func integer(_ column: Int32) throws(StateError) -> Int64 {
    guard sqlite3_column_type(statement, column) == SQLITE_INTEGER else { throw unexpected(column, "a number") }
    return sqlite3_column_int64(statement, column)
  }

  /// A number that fits the type wanted.
  func integer<Number: FixedWidthInteger>(_ column: Int32, as: Number.Type) throws(StateError) -> Number {
    guard let number = Number(exactly: try integer(column)) else { throw unexpected(column, "a number in range") }
    return number
  }

  func unsigned(_ column: Int32) throws(StateError) -> UInt64 { UInt64(bitPattern: try integer(column)) }

  func address(_ column: Int32) throws(StateError) -> IPAddress {
    guard let address = IPAddress(bytes: try bytes(column)) else { throw unexpected(column, "an address") }
    return address
  }

  /// The address; nil for no bytes.
  func optionalAddress(_ column: Int32) throws(StateError) -> IPAddress? {
    try bytes(column).isEmpty ? nil : try address(column)
  }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

  /// Whether a text is this literal, byte by byte, without a copy.
  func text(_ column: Int32, is literal: StaticString) -> Bool {
    guard let bytes = sqlite3_column_text(statement, column),
      Int(sqlite3_column_bytes(statement, column)) == literal.utf8CodeUnitCount
    else { return false }
    return memcmp(bytes, literal.utf8Start, literal.utf8CodeUnitCount) == 0
  }

  func unexpected(_ column: Int32, _ expected: String) -> StateError {
    let name = sqlite3_column_name(statement, column).map { String(cString: $0) } ?? "?"
    return StateError(.corrupt, "\(path): column \"\(name)\" does not hold \(expected)")
  }

  private func bytes(_ column: Int32) throws(StateError) -> UnsafeBufferPointer<UInt8> {
    guard sqlite3_column_type(statement, column) == SQLITE_BLOB else { throw unexpected(column, "bytes") }
    let start = sqlite3_column_blob(statement, column)?.assumingMemoryBound(to: UInt8.self)
    return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
  }
}
