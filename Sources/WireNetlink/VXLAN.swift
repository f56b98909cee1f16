internal import CMnl
package import WireCore

/// A VXLAN tunnel (RFC 7348): frames of one segment in UDP, to every remote of a flood list or to a multicast group.
package struct VXLANSettings: Sendable, Hashable {
  /// The segment's number (VNI), of 24 bits.
  package var id: UInt32
  /// The address that the host sends from; nil: what its route to a remote says.
  package var local: IPAddress?
  /// Where frames for everybody go besides the flood list. It wants a `link`, and is joined on it.
  package var group: IPAddress?
  /// The index of the link that the tunnel leaves by; nil: what the host's routes say.
  package var link: UInt32?
  package var port: UInt16
  /// Remembers which remote a MAC came from. False: what is not in the forwarding database goes to all of them.
  package var isLearning: Bool

  package init(
    id: UInt32, local: IPAddress? = nil, group: IPAddress? = nil, link: UInt32? = nil, port: UInt16 = 4789,
    isLearning: Bool = true
  ) {
    self.id = id
    self.local = local
    self.group = group
    self.link = link
    self.port = port
    self.isLearning = isLearning
  }
}

extension Batch {
  /// Makes a tunnel's end, a bridge's port as a rule. `family` is that of the remotes, where neither `local` nor `group`
  /// tells it. As `ip link add NAME master BRIDGE type vxlan id ID dstport PORT [local …] [group … dev LINK]`.
  package mutating func createVXLAN(
    _ name: InterfaceName, _ settings: LinkSettings, _ vxlan: VXLANSettings, family: Family = .ipv4
  ) {
    createLink(name, settings, kind: "vxlan") { message in
      message.put(IFLA_VXLAN_ID, vxlan.id)
      if let group = vxlan.group { message.put(group, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6) }
      if let link = vxlan.link { message.put(IFLA_VXLAN_LINK, link) }
      if let local = vxlan.local {
        message.put(local, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6)
      } else if vxlan.group == nil, family == .ipv6 {
        // The kernel takes IPv4 for granted; `::` is no address, but says which family is meant.
        message.put(IFLA_VXLAN_LOCAL6, plain: UInt128(0))
      }
      message.put(IFLA_VXLAN_LEARNING, UInt8(vxlan.isLearning ? 1 : 0))
      message.put(IFLA_VXLAN_PORT, vxlan.port.bigEndian)
    }
  }
}

extension MessageBuilder {
  fileprivate mutating func put(_ address: IPAddress, _ type4: Int, _ type6: Int) {
    put(address.family == .ipv4 ? type4 : type6, address)
  }
}

extension VXLANSettings {
  /// Reads the `IFLA_INFO_DATA` of a link of kind `vxlan`.
  init(info: RawSpan) throws(NetlinkError) {
    var vxlan = VXLANSettings(id: 0)
    try forEachAttribute(in: info) { (type, value) throws(NetlinkError) in
      switch type {
      case IFLA_VXLAN_ID: vxlan.id = try value.uint32
      case IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6: vxlan.group = try value.address
      case IFLA_VXLAN_LINK: vxlan.link = try value.uint32
      case IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6: vxlan.local = try value.address
      case IFLA_VXLAN_LEARNING: vxlan.isLearning = try value.value(as: UInt8.self) != 0
      case IFLA_VXLAN_PORT: vxlan.port = UInt16(bigEndian: try value.value(as: UInt16.self))
      default: break
      }
    }
    self = vxlan
  }
}
