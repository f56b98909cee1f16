internal import CMnl
internal import WireCore

extension Batch {
  /// A request as error messages name it, `RTM_NEWLINK whabc`: read back from its bytes, since only an error needs it.
  func name(of index: Int) -> String {
    if let title { return title }
    do throws(NetlinkError) {
      var rest = RawSpan(_unsafeBytes: bytes)
      for _ in 0..<index {
        let length = Int(try rest.uint32)
        rest = rest.extracting(droppingFirst: min(rest.byteCount, (length + 3) & ~3))
      }
      let header = try rest.value(as: nlmsghdr.self)
      guard Int(header.nlmsg_len) <= rest.byteCount else { return "request \(index)" }
      let message = rest.extracting(MemoryLayout<nlmsghdr>.size..<Int(header.nlmsg_len))
      return try Self.name(Int32(header.nlmsg_type), message)
    } catch {
      return "request \(index)"
    }
  }

  private static func name(_ type: Int32, _ message: RawSpan) throws(NetlinkError) -> String {
    let number = Int(type)
    let name = word(number) ?? "request of type \(type)"
    let subject =
      switch number {
      case RTM_NEWLINK, RTM_DELLINK, RTM_SETLINK, RTM_GETLINK: try link(message)
      case RTM_NEWADDR, RTM_DELADDR: try prefix(message, IFA_LOCAL)
      case RTM_NEWROUTE, RTM_DELROUTE: try prefix(message, Int(RTA_DST.rawValue)) ?? "default"
      case RTM_NEWRULE, RTM_DELRULE: try prefix(message, FRA_SRC, lengthAt: 2)
      case RTM_NEWNEIGH, RTM_DELNEIGH: try address(message, from: MemoryLayout<ndmsg>.size, NDA_DST)?.description
      default: nil as String?
      }
    return subject.map { "\(name) \($0)" } ?? name
  }

  private static func link(_ message: RawSpan) throws(NetlinkError) -> String? {
    let header = try message.value(as: ifinfomsg.self)
    var name: String?
    try forEachAttribute(in: message, from: MemoryLayout<ifinfomsg>.size) { (type, value) throws(NetlinkError) in
      if type == IFLA_IFNAME { name = value.text }
    }
    return name ?? (header.ifi_index != 0 ? "index \(header.ifi_index)" : nil)
  }

  private static func address(_ message: RawSpan, from offset: Int, _ wanted: Int) throws(NetlinkError) -> IPAddress? {
    var address: IPAddress?
    try forEachAttribute(in: message, from: offset) { (type, value) throws(NetlinkError) in
      if type == wanted { address = try value.address }
    }
    return address
  }

  /// `struct ifaddrmsg`, `rtmsg` and `fib_rule_hdr` begin alike: family, then lengths of prefixes.
  private static func prefix(
    _ message: RawSpan, _ wanted: Int, lengthAt offset: Int = 1
  ) throws(NetlinkError) -> String? {
    let size = wanted == IFA_LOCAL ? MemoryLayout<ifaddrmsg>.size : MemoryLayout<rtmsg>.size
    guard let address = try address(message, from: size, wanted) else { return nil }
    return "\(address)/\(try message.value(at: offset, as: UInt8.self))"
  }

  private static func word(_ type: Int) -> String? {
    switch type {
    case RTM_NEWLINK: "RTM_NEWLINK"
    case RTM_DELLINK: "RTM_DELLINK"
    case RTM_GETLINK: "RTM_GETLINK"
    case RTM_SETLINK: "RTM_SETLINK"
    case RTM_NEWADDR: "RTM_NEWADDR"
    case RTM_DELADDR: "RTM_DELADDR"
    case RTM_GETADDR: "RTM_GETADDR"
    case RTM_NEWROUTE: "RTM_NEWROUTE"
    case RTM_DELROUTE: "RTM_DELROUTE"
    case RTM_GETROUTE: "RTM_GETROUTE"
    case RTM_NEWRULE: "RTM_NEWRULE"
    case RTM_DELRULE: "RTM_DELRULE"
    case RTM_GETRULE: "RTM_GETRULE"
    case RTM_NEWNEIGH: "RTM_NEWNEIGH"
    case RTM_DELNEIGH: "RTM_DELNEIGH"
    case RTM_GETNEIGH: "RTM_GETNEIGH"
    case RTM_NEWQDISC: "RTM_NEWQDISC"
    case RTM_DELQDISC: "RTM_DELQDISC"
    case RTM_NEWTFILTER: "RTM_NEWTFILTER"
    default: nil
    }
  }
}
