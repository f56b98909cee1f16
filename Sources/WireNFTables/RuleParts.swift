internal import CNftnl
internal import Glibc
internal import WireCore

extension Part {
  /// Every part begins at register 0: it needs nothing of what an earlier part loaded.
  func append(to rule: inout Rule) {
    let first = Register(0)
    switch self {
    case .notFromLoopback:
      rule.compare(.meta(NFT_META_IIF, into: first), NFT_CMP_NEQ, native(1))
    case .fromKind(let kind):
      rule.compare(
        .meta(NFT_META_IIFKIND, into: first), NFT_CMP_EQ, Field.padded(Array(kind.utf8), to: InterfaceName.limit + 1))
    case .isIn(let set, let fields, let isInverted):
      rule.load(fields)
      rule.expressions.append(.lookup(.named(set), first, into: nil, isInverted: isInverted))
    case .loopback(let family, let field, let isInverted):
      // 127.0.0.0/8 is one byte.
      let bytes = family == .ipv4 ? [127] : IPAddress.loopback(.ipv6).bytes
      rule.require(family)
      rule.compare(field.load(into: first, bytes: bytes.count), isInverted ? NFT_CMP_NEQ : NFT_CMP_EQ, bytes)
    case .toThisHost:
      rule.compare(.fibDestinationType(into: first), NFT_CMP_EQ, native(UInt32(RTN_LOCAL)))
    case .hasPorts:
      rule.expressions.append(KeyField.transport.load(into: first))
      let numbers = TransportProtocol.allCases.map { [$0.number] }
      rule.lookUp(AnonymousSet(type: .transportProtocol, members: numbers))
    case .neighborDiscovery:
      rule.require(.ipv6)
      rule.compare(KeyField.transport.load(into: first), NFT_CMP_EQ, [UInt8(IPPROTO_ICMPV6)])
      rule.expressions.append(.payload(base: NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 1, into: first))
      // RFC 4861 4.1, 4.3 and 4.4: router solicitation, neighbor solicitation and advertisement.
      rule.lookUp(AnonymousSet(type: .icmpv6Type, members: [[133], [135], [136]]))
    case .carries(let type):
      rule.compare(
        .meta(NFT_META_PROTOCOL, into: first), NFT_CMP_EQ, [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xff)])
    case .resolvesIPv4:
      let header = Expression.payload(base: NFT_PAYLOAD_NETWORK_HEADER, offset: 0, length: 6, into: first)
      rule.compare(header, NFT_CMP_EQ, [0, 1, 8, 0, 6, 4])
    case .isNobody(let field):
      rule.compare(field.load(into: first), NFT_CMP_EQ, [UInt8](repeating: 0, count: field.type.length))
    case .icmpv6(let type):
      rule.compare(KeyField.transport.load(into: first), NFT_CMP_EQ, [UInt8(IPPROTO_ICMPV6)])
      rule.compare(
        .payload(base: NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 1, into: first), NFT_CMP_EQ, [type])
    case .established:
      // NF_CT_STATE_BIT of the kernel's nf_conntrack_common.h.
      rule.test(
        .ct(NFT_CT_STATE, direction: nil, into: first),
        1 << (IP_CT_ESTABLISHED.rawValue + 1) | 1 << (IP_CT_RELATED.rawValue + 1))
    case .translated:
      rule.test(.ct(NFT_CT_STATUS, direction: nil, into: first), IPS_DST_NAT.rawValue)
    case .dnat(let map, let fields, let family):
      rule.load(fields)
      rule.expressions.append(.lookup(.named(map), first, into: first, isInverted: false))
      let port = Register(UInt32(family.byteCount / 4))
      rule.expressions.append(.nat(NFT_NAT_DNAT, family: family.protocolFamily, address: first, port: port))
    case .snat(let map, let family):
      rule.load([.source(family)])
      rule.expressions.append(.lookup(.named(map), first, into: first, isInverted: false))
      rule.expressions.append(.nat(NFT_NAT_SNAT, family: family.protocolFamily, address: first, port: nil))
    case .masquerade: rule.expressions.append(.masq)
    case .counter: rule.expressions.append(.counter)
    case .verdict(let verdict): rule.expressions.append(.immediate(verdict))
    }
  }

  /// Numbers that are not from a packet are in the host's byte order.
  private func native(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}

private extension Rule {
  mutating func compare(_ load: Expression, _ operation: nft_cmp_ops, _ bytes: [UInt8]) {
    expressions += [load, .cmp(operation, Register(0), bytes)]
  }

  /// Goes on if any bit of `mask` is set in what `load` loads.
  mutating func test(_ load: Expression, _ mask: UInt32) {
    let bytes = withUnsafeBytes(of: mask) { Array($0) }
    expressions += [load, .bitwise(Register(0), mask: bytes), .cmp(NFT_CMP_NEQ, Register(0), [0, 0, 0, 0])]
  }

  /// An inet chain sees both families; an address is read only after asking which.
  mutating func require(_ family: Family) {
    compare(.meta(NFT_META_NFPROTO, into: Register(0)), NFT_CMP_EQ, [family.protocolFamily])
  }

  /// Loads a concatenation: each field begins a register.
  mutating func load(_ fields: [KeyField]) {
    if let family = fields.lazy.compactMap(\.family).first { require(family) }
    var register: UInt32 = 0
    for field in fields {
      expressions.append(field.load(into: Register(register)))
      register += UInt32(field.type.paddedLength / 4)
    }
  }

  mutating func lookUp(_ set: AnonymousSet) {
    expressions.append(
      .lookup(.anonymous(id: UInt32(anonymousSets.count)), Register(0), into: nil, isInverted: false))
    anonymousSets.append(set)
  }
}

extension Family {
  /// NFPROTO_IPV4 or NFPROTO_IPV6.
  var protocolFamily: UInt8 { UInt8(self == .ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6) }
}
