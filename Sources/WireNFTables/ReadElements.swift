internal import CNftnl
internal import Glibc

extension FirewallSocket {
  /// The version of the table's ruleset; nil without a table, 0 for a table that is not of any version of ours.
  package borrowing func version(
    of table: FirewallTable = .inet, deadline: Int64
  ) throws(NFTablesError) -> UInt32? {
    var buffer = MessageBuffer(capacity: 256, firstSequence: socket.takeSequence(1))
    buffer.begin(NFTMessage.type(NFT_MSG_GETTABLE), flags: 0, family: table.family)
    buffer.put(Int(NFTA_TABLE_NAME.rawValue), FirewallTable.name)
    buffer.end()
    do throws(NFTablesError) {
      var version: UInt32?
      try query(&buffer, for: "reading table \(table)", deadline: deadline) {
        let notes = $0[Int(NFTA_TABLE_USERDATA.rawValue)]?.array ?? []
        version = UserData.text(UInt8(NFTNL_UDATA_TABLE_COMMENT.rawValue), in: notes).flatMap(TableVersion.parse) ?? 0
      }
      return version
    } catch {
      guard error.kind == .missing else { throw error }
      return nil
    }
  }

  /// What `set` holds, as `nft list set TABLE NAME`; `.missing` without table or set.
  package borrowing func elements(of set: SetName, deadline: Int64) throws(NFTablesError) -> [Element] {
    let scope = [
      (Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), FirewallTable.name),
      (Int(NFTA_SET_ELEM_LIST_SET.rawValue), set.rawValue),
    ]
    let found = try list(
      NFT_MSG_GETSETELEM, set.table.family, scope, for: "listing \(set.rawValue) of \(set.table)", deadline: deadline
    ) { RawElement.all(in: $0) }
    // A hash table that the kernel is just resizing is walked in part twice (rhashtable_walk_next).
    var seen: Set<Element> = []
    return RawElement.join(found.flatMap { $0 }, of: set).filter { seen.insert($0).inserted }
  }

  /// Those of `elements` that are not there, or whose key a map holds with other data. Without the table: all of them.
  package borrowing func missing(of elements: [Element], deadline: Int64) throws(NFTablesError) -> [Element] {
    var present: Set<Element> = []
    for set in SetName.allCases {
      let wanted = elements.filter { $0.set == set }
      guard !wanted.isEmpty else { continue }
      do throws(NFTablesError) {
        // A question each for a few; an interval set answers with whatever covers a key, so it is read as a whole.
        if wanted.count <= 16, !set.definition.isInterval {
          present.formUnion(try current(wanted, deadline: deadline))
        } else {
          present.formUnion(try self.elements(of: set, deadline: deadline))
        }
      } catch {
        guard error.kind == .missing else { throw error }
      }
    }
    return elements.filter { !present.contains($0) }
  }

  /// What the sets hold under the keys of `elements`, none of an interval set.
  borrowing func current(_ elements: [Element], deadline: Int64) throws(NFTablesError) -> [Element] {
    var found: [Element] = []
    for element in elements where !element.set.definition.isInterval {
      var buffer = MessageBuffer(capacity: 512, firstSequence: socket.takeSequence(1))
      buffer.ask(for: element)
      do throws(NFTablesError) {
        try query(&buffer, for: "reading an element of \(element.set.table)", deadline: deadline) {
          found += RawElement.join(RawElement.all(in: $0), of: element.set)
        }
      } catch {
        guard error.kind == .missing else { throw error }
      }
    }
    return found
  }

  /// What `read` makes of the messages of a dump. One that changes ran through (`NLM_F_DUMP_INTR`: the ruleset's generation
  /// is another by then) is taken again, so that what comes of it is of one moment.
  borrowing func list<Value>(
    _ message: nf_tables_msg_types, _ family: UInt8, _ scope: [(attribute: Int, text: String)], for request: String,
    deadline: Int64, _ read: (Attributes) -> Value?
  ) throws(NFTablesError) -> [Value] {
    for _ in 0..<Self.attempts {
      var buffer = MessageBuffer(capacity: 512, firstSequence: socket.takeSequence(1))
      buffer.begin(NFTMessage.type(message), flags: UInt16(NLM_F_DUMP), family: family)
      for (attribute, text) in scope { buffer.put(attribute, text) }
      buffer.end()
      var found: [Value] = []
      let isWhole = try query(&buffer, for: request, deadline: deadline) {
        if let value = read($0) { found.append(value) }
      }
      if isWhole { return found }
    }
    throw NFTablesError(request, code: ERESTART)
  }

  /// Sends one question and hands the attributes of each answer to `body`. False: a dump that changes ran through.
  @discardableResult
  borrowing func query(
    _ buffer: inout MessageBuffer, for request: String, deadline: Int64, _ body: (Attributes) -> Void
  ) throws(NFTablesError) -> Bool {
    guard !buffer.overflowed else { throw NFTablesError(request, code: EMSGSIZE) }
    let sequence = buffer.lastSequence
    try socket.send(buffer.bytes, for: request)
    var code: Int32 = 0
    var extack: String?
    var isWhole = true
    try socket.replies(for: request, deadline: deadline) { reply in
      guard reply.sequence == sequence else { return true }
      if reply.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isWhole = false }
      if reply.isError || reply.isDone {
        code = reply.code
        extack = reply.extack
        return false
      }
      body(reply.attributes)
      return reply.flags & UInt16(NLM_F_MULTI) != 0
    }
    guard code == 0 else { throw NFTablesError(request, code: code, extack: extack) }
    return isWhole
  }
}

/// An element as the kernel lists it: of an interval of a single field each end is one.
private struct RawElement {
  let key: [UInt8]
  let keyEnd: [UInt8]?
  let data: [UInt8]?
  let endsInterval: Bool

  static func all(in message: Attributes) -> [RawElement] {
    var found: [RawElement] = []
    message[Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)]?.forEach { _, element in
      guard let key = value(element[Int(NFTA_SET_ELEM_KEY.rawValue)]) else { return }
      let flags = element[Int(NFTA_SET_ELEM_FLAGS.rawValue)]?.number ?? 0
      found.append(
        RawElement(
          key: key, keyEnd: value(element[Int(NFTA_SET_ELEM_KEY_END.rawValue)]),
          data: value(element[Int(NFTA_SET_ELEM_DATA.rawValue)]),
          endsInterval: flags & NFT_SET_ELEM_INTERVAL_END.rawValue != 0))
    }
    return found
  }

  private static func value(_ nest: Attributes?) -> [UInt8]? { nest?[Int(NFTA_DATA_VALUE.rawValue)]?.array }

  /// The elements of `set`, with both ends of an interval put together.
  static func join(_ raw: [RawElement], of set: SetName) -> [Element] {
    let definition = set.definition
    guard definition.isInterval, !definition.hasKeyEnds else {
      return raw.map { Element(set, $0.key, end: definition.isInterval ? $0.keyEnd ?? $0.key : nil, data: $0.data) }
    }
    // Where one interval begins behind another, the end comes first.
    let sorted = raw.sorted {
      $0.key == $1.key ? $0.endsInterval && !$1.endsInterval : $0.key.lexicographicallyPrecedes($1.key)
    }
    return sorted.indices.compactMap { index in
      let start = sorted[index]
      guard !start.endsInterval else { return nil }
      let next = index + 1 < sorted.count ? sorted[index + 1] : nil
      let last = next?.endsInterval == true ? next?.key.predecessor : nil
      return Element(set, start.key, end: last ?? [UInt8](repeating: 0xff, count: start.key.count), data: start.data)
    }
  }
}
