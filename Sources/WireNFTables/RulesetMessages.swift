internal import CMnl
internal import CNftnl
internal import Glibc

/// What a libnftnl object may need in a message. Its builders do not check room; the largest of ours has 800 bytes.
private let objectRoom = 4096

extension MessageBuffer {
  mutating func beginTransaction(generation: UInt32? = nil) {
    begin(
      UInt16(NFNL_MSG_BATCH_BEGIN), flags: 0, family: UInt8(AF_UNSPEC), resource: UInt16(NFNL_SUBSYS_NFTABLES))
    if let generation { put(Int(NFNL_BATCH_GENID.rawValue), generation) }
    end()
  }

  mutating func commit() {
    begin(
      UInt16(NFNL_MSG_BATCH_END), flags: 0, family: UInt8(AF_UNSPEC), resource: UInt16(NFNL_SUBSYS_NFTABLES))
    end()
  }

  /// As `nft add table inet wirehook`, with the version as its comment.
  mutating func add(_ table: FirewallTable) {
    guard let object = nftnl_table_alloc() else { return fail() }
    defer { nftnl_table_free(object) }
    nftnl_table_set_str(object, UInt16(NFTNL_TABLE_NAME.rawValue), FirewallTable.name)
    nftnl_table_set_u32(object, UInt16(NFTNL_TABLE_FLAGS.rawValue), 0)
    let comment = UserData.text(UInt8(NFTNL_UDATA_TABLE_COMMENT.rawValue), TableVersion.comment(table.version))
    nftnl_table_set_data(object, UInt16(NFTNL_TABLE_USERDATA.rawValue), comment, UInt32(comment.count))
    begin(NFTMessage.type(NFT_MSG_NEWTABLE), flags: UInt16(NLM_F_CREATE), family: table.family, roomFor: objectRoom)
    guard !overflowed else { return }
    nftnl_table_nlmsg_build_payload(header, object)
    end()
  }

  mutating func delete(_ table: FirewallTable) {
    begin(NFTMessage.type(NFT_MSG_DELTABLE), flags: 0, family: table.family)
    put(Int(NFTA_TABLE_NAME.rawValue), FirewallTable.name)
    end()
  }

  mutating func add(_ chain: Chain, to table: FirewallTable) {
    guard let object = nftnl_chain_alloc() else { return fail() }
    defer { nftnl_chain_free(object) }
    nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TABLE.rawValue), FirewallTable.name)
    nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_NAME.rawValue), chain.name.rawValue)
    if let hook = chain.hook {
      nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TYPE.rawValue), hook.type)
      nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue), hook.number)
      nftnl_chain_set_s32(object, UInt16(NFTNL_CHAIN_PRIO.rawValue), hook.priority)
      nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_POLICY.rawValue), UInt32(NF_ACCEPT))
    }
    begin(NFTMessage.type(NFT_MSG_NEWCHAIN), flags: UInt16(NLM_F_CREATE), family: table.family, roomFor: objectRoom)
    guard !overflowed else { return }
    nftnl_chain_nlmsg_build_payload(header, object)
    end()
  }

  /// A rule behind the others of its chain, and before it the sets that it has for itself. `firstSetID` counts them.
  mutating func append(_ rule: Rule, to chain: ChainName, of table: FirewallTable, firstSetID: UInt32) {
    for (index, set) in rule.anonymousSets.enumerated() { add(set, of: table, id: firstSetID + UInt32(index)) }
    append(
      rule.expressions.map { $0.numbered(from: firstSetID) }, to: chain.rawValue, of: FirewallTable.name,
      family: table.family, comment: rule.comment)
  }

  /// As `nft add rule`; with `position`, as `nft insert rule … handle N`.
  mutating func append(
    _ expressions: [Expression], to chain: String, of table: String, family: UInt8, before position: UInt64? = nil,
    comment: String?
  ) {
    guard let object = nftnl_rule_alloc() else { return fail() }
    defer { nftnl_rule_free(object) }
    nftnl_rule_set_str(object, UInt16(NFTNL_RULE_TABLE.rawValue), table)
    nftnl_rule_set_str(object, UInt16(NFTNL_RULE_CHAIN.rawValue), chain)
    if let position { nftnl_rule_set_u64(object, UInt16(NFTNL_RULE_POSITION.rawValue), position) }
    if let comment {
      let text = UserData.text(UInt8(NFTNL_UDATA_RULE_COMMENT.rawValue), comment)
      nftnl_rule_set_data(object, UInt16(NFTNL_RULE_USERDATA.rawValue), text, UInt32(text.count))
    }
    for expression in expressions {
      guard let made = expression.make() else { return fail() }
      nftnl_rule_add_expr(object, made)
    }
    let place = position == nil ? UInt16(NLM_F_APPEND) : 0
    begin(NFTMessage.type(NFT_MSG_NEWRULE), flags: UInt16(NLM_F_CREATE) | place, family: family, roomFor: objectRoom)
    guard !overflowed else { return }
    nftnl_rule_nlmsg_build_payload(header, object)
    end()
  }
}

