internal import CNftnl
internal import Glibc

/// A 32-bit register of the nf_tables virtual machine, 0...15. Longer values fill the ones that follow.
struct Register: Sendable {
  let index: UInt32
  init(_ index: UInt32) { self.index = index }
  var number: UInt32 { UInt32(NFT_REG32_00.rawValue) + index }
}

/// One instruction of a rule, as the kernel has them (net/netfilter/nft_*.c).
enum Expression: Sendable {
  case payload(base: nft_payload_bases, offset: UInt32, length: UInt32, into: Register)
  case meta(nft_meta_keys, into: Register)
  /// A key of the connection; the direction is for keys that differ between the two.
  case ct(nft_ct_keys, direction: UInt8?, into: Register)
  /// The type of route (RTN_LOCAL…) to the destination address.
  case fibDestinationType(into: Register)
  case cmp(nft_cmp_ops, Register, [UInt8])
  /// register = register & mask
  case bitwise(Register, mask: [UInt8])
  /// Ends the rule unless the key is in the set (`isInverted`: is not); of a map, `into` gets the data.
  case lookup(SetReference, Register, into: Register?, isInverted: Bool)
  case nat(nft_nat_types, family: UInt8, address: Register, port: Register?)
  case masq
  case counter
  case immediate(Verdict)
  /// An xtables match, for rules that iptables has to recognise.
  case xtMatch(name: String, revision: UInt32, info: [UInt8])
}

/// The end of a rule.
enum Verdict: Sendable {
  case accept
  case drop
  /// On, and back here at its end.
  case goto(ChainName)
}

/// A set of the table by name, or one without a name that is sent with its rule.
enum SetReference: Sendable {
  case named(SetName)
  case anonymous(id: UInt32)
}

extension Expression {
  /// The expression as libnftnl's object, which the rule that it is added to frees; nil without memory.
  func make() -> OpaquePointer? {
    guard let object = nftnl_expr_alloc(kernelName) else { return nil }
    switch self {
    case .payload(let base, let offset, let length, let register):
      object.set(NFTNL_EXPR_PAYLOAD_BASE, base.rawValue)
      object.set(NFTNL_EXPR_PAYLOAD_OFFSET, offset)
      object.set(NFTNL_EXPR_PAYLOAD_LEN, length)
      object.set(NFTNL_EXPR_PAYLOAD_DREG, register.number)
    case .meta(let key, let register):
      object.set(NFTNL_EXPR_META_KEY, key.rawValue)
      object.set(NFTNL_EXPR_META_DREG, register.number)
    case .ct(let key, let direction, let register):
      object.set(NFTNL_EXPR_CT_KEY, key.rawValue)
      object.set(NFTNL_EXPR_CT_DREG, register.number)
      if let direction { nftnl_expr_set_u8(object, UInt16(NFTNL_EXPR_CT_DIR), direction) }
    case .fibDestinationType(let register):
      object.set(NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE.rawValue)
      object.set(NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR.rawValue)
      object.set(NFTNL_EXPR_FIB_DREG, register.number)
    case .cmp(let operation, let register, let bytes):
      object.set(NFTNL_EXPR_CMP_SREG, register.number)
      object.set(NFTNL_EXPR_CMP_OP, operation.rawValue)
      object.set(NFTNL_EXPR_CMP_DATA, bytes)
    case .bitwise(let register, let mask):
      object.set(NFTNL_EXPR_BITWISE_SREG, register.number)
      object.set(NFTNL_EXPR_BITWISE_DREG, register.number)
      object.set(NFTNL_EXPR_BITWISE_LEN, UInt32(mask.count))
      object.set(NFTNL_EXPR_BITWISE_MASK, mask)
      object.set(NFTNL_EXPR_BITWISE_XOR, [UInt8](repeating: 0, count: mask.count))
    case .lookup(let set, let key, let into, let isInverted):
      set.fill(object)
      object.set(NFTNL_EXPR_LOOKUP_SREG, key.number)
      if let into { object.set(NFTNL_EXPR_LOOKUP_DREG, into.number) }
      if isInverted { object.set(NFTNL_EXPR_LOOKUP_FLAGS, UInt32(NFT_LOOKUP_F_INV.rawValue)) }
    case .nat(let kind, let family, let address, let port):
      object.set(NFTNL_EXPR_NAT_TYPE, kind.rawValue)
      object.set(NFTNL_EXPR_NAT_FAMILY, UInt32(family))
      object.set(NFTNL_EXPR_NAT_REG_ADDR_MIN, address.number)
      if let port { object.set(NFTNL_EXPR_NAT_REG_PROTO_MIN, port.number) }
    case .masq, .counter: break
    case .immediate(let verdict): verdict.fill(object)
    case .xtMatch(let name, let revision, let info):
      nftnl_expr_set_str(object, UInt16(NFTNL_EXPR_MT_NAME), name)
      object.set(NFTNL_EXPR_MT_REV, revision)
      // libnftnl keeps the pointer that it is given here, and frees it.
      guard let copy = malloc(info.count) else { break }
      copy.copyMemory(from: info, byteCount: info.count)
      nftnl_expr_set(object, UInt16(NFTNL_EXPR_MT_INFO), copy, UInt32(info.count))
    }
    return object
  }

  private var kernelName: String {
    switch self {
    case .payload: "payload"
    case .meta: "meta"
    case .ct: "ct"
    case .fibDestinationType: "fib"
    case .cmp: "cmp"
    case .bitwise: "bitwise"
    case .lookup: "lookup"
    case .nat: "nat"
    case .masq: "masq"
    case .counter: "counter"
    case .immediate: "immediate"
    case .xtMatch: "match"
    }
  }
}

private extension SetReference {
  func fill(_ object: OpaquePointer) {
    switch self {
    case .named(let name): nftnl_expr_set_str(object, UInt16(NFTNL_EXPR_LOOKUP_SET), name.rawValue)
    case .anonymous(let id):
      nftnl_expr_set_str(object, UInt16(NFTNL_EXPR_LOOKUP_SET), AnonymousSet.name)
      object.set(NFTNL_EXPR_LOOKUP_SET_ID, id)
    }
  }
}

private extension Verdict {
  func fill(_ object: OpaquePointer) {
    object.set(NFTNL_EXPR_IMM_DREG, UInt32(NFT_REG_VERDICT.rawValue))
    switch self {
    case .accept: object.set(NFTNL_EXPR_IMM_VERDICT, UInt32(NF_ACCEPT))
    case .drop: object.set(NFTNL_EXPR_IMM_VERDICT, UInt32(NF_DROP))
    case .goto(let chain):
      object.set(NFTNL_EXPR_IMM_VERDICT, UInt32(bitPattern: NFT_GOTO.rawValue))
      nftnl_expr_set_str(object, UInt16(NFTNL_EXPR_IMM_CHAIN), chain.rawValue)
    }
  }
}

private extension OpaquePointer {
  func set(_ attribute: Int, _ value: UInt32) { nftnl_expr_set_u32(self, UInt16(attribute), value) }

  func set(_ attribute: Int, _ bytes: [UInt8]) {
    nftnl_expr_set(self, UInt16(attribute), bytes, UInt32(bytes.count))
  }
}
