internal import CMnl
internal import Glibc
package import WireCore

/// A route of one table.
package struct Route: Sendable, Hashable {
  package enum Kind: UInt8, Sendable, Hashable {
    case unicast = 1
    /// To this host itself.
    case local = 2
    case blackhole = 6
    case unreachable = 7
    case prohibit = 8
  }

  /// Tables that the kernel has by itself (`enum rt_class_t`).
  package static let mainTable: UInt32 = 254
  package static let localTable: UInt32 = 255

  package var family: Family
  /// Nil: the default route.
  package var destination: Prefix?
  package var gateway: IPAddress?
  /// The index of the link that it leads out by; nil where the gateway decides.
  package var link: UInt32?
  /// 0: the kernel's default (1024 for IPv6).
  package var metric: UInt32 = 0
  package var table: UInt32 = Route.mainTable
  package var kind: Kind = .unicast
  /// The address that the host takes as its own on this route (`src`).
  package var source: IPAddress?
  /// The gateway counts as reachable by the link though no address of the link covers it (`onlink`).
  package var isOnLink = false

  package init(_ family: Family, to destination: Prefix?, via gateway: IPAddress? = nil, link: UInt32? = nil) {
    self.family = family
    self.destination = destination
    self.gateway = gateway
    self.link = link
  }
}

extension Batch {
  /// As `ip route add … proto static`.
  package mutating func addRoute(_ route: Route) {
    append(RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL, rtmsg(route)) { $0.put(route) }
  }

  /// Removes the route that matches in all that is given. As `ip route del …`.
  package mutating func deleteRoute(_ route: Route) {
    var header = rtmsg(route)
    header.rtm_protocol = 0
    // "Any scope": that of an IPv4 route depends on its gateway.
    header.rtm_scope = UInt8(RT_SCOPE_NOWHERE.rawValue)
    append(RTM_DELROUTE, header) { $0.put(route) }
  }
}

extension rtmsg {
  fileprivate init(_ route: Route) {
    self.init()
    rtm_family = route.family.number
    rtm_dst_len = UInt8(route.destination?.length ?? 0)
    rtm_table = UInt8(route.table < 256 ? route.table : UInt32(RT_TABLE_UNSPEC.rawValue))
    rtm_protocol = UInt8(RTPROT_STATIC)
    rtm_scope = route.scope.rawValue
    rtm_type = route.kind.rawValue
    rtm_flags = route.isOnLink ? UInt32(RTNH_F_ONLINK) : 0
  }
}

extension Route {
  /// As ip(8) chooses it; IPv6 has no scopes.
  fileprivate var scope: Scope {
    guard family == .ipv4 else { return .universe }
    return switch kind {
    case .local: .host
    case .unicast: gateway == nil ? .link : .universe
    case .blackhole, .unreachable, .prohibit: .universe
    }
  }
}

extension MessageBuilder {
  fileprivate mutating func put(_ route: Route) {
    if let destination = route.destination { put(Int(RTA_DST.rawValue), destination.first) }
    if let gateway = route.gateway { put(Int(RTA_GATEWAY.rawValue), gateway) }
    if let link = route.link { put(Int(RTA_OIF.rawValue), link) }
    if let source = route.source { put(Int(RTA_PREFSRC.rawValue), source) }
    if route.metric != 0 { put(Int(RTA_PRIORITY.rawValue), route.metric) }
    if route.table >= 256 { put(Int(RTA_TABLE.rawValue), route.table) }
  }
}
