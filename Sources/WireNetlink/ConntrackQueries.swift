internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// A connection that the kernel remembers: its first packet as it came, and what an answer looks like.
package struct TrackedConnection: Sendable, Hashable {
  package struct Tuple: Sendable, Hashable {
    package var source: IPAddress
    package var target: IPAddress
    /// Nil where the protocol has no ports.
    package var sourcePort: UInt16?
    package var port: UInt16?

    package init(from source: IPAddress, _ sourcePort: UInt16?, to target: IPAddress, _ port: UInt16?) {
      self.source = source
      self.target = target
      self.sourcePort = sourcePort
      self.port = port
    }
  }

  package var original: Tuple
  package var reply: Tuple

  package init(original: Tuple, reply: Tuple) {
    self.original = original
    self.reply = reply
  }
}

extension NetlinkSocket {
  /// The connections from one address to another, opened to a port where the protocol has them. The kernel picks them itself
  /// (`CTA_FILTER`, Linux 5.8 and later; older ones send all, and they are picked here). Wants a socket of the bus
  /// `netfilter`. As `conntrack -L -p udp --orig-src ADDRESS --orig-dst ADDRESS --orig-port-dst PORT`.
  package func connections(
    _ transport: UInt8, from source: IPAddress, to target: IPAddress, _ port: UInt16?, until deadline: Deadline
  ) throws(NetlinkError) -> [TrackedConnection] {
    let family = target.family
    let isIPv4 = family == .ipv4
    var batch = Batch(title: "IPCTNL_MSG_CT_GET")
    batch.append(ConntrackMessage.get, flags: NLM_F_DUMP, nfgenmsg(family)) { message in
      message.nest(Int(CTA_TUPLE_ORIG.rawValue)) { message in
        message.nest(Int(CTA_TUPLE_IP.rawValue)) { message in
          message.put(Int((isIPv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC).rawValue), source)
          message.put(Int((isIPv4 ? CTA_IP_V4_DST : CTA_IP_V6_DST).rawValue), target)
        }
        message.nest(Int(CTA_TUPLE_PROTO.rawValue)) { message in
          message.put(Int(CTA_PROTO_NUM.rawValue), transport)
          if let port { message.put(Int(CTA_PROTO_DST_PORT.rawValue), port.bigEndian) }
        }
      }
      message.nest(Int(CTA_FILTER.rawValue)) { message in
        // As in ConntrackTuple: both addresses, the protocol, the destination port. Of IPv6 addresses Linux 6.18 still sends
        // those that do not match: they are picked here.
        let addresses: UInt32 = isIPv4 ? 1 | 2 : 0
        message.put(Int(CTA_FILTER_ORIG_FLAGS.rawValue), addresses | 8 | (port == nil ? 0 : 32))
        message.put(Int(CTA_FILTER_REPLY_FLAGS.rawValue), UInt32(0))
      }
    }
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in
      guard let found = try TrackedConnection(message: message, transport) else { return nil }
      let original = found.original
      let isWanted = original.source == source && original.target == target && (port == nil || original.port == port)
      return isWanted ? found : nil
    }
  }
}

extension TrackedConnection {
  /// Reads an `IPCTNL_MSG_CT_NEW`; nil for another protocol.
  init?(message: RawSpan, _ transport: UInt8) throws(NetlinkError) {
    var tuples: [Int: Tuple] = [:]
    try forEachAttribute(in: message, from: MemoryLayout<nfgenmsg>.size) { (type, value) throws(NetlinkError) in
      guard type == Int(CTA_TUPLE_ORIG.rawValue) || type == Int(CTA_TUPLE_REPLY.rawValue) else { return }
      tuples[type] = try Tuple(value, transport)
    }
    guard let original = tuples[Int(CTA_TUPLE_ORIG.rawValue)], let reply = tuples[Int(CTA_TUPLE_REPLY.rawValue)] else {
      return nil
    }
    self.init(original: original, reply: reply)
  }
}

extension TrackedConnection.Tuple {
  fileprivate init?(_ tuple: RawSpan, _ transport: UInt8) throws(NetlinkError) {
    var (source, target): (IPAddress?, IPAddress?) = (nil, nil)
    var (sourcePort, port): (UInt16?, UInt16?) = (nil, nil)
    var number: UInt8?
    try forEachAttribute(in: tuple) { (type, value) throws(NetlinkError) in
      let isProtocol = type == Int(CTA_TUPLE_PROTO.rawValue)
      guard isProtocol || type == Int(CTA_TUPLE_IP.rawValue) else { return }
      try forEachAttribute(in: value) { (type, value) throws(NetlinkError) in
        switch (isProtocol, type) {
        case (false, Int(CTA_IP_V4_SRC.rawValue)), (false, Int(CTA_IP_V6_SRC.rawValue)): source = try value.address
        case (false, Int(CTA_IP_V4_DST.rawValue)), (false, Int(CTA_IP_V6_DST.rawValue)): target = try value.address
        case (true, Int(CTA_PROTO_NUM.rawValue)): number = try value.value(as: UInt8.self)
        case (true, Int(CTA_PROTO_SRC_PORT.rawValue)): sourcePort = UInt16(bigEndian: try value.value(as: UInt16.self))
        case (true, Int(CTA_PROTO_DST_PORT.rawValue)): port = UInt16(bigEndian: try value.value(as: UInt16.self))
        default: break
        }
      }
    }
    guard number == transport, let source, let target else { return nil }
    self.init(from: source, sourcePort, to: target, port)
  }
}
