internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// A VXLAN device of the kernel, as far as a picture of the host needs it.
package struct TunnelLink: Sendable, Hashable {
  package var name: String
  /// The VXLAN network identifier.
  package var number: UInt32
  package var local: IPAddress?
  /// The other end, or a multicast group; nil where the forwarding database has it.
  package var remote: IPAddress?
  /// The index of the bridge that it is a port of.
  package var master: UInt32?
}

extension NetlinkSocket {
  /// The VXLAN devices. As `ip -d link show type vxlan`.
  package func tunnels(until deadline: Deadline) throws(NetlinkError) -> [TunnelLink] {
    var batch = Batch()
    batch.append(RTM_GETLINK, flags: NLM_F_DUMP, ifinfomsg()) { message in
      message.put(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_SKIP_STATS))
      message.nest(IFLA_LINKINFO) { $0.put(IFLA_INFO_KIND, "vxlan") }
    }
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in try TunnelLink(message: message) }
  }
}

extension TunnelLink {
  /// Reads an `RTM_NEWLINK`; nil for a link of another kind.
  init?(message: RawSpan) throws(NetlinkError) {
    var tunnel = TunnelLink(name: "", number: 0)
    var isTunnel = false
    try forEachAttribute(in: message, from: MemoryLayout<ifinfomsg>.size) { (type, value) throws(NetlinkError) in
      switch type {
      case IFLA_IFNAME: tunnel.name = value.text
      case IFLA_MASTER: tunnel.master = try value.uint32
      case IFLA_LINKINFO:
        // The kind comes before the data that it explains.
        try forEachAttribute(in: value) { (type, value) throws(NetlinkError) in
          if type == IFLA_INFO_KIND { isTunnel = value.text == "vxlan" }
          if type == IFLA_INFO_DATA, isTunnel { try tunnel.read(data: value) }
        }
      default: break
      }
    }
    guard isTunnel else { return nil }
    self = tunnel
  }

  private mutating func read(data: RawSpan) throws(NetlinkError) {
    try forEachAttribute(in: data) { (type, value) throws(NetlinkError) in
      switch type {
      case IFLA_VXLAN_ID: number = try value.uint32
      case IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6: remote = try value.address
      case IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6: local = try value.address
      default: break
      }
    }
  }
}
