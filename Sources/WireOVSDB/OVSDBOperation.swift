package import WireJSON

/// One step of a transaction (RFC 7047, section 5.2).
package enum OVSDBOperation: Sendable, Hashable {
  case select(Table, where: [Condition], columns: [String])
  /// `named`: how the other operations of the transaction call the row.
  case insert(Table, row: [Column], named: String)
  case update(Table, where: [Condition], row: [Column])
  case mutate(Table, where: [Condition], [Mutation])
  case delete(Table, where: [Condition])
  /// Goes on when the rows, as far as `columns` go, are (or are not) `rows`; fails after so many milliseconds.
  case wait(Table, where: [Condition], columns: [String], until: Comparison, rows: [[Column]], milliseconds: Int)
  /// Goes into the server's log; `ovsdb-tool show-log` prints it.
  case comment(String)

  package enum Table: String, Sendable, Hashable {
    case openVSwitch = "Open_vSwitch"
    case bridge = "Bridge"
    case port = "Port"
    case interface = "Interface"
    case qos = "QoS"
  }

  package enum Comparison: String, Sendable, Hashable {
    case equal = "=="
    case unequal = "!="
    case atLeast = ">="
    case includes = "includes"
  }

  package struct Column: Sendable, Hashable {
    package let name: String
    package let value: OVSDBValue

    package init(_ name: String, _ value: OVSDBValue) {
      self.name = name
      self.value = value
    }
  }

  package struct Condition: Sendable, Hashable {
    package let column: String
    package let comparison: Comparison
    package let value: OVSDBValue

    package init(_ column: String, _ comparison: Comparison, _ value: OVSDBValue) {
      self.column = column
      self.comparison = comparison
      self.value = value
    }
  }

  package struct Mutation: Sendable, Hashable {
    package enum Mutator: String, Sendable, Hashable {
      case add = "+="
      case insert
      case delete
    }

    package let column: String
    package let mutator: Mutator
    package let value: OVSDBValue

    package init(_ column: String, _ mutator: Mutator, _ value: OVSDBValue) {
      self.column = column
      self.mutator = mutator
      self.value = value
    }
  }
}

extension OVSDBOperation {
  package var json: JSONValue {
    switch self {
    case .select(let table, let conditions, let columns):
      Self.object("select", table, [Self.member(where: conditions), Self.member(columns: columns)])
    case .insert(let table, let row, let name):
      Self.object("insert", table, [.init("row", Self.row(row)), .init("uuid-name", .string(name))])
    case .update(let table, let conditions, let row):
      Self.object("update", table, [Self.member(where: conditions), .init("row", Self.row(row))])
    case .mutate(let table, let conditions, let mutations):
      Self.object(
        "mutate", table,
        [Self.member(where: conditions), .init("mutations", .array(mutations.map(\.json)))])
    case .delete(let table, let conditions):
      Self.object("delete", table, [Self.member(where: conditions)])
    case .wait(let table, let conditions, let columns, let comparison, let rows, let milliseconds):
      Self.object(
        "wait", table,
        [
          Self.member(where: conditions), Self.member(columns: columns),
          .init("until", .string(comparison.rawValue)), .init("rows", .array(rows.map { Self.row($0) })),
          .init("timeout", .integer(Int64(milliseconds))),
        ])
    case .comment(let text):
      .object([.init("op", .string("comment")), .init("comment", .string(text))])
    }
  }

  private static func object(_ name: String, _ table: Table, _ members: [JSONValue.Member]) -> JSONValue {
    .object([.init("op", .string(name)), .init("table", .string(table.rawValue))] + members)
  }

  private static func member(where conditions: [Condition]) -> JSONValue.Member {
    .init("where", .array(conditions.map { triple($0.column, $0.comparison.rawValue, $0.value) }))
  }

  private static func member(columns: [String]) -> JSONValue.Member {
    .init("columns", .array(columns.map { .string($0) }))
  }

  private static func row(_ columns: [Column]) -> JSONValue {
    .object(columns.map { JSONValue.Member($0.name, $0.value.json) })
  }

  fileprivate static func triple(_ column: String, _ word: String, _ value: OVSDBValue) -> JSONValue {
    .array([.string(column), .string(word), value.json])
  }
}

extension OVSDBOperation.Mutation {
  fileprivate var json: JSONValue { OVSDBOperation.triple(column, mutator.rawValue, value) }
}
