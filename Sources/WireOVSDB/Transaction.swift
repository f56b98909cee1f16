internal import WireCore
package import WireLinux

/// Operations that take effect together or not at all, and what it means when one of them fails.
struct Transaction {
  private(set) var operations: [OVSDBOperation]
  private(set) var meanings: [(index: Int, kind: OVSDBError.Kind)] = []

  /// Begins with a comment for the server's log.
  init(_ comment: String) { operations = [.comment("wirehook: \(comment)")] }

  mutating func add(_ operation: OVSDBOperation) { operations.append(operation) }

  /// Goes on only if a row (or none) fits; else the transaction fails with `kind`. Two hooks at once are told apart by this.
  mutating func require(
    _ isThere: Bool, _ table: OVSDBOperation.Table, where conditions: [OVSDBOperation.Condition],
    else kind: OVSDBError.Kind
  ) {
    meanings.append((operations.count, kind))
    add(
      .wait(
        table, where: conditions, columns: ["name"], until: isThere ? .unequal : .equal, rows: [], milliseconds: 0))
  }

  /// Goes on only if the one row that fits has this value.
  mutating func require(
    _ column: OVSDBOperation.Column, _ table: OVSDBOperation.Table, where conditions: [OVSDBOperation.Condition],
    else kind: OVSDBError.Kind
  ) {
    meanings.append((operations.count, kind))
    add(
      .wait(
        table, where: conditions, columns: [column.name], until: .equal, rows: [[column]], milliseconds: 0))
  }

  /// Goes on only if no port and no interface has the name, except those of `replaced`. An interface in a bond has another
  /// name than its port.
  mutating func requireFree(_ name: String, except replaced: [PortRow]) {
    let port = replaced.map { OVSDBOperation.Condition("_uuid", .unequal, .uuid($0.uuid)) }
    let interface = replaced.flatMap { $0.interfaces }.map { OVSDBOperation.Condition("_uuid", .unequal, .uuid($0)) }
    require(false, .port, where: [.named(name)] + port, else: .portExists(name))
    require(false, .interface, where: [.named(name)] + interface, else: .portExists(name))
  }

  /// Ends with a new number of the configuration, and reads it.
  mutating func count() {
    add(.mutate(.openVSwitch, where: [], [.init("next_cfg", .add, .integer(1))]))
    add(.select(.openVSwitch, where: [], columns: ["next_cfg"]))
  }
}

extension OpenVSwitch {
  /// A change that was sent.
  package struct Change: Sendable {
    let request: OVSDBConnection.Request
    let meanings: [(index: Int, kind: OVSDBError.Kind)]
  }

  func begin(_ transaction: Transaction, for purpose: String, until deadline: Deadline) throws(OVSDBError) -> Change {
    Change(
      request: try connection.send(transaction.operations, for: purpose, until: deadline),
      meanings: transaction.meanings)
  }

  /// Waits until the database has the change, or has refused it as a whole.
  package func finish(_ change: Change, until deadline: Deadline) throws(OVSDBError) -> Configuration {
    let results: OVSDBResults
    do throws(OVSDBError) {
      results = try connection.results(of: change.request, until: deadline)
    } catch {
      guard case .operation(let index, _, _) = error.kind,
        let meaning = change.meanings.first(where: { $0.index == index })
      else { throw error }
      throw OVSDBError(error.address, error.step, meaning.kind)
    }
    guard let row = try results.rows(change.request.count - 1).first else { throw results.failure(.noSwitch) }
    return Configuration(number: try row.integer("next_cfg"))
  }

  func commit(_ transaction: Transaction, for purpose: String, until deadline: Deadline) throws(OVSDBError)
    -> Configuration
  {
    try finish(begin(transaction, for: purpose, until: deadline), until: deadline)
  }
}
