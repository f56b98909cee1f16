internal import WireCore
internal import WireJSON

/// What a transaction answered: one result for each operation, and no error among them.
package struct OVSDBResults: Sendable {
  private let values: [JSONValue]
  let request: OVSDBConnection.Request
  let address: DatabaseAddress

  init(_ reply: JSONValue, _ request: OVSDBConnection.Request, _ address: DatabaseAddress) throws(OVSDBError) {
    let failure = { (kind: OVSDBError.Kind) in OVSDBError(address, request.waiting, kind) }
    if let error = reply["error"], error != .null { throw failure(Self.rejection(error)) }
    guard case .array(let values)? = reply["result"] else { throw failure(.garbage("a reply without a result")) }
    for (index, value) in values.enumerated() {
      if let kind = Self.error(in: value, at: index) { throw failure(kind) }
    }
    // A null stands for what was not tried: its reason, an error before it, has been found above.
    guard values.count == request.count, !values.contains(.null) else {
      throw failure(.garbage("\(values.count) results of \(request.count) operations"))
    }
    self.values = values
    self.request = request
    self.address = address
  }

  /// The error of the whole request (RFC 7047, section 4.1.3 and ovsdb-server(7)).
  private static func rejection(_ error: JSONValue) -> OVSDBError.Kind {
    if case .string("unknown database")? = error["error"] { return .noDatabase(OVSDBConnection.database) }
    if case .string(let text) = error { return .rejected(text) }
    return .rejected(JSONWriter.compact(error))
  }

  private static func error(in value: JSONValue, at index: Int) -> OVSDBError.Kind? {
    guard case .string(let error)? = value["error"] else { return nil }
    var details = ""
    if case .string(let text)? = value["details"] { details = text }
    return error == "constraint violation"
      ? .constraint(details: details) : .operation(index: index, error: error, details: details)
  }

  /// The rows that operation number `index`, a select, found.
  func rows(_ index: Int) throws(OVSDBError) -> [Row] {
    guard values.indices.contains(index), case .array(let rows)? = values[index]["rows"] else {
      throw failure(.garbage("a select without rows"))
    }
    return rows.map { Row(columns: $0, results: self) }
  }

  func failure(_ kind: OVSDBError.Kind) -> OVSDBError { OVSDBError(address, request.waiting, kind) }
}

/// A row of a select. A column that is not there, or is not what it should be, is an error.
struct Row {
  fileprivate let columns: JSONValue
  fileprivate let results: OVSDBResults

  func uuid(_ column: String = "_uuid") throws(OVSDBError) -> OVSUUID {
    guard case .uuid(let uuid) = try value(column) else { throw unexpected(column) }
    return uuid
  }

  func uuids(_ column: String) throws(OVSDBError) -> [OVSUUID] {
    try elements(column) { if case .uuid(let uuid) = $0 { uuid } else { nil } }
  }

  func string(_ column: String) throws(OVSDBError) -> String {
    guard case .string(let string) = try value(column) else { throw unexpected(column) }
    return string
  }

  func strings(_ column: String) throws(OVSDBError) -> [String] {
    try elements(column) { if case .string(let string) = $0 { string } else { nil } }
  }

  func integer(_ column: String) throws(OVSDBError) -> Int64 {
    guard case .integer(let integer) = try value(column) else { throw unexpected(column) }
    return integer
  }

  func integers(_ column: String) throws(OVSDBError) -> [Int64] {
    try elements(column) { if case .integer(let integer) = $0 { integer } else { nil } }
  }

  func bool(_ column: String) throws(OVSDBError) -> Bool {
    guard case .bool(let bool) = try value(column) else { throw unexpected(column) }
    return bool
  }

  func map(_ column: String) throws(OVSDBError) -> StringMap {
    guard case .map(let pairs) = try value(column) else { throw unexpected(column) }
    var map = StringMap()
    for pair in pairs {
      guard case (.string(let key), .string(let value)) = (pair.key, pair.value) else { throw unexpected(column) }
      map[key] = value
    }
    return map
  }

  private func elements<Element>(
    _ column: String, _ read: (OVSDBValue) -> Element?
  ) throws(OVSDBError) -> [Element] {
    guard let elements = try value(column).elements else { throw unexpected(column) }
    var found: [Element] = []
    for element in elements {
      guard let value = read(element) else { throw unexpected(column) }
      found.append(value)
    }
    return found
  }

  private func value(_ column: String) throws(OVSDBError) -> OVSDBValue {
    guard let json = columns[column], let value = OVSDBValue(json) else { throw unexpected(column) }
    return value
  }

  private func unexpected(_ column: String) -> OVSDBError {
    results.failure(.garbage("column \(column.quoted) is not of its type"))
  }
}
