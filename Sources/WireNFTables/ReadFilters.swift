internal import CNftnl
internal import Glibc

extension FirewallSocket {
  /// Everybody's tables that filter packets of one of the hooks, ours left out, with the rules and sets that it takes to
  /// know what they let pass. Where no such chain hangs, that is all that is asked. As `nft -a list ruleset`.
  package borrowing func filters(
    at hooks: Set<FilterChain.Hook>, deadline: Int64
  ) throws(NFTablesError) -> [FilterTable] {
    try tables(at: hooks, .filters, deadline: deadline)
  }

  /// The same of the tables that rewrite addresses there.
  package borrowing func translations(
    at hooks: Set<FilterChain.Hook>, deadline: Int64
  ) throws(NFTablesError) -> [FilterTable] {
    try tables(at: hooks, .translations, deadline: deadline)
  }

  private borrowing func tables(
    at hooks: Set<FilterChain.Hook>, _ reading: FilterReading, deadline: Int64
  ) throws(NFTablesError) -> [FilterTable] {
    var tables: [FilterTable] = []
    for (kind, number) in Self.families {
      let found = try collect(NFT_MSG_GETCHAIN, number, [], for: "listing chains", deadline: deadline) { message in
        FilterChain(message, reading).map { (table: message[Int(NFTA_CHAIN_TABLE.rawValue)]?.text ?? "", chain: $0) }
      }
      let names = Set(found.filter { $0.chain.hook.map(hooks.contains) ?? false }.map(\.table))
      for name in names.sorted() where name != FirewallTable.name || kind != .inet && kind != .bridge {
        guard try isAwake(name, number, deadline: deadline) else { continue }
        var table = FilterTable(kind, name, chains: found.filter { $0.table == name }.map(\.chain))
        try read(&table, number, reading, deadline: deadline)
        tables.append(table)
      }
    }
    return tables
  }

  private static var families: [(FilterTable.Kind, UInt8)] {
    [
      (.ip, UInt8(NFPROTO_IPV4)), (.ip6, UInt8(NFPROTO_IPV6)), (.inet, UInt8(NFPROTO_INET)),
      (.bridge, UInt8(NFPROTO_BRIDGE)),
    ]
  }

  /// Whether the table's chains are called at all: a dormant one's are not (`flags dormant`).
  private borrowing func isAwake(_ table: String, _ family: UInt8, deadline: Int64) throws(NFTablesError) -> Bool {
    var flags: UInt32?
    try askForTable(table, family, deadline: deadline) { flags = $0[Int(NFTA_TABLE_FLAGS.rawValue)]?.number ?? 0 }
    return flags.map { $0 & NFT_TABLE_F_DORMANT.rawValue == 0 } ?? false
  }

  /// Hands the table to `body`, if it is there.
  private borrowing func askForTable(
    _ name: String, _ family: UInt8, deadline: Int64, _ body: (Attributes) -> Void
  ) throws(NFTablesError) {
    var buffer = MessageBuffer(capacity: 512, firstSequence: socket.takeSequence(1))
    buffer.begin(NFTMessage.type(NFT_MSG_GETTABLE), flags: 0, family: family)
    buffer.put(Int(NFTA_TABLE_NAME.rawValue), name)
    buffer.end()
    do throws(NFTablesError) {
      try query(&buffer, for: "looking for table \(name)", deadline: deadline, body)
    } catch {
      guard error.kind == .missing else { throw error }
    }
  }

  /// Whether somebody's table `inet NAME` is there.
  package borrowing func hasTable(named name: String, deadline: Int64) throws(NFTablesError) -> Bool {
    var isThere = false
    try askForTable(name, FirewallTable.inet.family, deadline: deadline) { _ in isThere = true }
    return isThere
  }

