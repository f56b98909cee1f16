package import WireCore

/// A frame that enters a bridge of Open vSwitch.
package struct SwitchFrame: Sendable, Hashable {
  package var bridge: String
  /// The port that it comes in by.
  package var port: String
  package var source: MACAddress
  /// Nil: nobody has said it yet, and the sender asks for it first.
  package var target: MACAddress?
  /// Whose MAC that is.
  package var nextHop: IPAddress
  package var packet: PathPacket

  package init(
    on bridge: String, by port: String, from source: MACAddress, to target: MACAddress?, _ nextHop: IPAddress,
    _ packet: PathPacket
  ) {
    self.bridge = bridge
    self.port = port
    self.source = source
    self.target = target
    self.nextHop = nextHop
    self.packet = packet
  }

  /// The frame as `ofproto/trace` takes it; `number`: the port's in OpenFlow.
  package func flow(enteringBy number: Int64) -> String {
    let fields = target.map { packetFields(to: $0) } ?? questionFields
    return fields.map { $0.value.isEmpty ? $0.name : "\($0.name)=\($0.value)" }.joined(separator: ",")
      .replacing("in_port=?", with: "in_port=\(number)")
  }

  private typealias Field = (name: String, value: String)

  private func packetFields(to target: MACAddress) -> [Field] {
    let is4 = packet.family == .ipv4
    var fields: [Field] = [
      (protocolName, ""), ("in_port", "?"), ("dl_src", "\(source)"), ("dl_dst", "\(target)"),
      (is4 ? "nw_dst" : "ipv6_dst", "\(packet.destination)"), ("nw_ttl", "64"),
    ]
    if let from = packet.source { fields.append((is4 ? "nw_src" : "ipv6_src", "\(from)")) }
    if let transport = packet.transport {
      if let port = packet.port { fields.append(("\(transport.rawValue)_dst", "\(port)")) }
      if let port = packet.sourcePort { fields.append(("\(transport.rawValue)_src", "\(port)")) }
      // SYN, and SYN with ACK.
      if transport == .tcp { fields.append(("tcp_flags", packet.isAnswer ? "0x12" : "0x2")) }
    } else {
      let type = is4 ? (packet.isAnswer ? 0 : 8) : (packet.isAnswer ? 129 : 128)
      fields.append((is4 ? "icmp_type" : "icmpv6_type", "\(type)"))
    }
    return fields
  }

  /// `tcp`, `udp6`, `icmp`: what of the packet the further fields belong to.
  private var protocolName: String {
    (packet.transport?.rawValue ?? "icmp") + (packet.family == .ipv4 ? "" : "6")
  }

  /// The question for the next hop's MAC: ARP, or neighbour discovery (RFC 4861, section 7.2.2).
  private var questionFields: [Field] {
    var fields: [Field] = [("in_port", "?"), ("dl_src", "\(source)")]
    guard nextHop.family == .ipv6 else {
      fields = [("arp", "")] + fields
      fields += [("dl_dst", "ff:ff:ff:ff:ff:ff"), ("arp_op", "1"), ("arp_tpa", "\(nextHop)")]
      return fields + (packet.source.map { [("arp_spa", "\($0)")] } ?? [])
    }
    let end = nextHop.value & 0xff_ffff
    let group = IPAddress(.ipv6, 0xff02_0000_0000_0000_0000_0001_ff00_0000 | end)
    let mac = MACAddress(0x3333_ff00_0000 | UInt64(truncatingIfNeeded: end))
    fields = [("icmp6", "")] + fields
    fields += [("dl_dst", "\(mac)"), ("ipv6_dst", "\(group)"), ("nw_ttl", "255")]
    fields += packet.source.map { [("ipv6_src", "\($0)")] } ?? []
    return fields + [("icmpv6_type", "135"), ("nd_target", "\(nextHop)")]
  }
}
