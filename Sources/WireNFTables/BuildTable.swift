internal import CNftnl
internal import Glibc
package import WireCore

extension FirewallSocket {
  /// Makes the tables that are wanted, with their sets, chains and rules, and puts `elements` in, one transaction a table,
  /// unless the table stands in this version: then only the elements are put in. A table of another version is replaced,
  /// and with it all that it held: pass everything that is to be there. Of `links`, those that are there get their guards.
  ///
  /// `inet wirehook` is always wanted, `bridge wirehook` where some element is of it; `.unsupported` once the first one
  /// stands: the kernel cannot filter on bridges.
  ///
  /// Any number of processes may call this at once. Each builds on the generation of the ruleset that it has seen, and
  /// the kernel refuses all but one.
  package borrowing func build(
    elements: [Element], guarding links: [InterfaceName] = [], deadline: Int64
  ) throws(NFTablesError) {
    try build(elements: elements, guarding: links, evenIfCurrent: false, deadline: deadline)
  }

  /// As `build`, but a table of this version is replaced too: for one that is not intact.
  package borrowing func rebuild(
    elements: [Element], guarding links: [InterfaceName] = [], deadline: Int64
  ) throws(NFTablesError) {
    try build(elements: elements, guarding: links, evenIfCurrent: true, deadline: deadline)
  }

  private borrowing func build(
    elements: [Element], guarding links: [InterfaceName], evenIfCurrent: Bool, deadline: Int64
  ) throws(NFTablesError) {
    let inet = elements.filter { $0.set.table == .inet }
    try build(.inet, elements: inet, guarding: links, evenIfCurrent: evenIfCurrent, deadline: deadline)
    guard inet.count < elements.count else { return }
    let bridge = elements.filter { $0.set.table == .bridge }
    try build(.bridge, elements: bridge, guarding: [], evenIfCurrent: evenIfCurrent, deadline: deadline)
  }

  private borrowing func build(
    _ table: FirewallTable, elements: [Element], guarding links: [InterfaceName], evenIfCurrent: Bool, deadline: Int64
  ) throws(NFTablesError) {
    while true {
      // One that is gone must not take the rest with it.
      let links = links.filter { canGuard($0) }
      let generation = try self.generation(deadline: deadline)
      let version = try version(of: table, deadline: deadline)
      do throws(NFTablesError) {
        if version == table.version, !evenIfCurrent {
          return try add(elements, guarding: links, deadline: deadline)
        }
        return try create(
          table, elements, guarding: links, replacing: version != nil, generation: generation, deadline: deadline)
      } catch {
        // ERESTART: the generation is another by now. ENOENT: the table that stood has just been flushed, or a link has
        // gone, which is ENODEV where it was noticed before.
        guard error.code == ERESTART || error.code == ENODEV || error.kind == .missing,
          MonotonicClock.milliseconds < deadline
        else { throw error }
      }
    }
  }

  /// Whether the table stands in this version with all of its sets and as many rules in each chain as it was built with:
  /// `nft flush table` takes the rules and leaves the rest.
  package borrowing func isIntact(_ table: FirewallTable = .inet, deadline: Int64) throws(NFTablesError) -> Bool {
    guard try version(of: table, deadline: deadline) == table.version else { return false }
    let rules = try parts(
      NFT_MSG_GETRULE, of: table, table: Int(NFTA_RULE_TABLE.rawValue), deadline: deadline
    ) { $0[Int(NFTA_RULE_CHAIN.rawValue)]?.text }
    let count = Dictionary(rules.map { ($0, 1) }, uniquingKeysWith: +)
    let sets = Set(
      try parts(NFT_MSG_GETSET, of: table, table: Int(NFTA_SET_TABLE.rawValue), deadline: deadline) {
        $0[Int(NFTA_SET_NAME.rawValue)]?.text
      })
    return table.chains.allSatisfy { count[$0.name.rawValue, default: 0] == $0.rules.count }
      && table.sets.allSatisfy { sets.contains($0.rawValue) }
  }

  /// What `read` makes of the parts of one kind that `table` has; `attribute` names the table in their messages.
  borrowing func parts<Value>(
    _ message: nf_tables_msg_types, of table: FirewallTable, table attribute: Int, deadline: Int64,
    _ read: (Attributes) -> Value?
  ) throws(NFTablesError) -> [Value] {
    try list(
      message, table.family, [(attribute, FirewallTable.name)], for: "reading table \(table)", deadline: deadline
    ) {
      // Old kernels answer with every table's.
      $0[attribute]?.text == FirewallTable.name ? read($0) : nil
    }
  }

  private borrowing func create(
    _ table: FirewallTable, _ elements: [Element], guarding links: [InterfaceName], replacing: Bool, generation: UInt32,
    deadline: Int64
  ) throws(NFTablesError) {
    var buffer = MessageBuffer(
      capacity: 64 << 10 + MessageBuffer.capacity(elements: elements.count, times: 1)
        + links.count * MessageBuffer.guardRoom, firstSequence: socket.sequenceForBatch)
    buffer.beginTransaction(generation: generation)
    if replacing { buffer.delete(table) }
    buffer.add(table)
    var setID: UInt32 = 1
    for set in table.sets {
      buffer.add(set, id: setID)
      setID += 1
    }
    // All chains come first: rules go to them.
    for chain in table.chains { buffer.add(chain, to: table) }
    for chain in table.chains {
      for rule in chain.rules {
        buffer.append(rule, to: chain.name, of: table, firstSetID: setID)
        setID += UInt32(rule.anonymousSets.count)
      }
    }
    buffer.change(NFT_MSG_NEWSETELEM, elements)
    for link in links { buffer.addGuard(link) }
    let request = "building table \(table)"
    do throws(NFTablesError) {
      try commit(&buffer, for: request, deadline: deadline)
    } catch {
      // Everything that the transaction names it makes itself: what is missing is the kernel's filter on bridges.
      guard table == .bridge, error.kind == .missing else { throw error }
      throw NFTablesError(request, code: EOPNOTSUPP, extack: "this kernel has no nf_tables for bridges")
    }
  }

  /// The number of the ruleset's generation, which every transaction counts up.
  borrowing func generation(deadline: Int64) throws(NFTablesError) -> UInt32 {
    var buffer = MessageBuffer(capacity: 256, firstSequence: socket.takeSequence(1))
    buffer.begin(NFTMessage.type(NFT_MSG_GETGEN), flags: 0, family: UInt8(AF_UNSPEC))
    buffer.end()
    var generation: UInt32 = 0
    try query(&buffer, for: "reading the ruleset's generation", deadline: deadline) {
      generation = $0[Int(NFTA_GEN_ID.rawValue)]?.number ?? 0
    }
    return generation
  }
}
