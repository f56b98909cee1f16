internal import CNftnl
internal import Glibc
package import WireCore

/// What a rule makes of a packet's destination (DNAT, redirect).
package enum DestinationRewrite: Sendable, Hashable {
  /// What is nil stays as it is.
  case to(IPAddress?, port: UInt16?)
  /// To the host itself, by the link that it came in by.
  case redirect(port: UInt16?)
  /// To one of several, or to what a map says.
  case unknown
}

extension DestinationRewrite {
  /// Reads the expressions of a rule; nil where none of them rewrites the destination.
  init?(expressions: Attributes) {
    // Where expressions say the register that they load.
    let targets = [
      "lookup": Int(NFTA_LOOKUP_DREG.rawValue), "numgen": Int(NFTA_NG_DREG.rawValue),
      "hash": Int(NFTA_HASH_DREG.rawValue), "payload": Int(NFTA_PAYLOAD_DREG.rawValue),
      "meta": Int(NFTA_META_DREG.rawValue), "bitwise": Int(NFTA_BITWISE_DREG.rawValue),
    ]
    var registers: [UInt32: [UInt8]] = [:]
    var found: DestinationRewrite?
    expressions.forEach { _, expression in
      guard let data = expression[Int(NFTA_EXPR_DATA.rawValue)] else { return }
      switch expression[Int(NFTA_EXPR_NAME.rawValue)]?.text {
      case "immediate":
        guard let register = data[Int(NFTA_IMMEDIATE_DREG.rawValue)]?.number else { return }
        registers[register] = data[Int(NFTA_IMMEDIATE_DATA.rawValue)]?[Int(NFTA_DATA_VALUE.rawValue)]?.array
      case let name? where targets[name] != nil:
        // What it loads is not known here.
        if let register = data[targets[name] ?? 0]?.number { registers[register] = nil }
      case "nat": found = found ?? Self.nat(data, registers)
      case "redir": found = found ?? Self.redirect(data, registers)
      case "target": found = found ?? Self.target(data)
      case "tproxy": found = found ?? .unknown
      default: break
      }
    }
    guard let found else { return nil }
    self = found
  }

  private static func nat(_ data: Attributes, _ registers: [UInt32: [UInt8]]) -> DestinationRewrite? {
    guard data[Int(NFTA_NAT_TYPE.rawValue)]?.number == NFT_NAT_DNAT.rawValue else { return nil }
    let value = { (attribute: nft_nat_attributes) in data[Int(attribute.rawValue)]?.number.map { registers[$0] } }
    let (first, last) = (value(NFTA_NAT_REG_ADDR_MIN), value(NFTA_NAT_REG_ADDR_MAX))
    let (low, high) = (value(NFTA_NAT_REG_PROTO_MIN), value(NFTA_NAT_REG_PROTO_MAX))
    // A register that is named and holds nothing known, or the ends of a range.
    if first == .some(nil) || low == .some(nil) || last != nil && last != first || high != nil && high != low {
      return .unknown
    }
    let address = first.flatMap { $0 }.flatMap { IPAddress(bytes: $0) }
    let port = low.flatMap { $0 }.map { number($0, at: 0) }
    return address == nil && first != nil ? .unknown : .to(address, port: port)
  }

  private static func redirect(_ data: Attributes, _ registers: [UInt32: [UInt8]]) -> DestinationRewrite {
    let low = data[Int(NFTA_REDIR_REG_PROTO_MIN.rawValue)]?.number
    let high = data[Int(NFTA_REDIR_REG_PROTO_MAX.rawValue)]?.number
    guard let low else { return .redirect(port: nil) }
    guard let port = registers[low], high == nil || registers[high ?? low] == port else { return .unknown }
    return .redirect(port: number(port, at: 0))
  }

  /// A target of xtables. DNAT since revision 2, and REDIRECT of IPv6, are a `struct nf_nat_range2`: flags, both ends of the
  /// addresses and of the ports; before, and REDIRECT of IPv4, a `struct nf_nat_ipv4_multi_range_compat`.
  private static func target(_ data: Attributes) -> DestinationRewrite? {
    guard let name = data[Int(NFTA_TARGET_NAME.rawValue)]?.text, ["DNAT", "REDIRECT"].contains(name) else { return nil }
    let info = data[Int(NFTA_TARGET_INFO.rawValue)]?.array ?? []
    let isOld = (data[Int(NFTA_TARGET_REV.rawValue)]?.number ?? 0) == 0 && info.word(at: 0) == 1 && info.count < 36
    let flags = info.word(at: isOld ? 4 : 0)
    let (addresses, step, ports) = isOld ? (8, 4, 16) : (4, 16, 36)
    guard ports + 4 <= info.count else { return .unknown }
    let isIPv4 = isOld || info[addresses + 4..<addresses + 16].allSatisfy { $0 == 0 }
    let bytes = { (at: Int) in Array(info[at..<at + (isIPv4 ? 4 : 16)]) }
    let hasPorts = flags & UInt32(NF_NAT_RANGE_PROTO_SPECIFIED) != 0
    let port = hasPorts ? number(info, at: ports) : nil
    if hasPorts, number(info, at: ports) != number(info, at: ports + 2) { return .unknown }
    if name == "REDIRECT" { return .redirect(port: port) }
    guard flags & UInt32(NF_NAT_RANGE_MAP_IPS) != 0 else { return .to(nil, port: port) }
    guard bytes(addresses) == bytes(addresses + step) else { return .unknown }
    return .to(IPAddress(bytes: bytes(addresses)), port: port)
  }

  /// Two bytes in network order.
  private static func number(_ bytes: [UInt8], at place: Int) -> UInt16 {
    place + 2 <= bytes.count ? UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]) : 0
  }
}
