internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

extension NetlinkSocket {
  /// The routes of one table. As `ip route show table TABLE`. Routes with several next hops are given with the first.
  package func routes(
    _ family: Family, table: UInt32 = Route.mainTable, until deadline: Deadline
  ) throws(NetlinkError) -> [Route] {
    checkStrictly()
    var batch = Batch()
    var header = rtmsg()
    header.rtm_family = family.number
    batch.append(RTM_GETROUTE, flags: NLM_F_DUMP, header) { $0.put(Int(RTA_TABLE.rawValue), table) }
    do throws(NetlinkError) {
      return try dump(batch, until: deadline) { (message) throws(NetlinkError) in
        let route = try Route(message: message)
        return route?.table == table ? route : nil
      }
    } catch {
      // "FIB table does not exist": nobody ever put a route into it.
      guard error.errno == ENOENT else { throw error }
      return []
    }
  }

  /// The index of the link by which this host reaches the Internet; nil where no route leads there. It may be by a default
  /// route or by what does its work (`0.0.0.0/1`, a rule with a table of its own): so the kernel is asked for the way to
  /// an address that stands still, that of the root name server A. Nothing is sent there. As `ip route get 198.41.0.4`.
  package func uplink(_ family: Family, until deadline: Deadline) throws(NetlinkError) -> UInt32? {
    let target =
      family == .ipv4 ? IPAddress(.ipv4, 0xc629_0004) : IPAddress(.ipv6, 0x2001_0503_ba3e_0000_0000_0000_0002_0030)
    return try uplink(to: target, until: deadline)
  }

  /// The index of the link by which `target` is reached; nil where no route leads there. As `ip route get TARGET`.
  package func uplink(to target: IPAddress, until deadline: Deadline) throws(NetlinkError) -> UInt32? {
    guard let route = try way(to: target, until: deadline), route.kind == .unicast else { return nil }
    return route.link
  }

  /// Whether this host has the address. As `ip route get ADDRESS`.
  package func isLocal(_ address: IPAddress, until deadline: Deadline) throws(NetlinkError) -> Bool {
    try way(to: address, until: deadline)?.kind == .local
  }

  private func way(to target: IPAddress, until deadline: Deadline) throws(NetlinkError) -> Route? {
    let family = target.family
    var batch = Batch()
    var header = rtmsg()
    header.rtm_family = family.number
    header.rtm_dst_len = UInt8(family.bitCount)
    batch.append(RTM_GETROUTE, header) { $0.put(Int(RTA_DST.rawValue), target) }
    // What blackhole, prohibit, unreachable and throw routes answer, and no route at all.
    let absent = [ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EAGAIN, ENETDOWN, EAFNOSUPPORT, EOPNOTSUPP]
    let found = try ask(batch, absent: absent, until: deadline) { (message) throws(NetlinkError) in
      try Route(message: message)
    }
    return found ?? nil
  }
}

extension Route {
  /// Reads an `RTM_NEWROUTE`; nil for multicast and broadcast ones, for cached ones, and for other families.
  init?(message: RawSpan) throws(NetlinkError) {
    let header = try message.value(as: rtmsg.self)
    guard let family = Family(number: header.rtm_family), let kind = Kind(rawValue: header.rtm_type) else { return nil }
    var route = Route(family, to: nil)
    route.kind = kind
    route.table = UInt32(header.rtm_table)
    route.isOnLink = header.rtm_flags & UInt32(RTNH_F_ONLINK) != 0
    var target = IPAddress.any(family)
    try forEachAttribute(in: message, from: MemoryLayout<rtmsg>.size) { (type, value) throws(NetlinkError) in
      switch type {
      case Int(RTA_DST.rawValue): target = try value.address
      case Int(RTA_GATEWAY.rawValue): route.gateway = try value.address
      case Int(RTA_OIF.rawValue): route.link = try value.uint32
      case Int(RTA_PREFSRC.rawValue): route.source = try value.address
      case Int(RTA_PRIORITY.rawValue): route.metric = try value.uint32
      case Int(RTA_TABLE.rawValue): route.table = try value.uint32
      case Int(RTA_MULTIPATH.rawValue): try route.read(hops: value)
      default: break
      }
    }
    if header.rtm_dst_len > 0 {
      guard let destination = Prefix(target, Int(header.rtm_dst_len)) else {
        throw .malformed("a prefix length of \(header.rtm_dst_len)")
      }
      route.destination = destination
    }
    self = route
  }

  /// The first of several next hops (`struct rtnexthop`).
  private mutating func read(hops: RawSpan) throws(NetlinkError) {
    let hop = try hops.value(as: rtnexthop.self)
    let length = Int(hop.rtnh_len)
    guard length >= MemoryLayout<rtnexthop>.size, length <= hops.byteCount else {
      throw .malformed("a next hop of \(length) in \(hops.byteCount) bytes")
    }
    link = UInt32(truncatingIfNeeded: hop.rtnh_ifindex)
    var gateway: IPAddress?
    try forEachAttribute(in: hops.extracting(0..<length), from: MemoryLayout<rtnexthop>.size) {
      (type, value) throws(NetlinkError) in
      if type == Int(RTA_GATEWAY.rawValue) { gateway = try value.address }
    }
    self.gateway = gateway ?? self.gateway
  }
}
