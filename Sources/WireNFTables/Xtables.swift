internal import CNftnl

/// The matches of xtables, as iptables-legacy has them in its entries and iptables-nft in its rules.
enum XtablesMatch {
  /// The conditions of one match; `info` is its own structure.
  static func conditions(name: String, info: [UInt8]) -> [FilterCondition] {
    switch name {
    case "comment": []
    case "conntrack": connection(info)
    case "state": [.states(info.word(at: 0), isInverted: false)]
    case "tcp": ports(info, at: 4, invertedAt: 11)
    case "udp": ports(info, at: 4, invertedAt: 8)
    case _ where narrow.contains(name): [.narrows]
    default: [.unknown("match \(name)")]
    }
  }

  /// Matches that pick some packets by what a traveller does not say.
  private static let narrow: Set<String> = [
    "addrtype", "ah", "connbytes", "connlimit", "connmark", "dccp", "dscp", "dst", "ecn", "esp", "frag", "hashlimit",
    "hbh",
    "helper", "hl", "icmp", "icmp6", "iprange", "ipv6header", "length", "limit", "mac", "mark", "mh", "multiport",
    "owner",
    "pkttype", "quota", "recent", "rpfilter", "rt", "sctp", "set", "statistic", "string", "tcpmss", "time", "tos",
    "ttl",
    "u32",
  ]

  /// `struct xt_conntrack_mtinfo2` or `3`, which begin alike; older ones are shorter.
  private static func connection(_ info: [UInt8]) -> [FilterCondition] {
    typealias Layout = xt_conntrack_mtinfo2
    guard info.count >= MemoryLayout<Layout>.size,
      let flagsAt = MemoryLayout<Layout>.offset(of: \.match_flags),
      let invertedAt = MemoryLayout<Layout>.offset(of: \.invert_flags),
      let stateAt = MemoryLayout<Layout>.offset(of: \.state_mask)
    else { return [.unknown("match conntrack")] }
    var flags = info.half(at: flagsAt)
    let inverted = info.half(at: invertedAt)
    var conditions: [FilterCondition] = []
    let state = UInt32(XT_CONNTRACK_STATE)
    if flags & state != 0 {
      conditions.append(.states(info.half(at: stateAt), isInverted: inverted & state != 0))
      flags &= ~(state | UInt32(XT_CONNTRACK_STATE_ALIAS))
    }
    if flags != 0 { conditions.append(inverted & flags == 0 ? .narrows : .unknown("match conntrack")) }
    return conditions
  }

  /// `struct xt_tcp` and `struct xt_udp`: source ports, destination ports, each first and last.
  private static func ports(_ info: [UInt8], at place: Int, invertedAt: Int) -> [FilterCondition] {
    let (first, last) = (info.half(at: place), info.half(at: place + 2))
    let inverted = invertedAt < info.count ? info[invertedAt] : 0
    guard first <= last else { return [.unknown("match on ports")] }
    var conditions: [FilterCondition] = []
    if info.half(at: 0) != 0 || info.half(at: 2) != 0xffff { conditions.append(.narrows) }
    if first != 0 || last != 0xffff {
      conditions.append(
        .isWithin(.destinationPort, first...last, isInverted: inverted & UInt8(XT_TCP_INV_DSTPT) != 0))
    }
    return conditions
  }
}

/// The targets of xtables that are no verdicts.
enum XtablesTarget {
  static func outcome(name: String) -> FilterOutcome {
    if name == "REJECT" { return .reject }
    return goOn.contains(name) ? .goesOn : .unknown("target \(name)")
  }

  private static let goOn: Set<String> = [
    "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "CT", "DNAT", "DSCP", "HL", "LOG", "MARK", "MASQUERADE",
    "NETMAP", "NFLOG", "NOTRACK", "REDIRECT", "SECMARK", "SET", "SNAT", "TCPMSS", "TEE", "TOS", "TRACE", "TTL",
  ]
}

extension [UInt8] {
  /// Numbers in the host's order at a place; 0 past the end.
  func half(at place: Int) -> UInt32 { number(at: place, 2) }
  func word(at place: Int) -> UInt32 { number(at: place, 4) }

  private func number(at place: Int, _ count: Int) -> UInt32 {
    guard place >= 0, place + count <= self.count else { return 0 }
    var value: UInt32 = 0
    for index in 0..<count {
      let byte = UInt32(self[place + index])
      #if _endian(little)
        value |= byte << (8 * UInt32(index))
      #else
        value = value << 8 | byte
      #endif
    }
    return value
  }

  /// Text of at most `count` bytes at a place, up to its NUL.
  func text(at place: Int, _ count: Int) -> String {
    guard place >= 0, place + count <= self.count else { return "" }
    return String(decoding: self[place..<place + count].prefix { $0 != 0 }, as: UTF8.self)
  }
}
