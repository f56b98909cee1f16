internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// A link, by what is known of it.
package enum LinkReference: Sendable, Hashable {
  case index(UInt32)
  case name(InterfaceName)
}

/// Settings of a link. What is nil is left as it is.
package struct LinkSettings: Sendable, Hashable {
  package var mac: MACAddress?
  /// Bytes.
  package var mtu: UInt32?
  /// The index of the bridge that it is to be a port of; 0: of none.
  package var master: UInt32?
  package var isUp: Bool?
  /// False: nobody's ARP is answered on it, and none is asked (`ip link set arp off`).
  package var usesARP: Bool?
  /// What `ip link` shows as `alias`: at most 255 bytes.
  package var alias: String?
  /// The number of `ip link set group`.
  package var group: UInt32?
  /// False: the kernel makes no IPv6 link-local address when the link has its carrier (`ip link set addrgenmode none`).
  /// Only before that: see `createLink`.
  package var makesLinkLocal: Bool?
  /// Settings of net.ipv4.conf.LINK.
  package var ipv4: [IPv4Setting: UInt32] = [:]
  /// Settings as a port of a bridge.
  package var port: BridgePortSettings?

  package init(
    mac: MACAddress? = nil, mtu: UInt32? = nil, master: UInt32? = nil, isUp: Bool? = nil, alias: String? = nil
  ) {
    self.mac = mac
    self.mtu = mtu
    self.master = master
    self.isUp = isUp
    self.alias = alias
  }
}

/// Settings of net.ipv4.conf.LINK that can be set without /proc (`IFLA_INET_CONF`), several in one request.
package enum IPv4Setting: Sendable, Hashable, CaseIterable {
  case routeLocalnet
  case arpNotify
  case arpIgnore
  case forwarding
  case rpFilter

  var number: Int {
    switch self {
    case .routeLocalnet: IPV4_DEVCONF_ROUTE_LOCALNET
    case .arpNotify: IPV4_DEVCONF_ARP_NOTIFY
    case .arpIgnore: IPV4_DEVCONF_ARP_IGNORE
    case .forwarding: IPV4_DEVCONF_FORWARDING
    case .rpFilter: IPV4_DEVCONF_RP_FILTER
    }
  }
}

extension Batch {
  /// Makes a veth pair: the host end here, the peer at once in `namespace`. Never made here and moved: the move waits for
  /// grace periods. As `ip link add HOST … type veth peer name PEER netns FD …`.
  ///
  /// The host end may be born with a master, up and without ARP, with address and MTU; the kernel takes its alias, IPv4
  /// settings and port flags only from a second request, which is added where they are given, and `makesLinkLocal` from
  /// one of its own. The peer cannot be born up.
  package mutating func createVeth(
    _ name: InterfaceName, _ host: LinkSettings, peer: InterfaceName, _ peerSettings: LinkSettings,
    in namespace: borrowing NetworkNamespace
  ) {
    let target = UInt32(bitPattern: namespace.raw)
    createLink(name, host, kind: "veth") { message in
      message.nest(Int(VETH_INFO_PEER)) { message in
        message.put(header: ifinfomsg())
        message.put(IFLA_IFNAME, peer.description)
        message.putAtBirth(peerSettings)
        message.put(IFLA_NET_NS_FD, target)
      }
    }
  }

  /// Makes an intermediate functional block, on which what a link receives can be shaped. As `ip link add NAME type ifb`.
  package mutating func createIFB(_ name: InterfaceName, _ settings: LinkSettings) {
    createLink(name, settings, kind: "ifb")
  }

  /// Changes a link. As `ip link set dev LINK …`.
  package mutating func setLink(_ link: LinkReference, _ settings: LinkSettings) {
    setLinkLocal(link, settings)
    append(RTM_NEWLINK, ifinfomsg(link, isUp: settings.isUp, usesARP: settings.usesARP)) { message in
      message.put(link)
      message.putAtBirth(settings)
      message.putLater(settings)
    }
  }

  /// Removes a link, and a veth's peer with it. As `ip link del dev LINK`. The kernel answers only after its grace periods,
  /// tens of milliseconds: see `LinkRemoval`.
  package mutating func deleteLink(_ link: LinkReference) {
    append(RTM_DELLINK, ifinfomsg(link, isUp: nil)) { $0.put(link) }
  }

