internal import CMnl
internal import CNftnl
internal import Glibc
internal import WireCore

/// A rule of DOCKER-USER, as far as we care: whether it accepts a link, whether it is ours, whether it ends the chain.
struct UserRule {
  enum Direction: CaseIterable, Sendable {
    case from, to

    var key: nft_meta_keys { self == .from ? NFT_META_IIFNAME : NFT_META_OIFNAME }
  }

  enum Change {
    /// Nil: at the end.
    case insert(InterfaceName, Direction, before: UInt64?)
    /// As `-d ADDRESS -o LINK -m conntrack --ctstate DNAT -j ACCEPT`.
    case insertPublished(InterfaceName, IPAddress, before: UInt64?)
    case delete(handle: UInt64)
  }

  let handle: UInt64
  private var metaKey: UInt32?
  private var compared: [UInt8]?
  private var verdict: Int32?
  private var comment: String?
  /// Anything that we do not know narrows the rule, so it is no accept of ours.
  private var hasOthers = false

  /// Reads an NFT_MSG_NEWRULE; nil if it is of another chain, which kernels before 4.17 mix in.
  init?(_ message: Attributes) {
    guard message[Int(NFTA_RULE_TABLE.rawValue)]?.text == DockerUser.table,
      message[Int(NFTA_RULE_CHAIN.rawValue)]?.text == DockerUser.chain,
      let bytes = message[Int(NFTA_RULE_HANDLE.rawValue)]?.array, bytes.count == 8
    else { return nil }
    handle = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    var expressions: [(name: String, data: Attributes)] = []
    message[Int(NFTA_RULE_EXPRESSIONS.rawValue)]?.forEach { _, expression in
      guard let name = expression[Int(NFTA_EXPR_NAME.rawValue)]?.text else { return }
      let none = Attributes(bytes: UnsafeRawBufferPointer(start: nil, count: 0))
      expressions.append((name, expression[Int(NFTA_EXPR_DATA.rawValue)] ?? none))
    }
    for (name, data) in expressions { read(name, data) }
  }

  private mutating func read(_ name: String, _ data: Attributes) {
    switch name {
    case "counter": break
    case "meta" where metaKey == nil: metaKey = data[Int(NFTA_META_KEY.rawValue)]?.number
    case "cmp" where compared == nil && data[Int(NFTA_CMP_OP.rawValue)]?.number == NFT_CMP_EQ.rawValue:
      compared = data[Int(NFTA_CMP_DATA.rawValue)]?[Int(NFTA_DATA_VALUE.rawValue)]?.array
    case "match" where data[Int(NFTA_MATCH_NAME.rawValue)]?.text == "comment":
      comment = data[Int(NFTA_MATCH_INFO.rawValue)]?.text
    case "immediate":
      let code = data[Int(NFTA_IMMEDIATE_DATA.rawValue)]?[Int(NFTA_DATA_VERDICT.rawValue)]?[
        Int(NFTA_VERDICT_CODE.rawValue)]
      verdict = code?.number.map { Int32(bitPattern: $0) }
    default: hasOthers = true
    }
  }

  var isOurs: Bool { comment == DockerUser.comment }

  /// Whether it accepts what is published to `target` behind `link`. Its comment names both: the other conditions may have
  /// been written anew, in another order, by iptables-restore.
  func acceptsPublished(_ target: IPAddress, _ link: InterfaceName) -> Bool {
    comment == DockerUser.comment(target, link) && verdict == Int32(NF_ACCEPT)
  }

  /// `-j RETURN` without any condition.
  var returns: Bool { !hasOthers && metaKey == nil && compared == nil && verdict == NFT_RETURN.rawValue }

  /// `-i LINK -j ACCEPT` (or `-o`) without any other condition. A name without its NUL would be a prefix: `-i LINK+`.
  func accepts(_ link: InterfaceName, _ direction: Direction) -> Bool {
    guard !hasOthers, metaKey == direction.key.rawValue, verdict == Int32(NF_ACCEPT), let compared else { return false }
    let name = Array(link.description.utf8)
    return compared.starts(with: name) && compared.count > name.count
      && compared.dropFirst(name.count).allSatisfy { $0 == 0 }
  }
}

extension MessageBuffer {
  mutating func add(_ change: UserRule.Change, _ family: Family) {
    switch change {
    case .insert(let link, let direction, let position): insert(link, direction, before: position, family)
    case .insertPublished(let link, let target, let position):
      insertPublished(link, target, before: position, family)
    case .delete(let handle):
      begin(NFTMessage.type(NFT_MSG_DELRULE), flags: 0, family: family.protocolFamily)
      put(Int(NFTA_RULE_TABLE.rawValue), DockerUser.table)
      put(Int(NFTA_RULE_CHAIN.rawValue), DockerUser.chain)
      put(Int(NFTA_RULE_HANDLE.rawValue), withUnsafeBytes(of: handle.bigEndian) { Array($0) })
      end()
    }
  }

  private mutating func insert(
    _ link: InterfaceName, _ direction: UserRule.Direction, before position: UInt64?, _ family: Family
  ) {
    let register = Register(0)
    let comment = Field.padded(Array(DockerUser.comment.utf8), to: Int(XT_MAX_COMMENT_LEN))
    append(
      [
        .meta(direction.key, into: register),
        .cmp(NFT_CMP_EQ, register, Array(link.description.utf8) + [0]),
        .xtMatch(name: "comment", revision: 0, info: comment), .counter, .immediate(.accept),
      ],
      to: DockerUser.chain, of: DockerUser.table, family: family.protocolFamily, before: position, comment: nil)
  }
}
