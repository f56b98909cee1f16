internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

extension NetlinkSocket {
  /// Forgets the connections that were opened to a port of this host, at one address or at any of a family, so that the
  /// next packet of each is looked at anew: a UDP client that goes on sending would stay with a container that is gone.
  /// Wants a socket of the bus `netfilter`. As `conntrack -D -p udp --orig-port-dst PORT [--orig-dst ADDRESS]`.
  ///
  /// The kernel picks them itself (`CTA_FILTER`, Linux 5.8 and later); for older ones see `forgetSingly`, and for one IPv6
  /// address as well: up to 6.18 at least the kernel picks those of every address but that (`ctnetlink_filter_match_tuple`).
  package func forgetConnections(
    _ transport: TransportProtocol, _ family: Family, to address: IPAddress? = nil, _ port: UInt16,
    until deadline: Deadline
  ) throws(NetlinkError) {
    if family == .ipv6, let address { return try forgetSingly(transport, family, to: address, port, until: deadline) }
    var batch = Batch(title: "IPCTNL_MSG_CT_DELETE")
    batch.append(ConntrackMessage.delete, nfgenmsg(family)) { message in
      let tuple = ConntrackTuple(transport, family, to: address, port)
      message.nest(Int(CTA_TUPLE_ORIG.rawValue)) { tuple.put(in: &$0) }
      message.nest(Int(CTA_FILTER.rawValue)) { message in
        message.put(Int(CTA_FILTER_ORIG_FLAGS.rawValue), tuple.filter)
        message.put(Int(CTA_FILTER_REPLY_FLAGS.rawValue), UInt32(0))
      }
    }
    do throws(NetlinkError) {
      try send(batch, until: deadline)
    } catch {
      switch error.errno {
      case ENOENT: return
      case EINVAL, EOPNOTSUPP: try forgetSingly(transport, family, to: address, port, until: deadline)
      default: throw error
      }
    }
  }

  /// Lists all connections of the family and deletes those that match one by one.
  func forgetSingly(
    _ transport: TransportProtocol, _ family: Family, to address: IPAddress?, _ port: UInt16, until deadline: Deadline
  ) throws(NetlinkError) {
    var list = Batch(title: "IPCTNL_MSG_CT_GET")
    list.append(ConntrackMessage.get, flags: NLM_F_DUMP, nfgenmsg(family))
    let tuples = try dump(list, until: deadline) { (message) throws(NetlinkError) in
      let tuple = try ConntrackTuple(message: message)
      let isWanted =
        tuple?.transport == transport.number && tuple?.port == port && (address == nil || tuple?.target == address)
      return isWanted ? tuple : nil
    }
    var batch = Batch(title: "IPCTNL_MSG_CT_DELETE")
    for tuple in tuples {
      batch.append(ConntrackMessage.delete, nfgenmsg(family)) { message in
        message.nest(Int(CTA_TUPLE_ORIG.rawValue)) { tuple.put(in: &$0) }
      }
    }
    let refusals = try attempt(batch, until: deadline)
    if let first = refusals.first(where: { $0.errno != ENOENT }) { throw .refused(first) }
  }
}

enum ConntrackMessage {
  static let get = Int(NFNL_SUBSYS_CTNETLINK) << 8 | Int(IPCTNL_MSG_CT_GET.rawValue)
  static let delete = Int(NFNL_SUBSYS_CTNETLINK) << 8 | Int(IPCTNL_MSG_CT_DELETE.rawValue)
}

extension nfgenmsg {
  /// Version 1: in a deletion of version 0 the kernel does not look at the family.
  init(_ family: Family) {
    self.init(nfgen_family: family.number, version: 1, res_id: 0)
  }
}

/// One direction of a connection; what is nil is not known.
struct ConntrackTuple {
  var family: Family
  var transport: UInt8
  var source: IPAddress?
  var target: IPAddress?
  var sourcePort: UInt16?
  var port: UInt16

  init(_ transport: TransportProtocol, _ family: Family, to target: IPAddress?, _ port: UInt16) {
    self.family = family
    self.transport = transport.number
    self.target = target
    self.port = port
  }

  /// Which of its parts count (CTA_FILTER_FLAG in net/netfilter/nf_internals.h, which is not among the installed headers):
  /// 2 is the destination address, 8 the protocol, 32 the destination port.
  var filter: UInt32 { (target == nil ? 0 : 2) | 8 | 32 }

  func put(in message: inout MessageBuilder) {
    message.nest(Int(CTA_TUPLE_IP.rawValue)) { message in
      let isIPv4 = family == .ipv4
      if let source { message.put(Int((isIPv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC).rawValue), source) }
      if let target { message.put(Int((isIPv4 ? CTA_IP_V4_DST : CTA_IP_V6_DST).rawValue), target) }
    }
    message.nest(Int(CTA_TUPLE_PROTO.rawValue)) { message in
      message.put(Int(CTA_PROTO_NUM.rawValue), transport)
      if let sourcePort { message.put(Int(CTA_PROTO_SRC_PORT.rawValue), sourcePort.bigEndian) }
      message.put(Int(CTA_PROTO_DST_PORT.rawValue), port.bigEndian)
    }
  }

  /// Reads the original direction of an entry; nil where it has no ports.
  init?(message: RawSpan) throws(NetlinkError) {
    let header = try message.value(as: nfgenmsg.self)
    guard let family = Family(number: header.nfgen_family) else { return nil }
    var tuple = ConntrackTuple(.udp, family, to: nil, 0)
    var hasPort = false
    try forEachAttribute(in: message, from: MemoryLayout<nfgenmsg>.size) { (type, value) throws(NetlinkError) in
      guard type == Int(CTA_TUPLE_ORIG.rawValue) else { return }
      try forEachAttribute(in: value) { (type, value) throws(NetlinkError) in
        let isProtocol = type == Int(CTA_TUPLE_PROTO.rawValue)
        try forEachAttribute(in: value) { (type, value) throws(NetlinkError) in
          if isProtocol {
            hasPort = try tuple.read(protocol: type, value) || hasPort
          } else {
            try tuple.read(address: type, value)
          }
        }
      }
    }
    guard hasPort else { return nil }
    self = tuple
  }

  private mutating func read(address type: Int, _ value: RawSpan) throws(NetlinkError) {
    switch type {
    case Int(CTA_IP_V4_SRC.rawValue), Int(CTA_IP_V6_SRC.rawValue): source = try value.address
    case Int(CTA_IP_V4_DST.rawValue), Int(CTA_IP_V6_DST.rawValue): target = try value.address
    default: break
    }
  }

  private mutating func read(protocol type: Int, _ value: RawSpan) throws(NetlinkError) -> Bool {
    switch type {
    case Int(CTA_PROTO_NUM.rawValue): transport = try value.value(as: UInt8.self)
    case Int(CTA_PROTO_SRC_PORT.rawValue): sourcePort = UInt16(bigEndian: try value.value(as: UInt16.self))
    case Int(CTA_PROTO_DST_PORT.rawValue):
      port = UInt16(bigEndian: try value.value(as: UInt16.self))
      return true
    default: break
    }
    return false
  }
}
