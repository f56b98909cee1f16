internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// How far an address or a route is valid (rtnetlink(7)).
package enum Scope: UInt8, Sendable, Hashable {
  case universe = 0
  case site = 200
  case link = 253
  case host = 254
}

/// An address of a link.
package struct Address: Sendable, Hashable {
  package var prefix: Prefix
  /// The link's index.
  package var link: UInt32
  package var scope: Scope
  /// IPv6: still checked for duplicates, or found to be one. Read only.
  package var isTentative = false

  package init(_ prefix: Prefix, link: UInt32, scope: Scope = .universe) {
    self.prefix = prefix
    self.link = link
    self.scope = scope
  }
}

extension Batch {
  /// As `ip addr add PREFIX dev LINK brd +`; IPv6 without waiting for duplicates (`nodad`), so that it can be used at once.
  package mutating func addAddress(_ address: Address) {
    append(RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, ifaddrmsg(address)) { message in
      message.put(address)
      if let broadcast = address.prefix.broadcast { message.put(IFA_BROADCAST, broadcast) }
    }
  }

  /// As `ip addr del PREFIX dev LINK`.
  package mutating func deleteAddress(_ address: Address) {
    append(RTM_DELADDR, ifaddrmsg(address)) { $0.put(address) }
  }
}

extension NetlinkSocket {
  /// The addresses of one link, or of all. As `ip addr show`.
  package func addresses(of link: UInt32? = nil, until deadline: Deadline) throws(NetlinkError) -> [Address] {
    checkStrictly()
    var batch = Batch()
    var header = ifaddrmsg()
    header.ifa_index = link ?? 0
    batch.append(RTM_GETADDR, flags: NLM_F_DUMP, header)
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in
      let address = try Address(message: message)
      return link == nil || address?.link == link ? address : nil
    }
  }
}

extension ifaddrmsg {
  fileprivate init(_ address: Address) {
    self.init()
    ifa_family = address.prefix.family.number
    ifa_prefixlen = UInt8(address.prefix.length)
    ifa_flags = address.prefix.family == .ipv6 ? UInt8(IFA_F_NODAD) : 0
    ifa_scope = address.scope.rawValue
    ifa_index = address.link
  }
}

extension MessageBuilder {
  fileprivate mutating func put(_ address: Address) {
    put(IFA_LOCAL, address.prefix.address)
    put(IFA_ADDRESS, address.prefix.address)
  }
}

extension Address {
  /// Reads an `RTM_NEWADDR`; nil for one of a family that is none of ours.
  init?(message: RawSpan) throws(NetlinkError) {
    let header = try message.value(as: ifaddrmsg.self)
    guard Family(number: header.ifa_family) != nil else { return nil }
    var local: IPAddress?
    var peer: IPAddress?
    var flags = UInt32(header.ifa_flags)
    try forEachAttribute(in: message, from: MemoryLayout<ifaddrmsg>.size) { (type, value) throws(NetlinkError) in
      switch type {
      case IFA_LOCAL: local = try value.address
      case IFA_ADDRESS: peer = try value.address
      case IFA_FLAGS: flags = try value.uint32
      default: break
      }
    }
    guard let own = local ?? peer, let prefix = Prefix(own, Int(header.ifa_prefixlen)) else { return nil }
    self.init(prefix, link: header.ifa_index, scope: Scope(rawValue: header.ifa_scope) ?? .universe)
    isTentative = flags & UInt32(IFA_F_TENTATIVE | IFA_F_DADFAILED) != 0
  }
}

extension Family {
  /// `AF_INET` or `AF_INET6`.
  var number: UInt8 { UInt8(self == .ipv4 ? AF_INET : AF_INET6) }

  init?(number: UInt8) {
    switch Int32(number) {
    case AF_INET: self = .ipv4
    case AF_INET6: self = .ipv6
    default: return nil
    }
  }
}