  /// Removes all links of a group. As `ip link del group NUMBER`.
  mutating func deleteGroup(_ group: UInt32) {
    append(RTM_DELLINK, ifinfomsg()) { $0.put(IFLA_GROUP, group) }
  }

  /// Makes a link of a kind, and sets in a second request what cannot be set at birth.
  mutating func createLink(
    _ name: InterfaceName, _ settings: LinkSettings, kind: String, _ info: ((inout MessageBuilder) -> Void)? = nil
  ) {
    // Its link-local address is made once it is up and has a carrier, so what forbids that must come before. A veth's
    // carrier waits for its peer, which is down: such a link may be up already.
    let bornUp = settings.makesLinkLocal == nil || kind == "veth" ? settings.isUp : nil
    let header = ifinfomsg(nil, isUp: bornUp, usesARP: settings.usesARP)
    append(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, header) { message in
      message.put(IFLA_IFNAME, name.description)
      message.putAtBirth(settings)
      message.nest(IFLA_LINKINFO) { message in
        message.put(IFLA_INFO_KIND, kind)
        if let info { message.nest(IFLA_INFO_DATA, info) }
      }
    }
    if settings.hasLaterPart {
      append(RTM_NEWLINK, ifinfomsg(nil, isUp: nil)) { message in
        message.put(IFLA_IFNAME, name.description)
        message.putLater(settings)
      }
    }
    setLinkLocal(.name(name), settings)
    if bornUp != settings.isUp {
      append(RTM_NEWLINK, ifinfomsg(nil, isUp: settings.isUp)) { $0.put(IFLA_IFNAME, name.description) }
    }
  }
}

extension Batch {
  /// As `ip link set dev LINK addrgenmode …`. A kernel without IPv6, or a link whose MTU is below 1280 (RFC 8200 5), has no
  /// such setting and makes no such address: EAFNOSUPPORT, for the whole request.
  private mutating func setLinkLocal(_ link: LinkReference, _ settings: LinkSettings) {
    guard let makes = settings.makesLinkLocal else { return }
    let mode = makes ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE
    append(RTM_NEWLINK, ifinfomsg(link, isUp: nil), forgiving: EAFNOSUPPORT) { message in
      message.put(link)
      message.nest(IFLA_AF_SPEC) { message in
        message.nest(Int(AF_INET6)) { $0.put(IFLA_INET6_ADDR_GEN_MODE, UInt8(mode.rawValue)) }
      }
    }
  }
}

extension LinkSettings {
  fileprivate var hasLaterPart: Bool { alias != nil || !ipv4.isEmpty || port != nil }
}

extension ifinfomsg {
  init(_ link: LinkReference?, isUp: Bool?, usesARP: Bool? = nil) {
    self.init()
    if case .index(let index) = link { ifi_index = Int32(truncatingIfNeeded: index) }
    if let isUp { set(IFF_UP, isUp) }
    if let usesARP { set(IFF_NOARP, !usesARP) }
  }

  private mutating func set(_ flag: Int, _ isOn: Bool) {
    if isOn { ifi_flags |= UInt32(flag) }
    ifi_change |= UInt32(flag)
  }
}

extension MessageBuilder {
  mutating func put(_ link: LinkReference) {
    if case .name(let name) = link { put(IFLA_IFNAME, name.description) }
  }

  /// What the kernel takes in the request that makes a link as well.
  mutating func putAtBirth(_ settings: LinkSettings) {
    if let mac = settings.mac { put(IFLA_ADDRESS, mac) }
    if let mtu = settings.mtu { put(IFLA_MTU, mtu) }
    if let group = settings.group { put(IFLA_GROUP, group) }
    if let master = settings.master { put(IFLA_MASTER, master) }
  }

  /// What it takes only for a link that is there.
  mutating func putLater(_ settings: LinkSettings) {
    if let alias = settings.alias { put(IFLA_IFALIAS, alias) }
    if !settings.ipv4.isEmpty {
      nest(IFLA_AF_SPEC) { message in
        message.nest(Int(AF_INET)) { message in
          message.nest(IFLA_INET_CONF) { message in
            for setting in IPv4Setting.allCases {
              if let value = settings.ipv4[setting] { message.put(setting.number, value) }
            }
          }
        }
      }
    }
    if let port = settings.port { put(port) }
  }
}