extension Expression {
  /// Sets without a name are numbered within a rule; in a transaction each needs a number of its own.
  fileprivate func numbered(from first: UInt32) -> Expression {
    guard case .lookup(.anonymous(let id), let key, let into, let isInverted) = self else { return self }
    return .lookup(.anonymous(id: first + id), key, into: into, isInverted: isInverted)
  }
}

enum NFTMessage {
  /// A message type of the nf_tables subsystem.
  static func type(_ message: nf_tables_msg_types) -> UInt16 {
    UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(message.rawValue)
  }
}

/// nft's own notes on an object: type, length, value (libnftnl's udata.h).
enum UserData {
  static func text(_ type: UInt8, _ text: String) -> [UInt8] {
    let bytes = Array(text.utf8.prefix(Int(NFTNL_UDATA_COMMENT_MAXLEN) - 1)) + [0]
    return [type, UInt8(bytes.count)] + bytes
  }

  static func number(_ type: UInt8, _ value: UInt32) -> [UInt8] {
    [type, 4] + withUnsafeBytes(of: value) { Array($0) }
  }

  private static func nest(_ type: UInt8, _ notes: [UInt8]...) -> [UInt8] {
    let bytes = notes.flatMap { $0 }
    return [type, UInt8(bytes.count)] + bytes
  }

  /// What nft notes of `typeof iifname . @nh,64,128` (its `enum expr_types`, which stand in the kernel's memory and so are
  /// fixed): a concatenation (13) of meta (9) and payload (7), each with its kind and then its own notes.
  static let typeOfNameAndRaw128: [UInt8] = nest(
    UInt8(NFTNL_UDATA_SET_KEY_TYPEOF.rawValue), number(0, 13),
    nest(
      1, nest(0, number(0, 9), nest(1, number(0, UInt32(NFT_META_IIFNAME.rawValue)))),
      // No protocol that nft knows, base (2 network), offset and length in bits.
      nest(
        1, number(0, 7), nest(1, number(0, 0), number(1, 0), number(2, 2), number(3, 64), number(4, 128)))))

  /// The text of the first note of `type`.
  static func text(_ type: UInt8, in bytes: [UInt8]) -> String? {
    var rest = bytes[...]
    while let found = rest.first, let length = rest.dropFirst().first {
      let value = rest.dropFirst(2).prefix(Int(length))
      if found == type { return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
      rest = rest.dropFirst(2 + Int(length))
    }
    return nil
  }
}

/// The version of the ruleset, in the table's comment.
enum TableVersion {
  private static let prefix = "wirehook ruleset "

  static func comment(_ version: UInt32) -> String { prefix + String(version) }
  static func parse(_ comment: String) -> UInt32? {
    comment.hasPrefix(prefix) ? UInt32(comment.dropFirst(prefix.count)) : nil
  }
}
