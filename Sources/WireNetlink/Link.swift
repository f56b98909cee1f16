internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// A network link as the kernel describes it.
package struct Link: Sendable, Hashable {
  package var index: UInt32
  package var name: String
  /// `veth`, `bridge`, `ifb`, `vxlan`; nil for hardware and for loopback.
  package var kind: String?
  /// Nil where the link has none of 6 bytes (tunnels).
  package var mac: MACAddress?
  /// Bytes.
  package var mtu: UInt32
  /// The index of the bridge that it is a port of.
  package var master: UInt32?
  /// Set up by its administrator (`IFF_UP`).
  package var isUp: Bool
  /// Carries traffic (`IFF_RUNNING`).
  package var isRunning: Bool
  package var isLoopback: Bool
  /// Answers ARP (no `IFF_NOARP`).
  package var usesARP: Bool
  package var alias: String?
  package var group: UInt32
  /// The index of a veth's other end, which means something in that end's namespace only.
  package var peerIndex: UInt32?
  /// The number that this namespace knows the peer's namespace by; nil where the peer is in this one.
  package var peerNamespace: UInt32?
  /// How it is a port of a bridge, if it is.
  package var port: BridgePortSettings?
  /// How it is a VXLAN tunnel, if it is.
  package var vxlan: VXLANSettings?
}

extension NetlinkSocket {
  /// One link; nil where there is none. As `ip -d link show dev LINK`.
  package func link(_ link: LinkReference, until deadline: Deadline) throws(NetlinkError) -> Link? {
    var batch = Batch()
    batch.append(RTM_GETLINK, ifinfomsg(link, isUp: nil)) { message in
      message.put(link)
      message.put(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_SKIP_STATS))
    }
    return try ask(batch, absent: [ENODEV], until: deadline) { (message) throws(NetlinkError) in
      try Link(message: message)
    }
  }

  /// All links, or the ports of one bridge. As `ip -d link show [master BRIDGE]`.
  package func links(master: UInt32? = nil, until deadline: Deadline) throws(NetlinkError) -> [Link] {
    var batch = Batch()
    batch.append(RTM_GETLINK, flags: NLM_F_DUMP, ifinfomsg()) { message in
      message.put(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_SKIP_STATS))
      if let master { message.put(IFLA_MASTER, master) }
    }
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in
      let link = try Link(message: message)
      return master == nil || link.master == master ? link : nil
    }
  }
}

extension Link {
  /// Reads an `RTM_NEWLINK`.
  init(message: RawSpan) throws(NetlinkError) {
    let header = try message.value(as: ifinfomsg.self)
    let flags = header.ifi_flags
    var link = Link(
      index: UInt32(truncatingIfNeeded: header.ifi_index), name: "", mtu: 0, isUp: flags & UInt32(IFF_UP) != 0,
      isRunning: flags & UInt32(IFF_RUNNING) != 0, isLoopback: flags & UInt32(IFF_LOOPBACK) != 0,
      usesARP: flags & UInt32(IFF_NOARP) == 0, group: 0)
    try forEachAttribute(in: message, from: MemoryLayout<ifinfomsg>.size) { (type, value) throws(NetlinkError) in
      switch type {
      case IFLA_IFNAME: link.name = value.text
      case IFLA_ADDRESS: link.mac = value.byteCount == 6 ? MACAddress(bytes: value.array) : nil
      case IFLA_MTU: link.mtu = try value.uint32
      case IFLA_MASTER: link.master = try value.uint32
      case IFLA_IFALIAS: link.alias = value.text
      case IFLA_GROUP: link.group = try value.uint32
      case IFLA_LINK: link.peerIndex = try value.uint32
      case IFLA_LINK_NETNSID: link.peerNamespace = try value.uint32
      case IFLA_LINKINFO: try link.read(info: value)
      default: break
      }
    }
    // IFLA_LINK means the lower link of VLANs and tunnels, and is their own index for many others.
    if link.kind != "veth" { link.peerIndex = nil }
    self = link
  }

  private mutating func read(info: RawSpan) throws(NetlinkError) {
    var port = BridgePortSettings()
    var isPort = false
    var kind: String?
    try forEachAttribute(in: info) { (type, value) throws(NetlinkError) in
      switch type {
      case IFLA_INFO_KIND: kind = value.text
      case IFLA_INFO_DATA where kind == "vxlan": vxlan = try VXLANSettings(info: value)
      case IFLA_INFO_SLAVE_KIND: isPort = value.text == "bridge"
      case IFLA_INFO_SLAVE_DATA where isPort:
        try forEachAttribute(in: value) { (type, value) throws(NetlinkError) in
          switch type {
          case IFLA_BRPORT_MODE: port.hairpin = try value.value(as: UInt8.self) != 0
          case IFLA_BRPORT_ISOLATED: port.isIsolated = try value.value(as: UInt8.self) != 0
          default: break
          }
        }
      default: break
      }
    }
    self.kind = kind
    self.port = isPort ? port : nil
  }
}