  /// The rules of a table, and the sets that they look up.
  private borrowing func read(
    _ table: inout FilterTable, _ family: UInt8, _ reading: FilterReading, deadline: Int64
  ) throws(NFTablesError) {
    let name = table.name
    let rules = try collect(
      NFT_MSG_GETRULE, family, [(Int(NFTA_RULE_TABLE.rawValue), name)], for: "listing rules", deadline: deadline
    ) { message -> (chain: String, rule: FilterRule)? in
      // Kernels before 4.17 list the rules of all tables.
      guard message[Int(NFTA_RULE_TABLE.rawValue)]?.text == name,
        let chain = message[Int(NFTA_RULE_CHAIN.rawValue)]?.text
      else { return nil }
      return (chain, FilterRule(message, reading))
    }
    let byChain = Dictionary(grouping: rules, by: \.chain)
    for index in table.chains.indices {
      table.chains[index].rules = byChain[table.chains[index].name]?.map(\.rule) ?? []
    }
    for set in Set(rules.flatMap(\.rule.sets)).sorted() {
      let scope = [(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), name), (Int(NFTA_SET_ELEM_LIST_SET.rawValue), set)]
      table.sets[set] = FilterSet(
        joining: try collect(NFT_MSG_GETSETELEM, family, scope, for: "listing a set", deadline: deadline) {
          FilterSet($0)
        })
    }
  }

  /// What `read` makes of the messages of a dump; what has gone meanwhile has nothing to list.
  private borrowing func collect<Value>(
    _ message: nf_tables_msg_types, _ family: UInt8, _ scope: [(attribute: Int, text: String)], for request: String,
    deadline: Int64, _ read: (Attributes) -> Value?
  ) throws(NFTablesError) -> [Value] {
    do throws(NFTablesError) {
      return try list(message, family, scope, for: request, deadline: deadline, read)
    } catch {
      guard error.kind == .missing else { throw error }
      return []
    }
  }
}

extension FilterChain {
  /// Reads an NFT_MSG_NEWCHAIN; nil for a base chain of the other kind.
  fileprivate init?(_ message: Attributes, _ reading: FilterReading) {
    guard let name = message[Int(NFTA_CHAIN_NAME.rawValue)]?.text else { return nil }
    guard let hook = message[Int(NFTA_CHAIN_HOOK.rawValue)] else {
      self.init(name)
      return
    }
    guard let number = hook[Int(NFTA_HOOK_HOOKNUM.rawValue)]?.number, let at = Hook(rawValue: number),
      (message[Int(NFTA_CHAIN_TYPE.rawValue)]?.text == "nat") == (reading == .translations)
    else { return nil }
    let priority = hook[Int(NFTA_HOOK_PRIORITY.rawValue)]?.number ?? 0
    let policy = message[Int(NFTA_CHAIN_POLICY.rawValue)]?.number ?? UInt32(NF_ACCEPT)
    self.init(name, hook: at, priority: Int32(bitPattern: priority), drops: policy == UInt32(NF_DROP))
  }
}

extension FilterRule {
  /// Reads an NFT_MSG_NEWRULE.
  fileprivate init(_ message: Attributes, _ reading: FilterReading) {
    let none = Attributes(bytes: UnsafeRawBufferPointer(start: nil, count: 0))
    let list = message[Int(NFTA_RULE_EXPRESSIONS.rawValue)] ?? none
    let expressions = FilterExpressions(list, reading)
    let handle = message[Int(NFTA_RULE_HANDLE.rawValue)]?.array.reduce(0) { $0 << 8 | UInt64($1) }
    self.init(handle: handle, expressions.conditions, expressions.outcome)
    if reading == .translations { rewrite = DestinationRewrite(expressions: list) }
  }

  /// The names of the sets that it looks up by a field that we know.
  fileprivate var sets: [String] {
    var names = conditions.compactMap { if case .isIn(_, let set, _) = $0 { set } else { nil } }
    if case .lookedUp(_, let set) = outcome { names.append(set) }
    return names
  }
}

extension FilterSet {
  /// Reads an NFT_MSG_NEWSETELEM.
  fileprivate init(_ message: Attributes) {
    var elements: [Element] = []
    var hasRanges = false
    message[Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)]?.forEach { _, element in
      let flags = element[Int(NFTA_SET_ELEM_FLAGS.rawValue)]?.number ?? 0
      guard flags == 0, element[Int(NFTA_SET_ELEM_KEY_END.rawValue)] == nil,
        let key = element[Int(NFTA_SET_ELEM_KEY.rawValue)]?[Int(NFTA_DATA_VALUE.rawValue)]?.array
      else { return hasRanges = true }
      let verdict = element[Int(NFTA_SET_ELEM_DATA.rawValue)]?[Int(NFTA_DATA_VERDICT.rawValue)]
      elements.append(Element(key: key, outcome: verdict.map { FilterOutcome(verdict: $0) }))
    }
    self.init(elements: elements, hasRanges: hasRanges)
  }

  /// A large set comes in several messages.
  fileprivate init(joining parts: [FilterSet]) {
    self.init(elements: parts.flatMap(\.elements), hasRanges: parts.contains(where: \.hasRanges))
  }
}
