internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// Where a bridge sends what is meant for a MAC.
package struct ForwardingEntry: Sendable, Hashable {
  /// The port, or the bridge itself for an address of its own.
  package var link: UInt32
  /// Nobody learned it from a frame: it is the link's own address, or somebody wrote it down.
  package var isPermanent: Bool
}

/// What decides on frames at a bridge as a whole.
package struct BridgeMode: Sendable, Hashable {
  package var filtersVLANs = false
  package var usesSTP = false

  package init() {}
}

/// What decides on frames at a port of a bridge.
package struct BridgePortState: Sendable, Hashable {
  /// `BR_STATE_DISABLED` and so on.
  package enum Phase: UInt8, Sendable, Hashable { case disabled, listening, learning, forwarding, blocking }

  package var phase = Phase.forwarding
  package var isIsolated = false
  package var hairpin = false
  /// Gets what is meant for a MAC that nobody has learned.
  package var floods = true

  package init() {}
}

/// The VLANs of a port, or of the bridge itself.
package struct PortVLANs: Sendable, Hashable {
  package var link: UInt32
  /// What untagged frames that come in belong to.
  package var untagged: UInt16?
  package var members: [ClosedRange<UInt16>] = []

  package init(link: UInt32) { self.link = link }
}

extension NetlinkSocket {
  /// Where a bridge sends what is meant for a MAC; nil: it knows no port, and floods. As `bridge fdb get MAC br BRIDGE`.
  package func forwarding(
    of mac: MACAddress, on bridge: UInt32, vlan: UInt16? = nil, until deadline: Deadline
  ) throws(NetlinkError) -> ForwardingEntry? {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_BRIDGE)
    var batch = Batch()
    batch.append(RTM_GETNEIGH, header) { message in
      message.put(NDA_LLADDR, mac)
      message.put(NDA_MASTER, bridge)
      if let vlan { message.put(NDA_VLAN, vlan) }
    }
    return try ask(batch, absent: [ENOENT], until: deadline) { (message) throws(NetlinkError) in
      let header = try message.value(as: ndmsg.self)
      return ForwardingEntry(
        link: UInt32(truncatingIfNeeded: header.ndm_ifindex),
        isPermanent: header.ndm_state & UInt16(NUD_PERMANENT | NUD_NOARP) != 0)
    }
  }

  /// As `ip -d link show dev BRIDGE`; nil where it is no bridge.
  package func bridgeMode(_ bridge: UInt32, until deadline: Deadline) throws(NetlinkError) -> BridgeMode? {
    try askForLink(bridge, until: deadline) { (message) throws(NetlinkError) in try BridgeMode(message: message) }
  }

  /// As `bridge -d link show dev PORT`; nil where it is no port of a bridge.
  package func bridgePort(_ port: UInt32, until deadline: Deadline) throws(NetlinkError) -> BridgePortState? {
    try askForLink(port, until: deadline) { (message) throws(NetlinkError) in try BridgePortState(message: message) }
  }

  private func askForLink<Value>(
    _ link: UInt32, until deadline: Deadline, _ read: (RawSpan) throws(NetlinkError) -> Value?
  ) throws(NetlinkError) -> Value? {
    var batch = Batch()
    batch.append(RTM_GETLINK, ifinfomsg(.index(link), isUp: nil)) { message in
      message.put(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_SKIP_STATS))
    }
    return try ask(batch, absent: [ENODEV], until: deadline, read).flatMap { $0 }
  }

  /// The VLANs of all bridges' ports. As `bridge vlan show`.
  package func portVLANs(until deadline: Deadline) throws(NetlinkError) -> [PortVLANs] {
    var header = ifinfomsg()
    header.ifi_family = UInt8(AF_BRIDGE)
    var batch = Batch()
    batch.append(RTM_GETLINK, flags: NLM_F_DUMP, header) { message in
      message.put(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_BRVLAN_COMPRESSED))
    }
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in try PortVLANs(message: message) }
  }
}

/// Hands the attributes of a link's kind, or of its being a port, to `body`.
private func forEachDetail(
  of message: RawSpan, kind kindAttribute: Int, data dataAttribute: Int,
  _ body: (_ type: Int, _ value: RawSpan) throws(NetlinkError) -> Void
) throws(NetlinkError) -> Bool {
  var isBridge = false
  try forEachAttribute(in: message, from: MemoryLayout<ifinfomsg>.size) { (type, value) throws(NetlinkError) in
    guard type == IFLA_LINKINFO else { return }
    try forEachAttribute(in: value) { (type, value) throws(NetlinkError) in
      if type == kindAttribute { isBridge = value.text == "bridge" }
      if type == dataAttribute, isBridge { try forEachAttribute(in: value, body) }
    }
  }
  return isBridge
}

extension BridgeMode {
  /// Reads an `RTM_NEWLINK`.
  init?(message: RawSpan) throws(NetlinkError) {
    var mode = BridgeMode()
    let isBridge = try forEachDetail(of: message, kind: IFLA_INFO_KIND, data: IFLA_INFO_DATA) {
      (type, value) throws(NetlinkError) in
      switch type {
      case IFLA_BR_VLAN_FILTERING: mode.filtersVLANs = try value.value(as: UInt8.self) != 0
      case IFLA_BR_STP_STATE: mode.usesSTP = try value.uint32 != 0
      default: break
      }
    }
    guard isBridge else { return nil }
    self = mode
  }
}

extension BridgePortState {
  /// Reads an `RTM_NEWLINK`.
  init?(message: RawSpan) throws(NetlinkError) {
    var state = BridgePortState()
    let isPort = try forEachDetail(of: message, kind: IFLA_INFO_SLAVE_KIND, data: IFLA_INFO_SLAVE_DATA) {
      (type, value) throws(NetlinkError) in
      switch type {
      case IFLA_BRPORT_STATE: state.phase = Phase(rawValue: try value.value(as: UInt8.self)) ?? .forwarding
      case IFLA_BRPORT_MODE: state.hairpin = try value.value(as: UInt8.self) != 0
      case IFLA_BRPORT_ISOLATED: state.isIsolated = try value.value(as: UInt8.self) != 0
      case IFLA_BRPORT_UNICAST_FLOOD: state.floods = try value.value(as: UInt8.self) != 0
      default: break
      }
    }
    guard isPort else { return nil }
    self = state
  }
}

extension PortVLANs {
  /// Reads an `RTM_NEWLINK` of `AF_BRIDGE`: ranges are two entries, their beginning and their end.
  init(message: RawSpan) throws(NetlinkError) {
    let header = try message.value(as: ifinfomsg.self)
    var vlans = PortVLANs(link: UInt32(truncatingIfNeeded: header.ifi_index))
    var first: UInt16?
    try forEachAttribute(in: message, from: MemoryLayout<ifinfomsg>.size) { (type, value) throws(NetlinkError) in
      guard type == IFLA_AF_SPEC else { return }
      try forEachAttribute(in: value) { (type, value) throws(NetlinkError) in
        guard type == IFLA_BRIDGE_VLAN_INFO else { return }
        let info = try value.value(as: bridge_vlan_info.self)
        let flags = Int32(info.flags)
        if flags & BRIDGE_VLAN_INFO_PVID != 0 { vlans.untagged = info.vid }
        if flags & BRIDGE_VLAN_INFO_RANGE_BEGIN != 0 { return first = info.vid }
        let start = first ?? info.vid
        first = nil
        if start <= info.vid { vlans.members.append(start...info.vid) }
      }
    }
    self = vlans
  }
}
