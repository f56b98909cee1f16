internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// A socket of this host that takes what comes to a port.
package struct Listener: Sendable, Hashable {
  /// The address that it is bound to; `0.0.0.0` or `::` for all.
  package var address: IPAddress
  /// Names the socket in /proc/PID/fd: see `ProcessIdentity.owner(ofSocketInode:)`.
  package var inode: UInt64
  package var uid: UInt32
  /// A socket on `::` that leaves IPv4 alone (`IPV6_V6ONLY`).
  package var isIPv6Only: Bool

  package init(address: IPAddress, inode: UInt64, uid: UInt32, isIPv6Only: Bool) {
    self.address = address
    self.inode = inode
    self.uid = uid
    self.isIPv6Only = isIPv6Only
  }

  /// Whether it has a port of this address, or of any where one of the two is all addresses.
  package func covers(_ address: IPAddress) -> Bool {
    if self.address.family == address.family {
      return self.address == address || self.address.isAny || address.isAny
    }
    return self.address.isAny && self.address.family == .ipv6 && !isIPv6Only
  }
}

extension NetlinkSocket {
  /// The socket that listens on a port at `address`, or at any (`0.0.0.0`, `::`). Outgoing connections with that local port
  /// do not count. Wants a socket of the bus `sockDiag`. As `ss -ltnp 'sport = PORT'`.
  package func listener(
    _ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16, until deadline: Deadline
  ) throws(NetlinkError) -> Listener? {
    // Sockets of IPv6 can take IPv4 as well, so an IPv4 address needs both families.
    for family in address.family == .ipv4 ? [Family.ipv4, .ipv6] : [.ipv6] {
      let found = try listeners(transport, family, port, until: deadline)
      if let first = found.first(where: { $0.covers(address) }) { return first }
    }
    return nil
  }

  /// All sockets of one family that take what comes to some port. Wants a socket of the bus `sockDiag`. As `ss -ltn`.
  package func listeners(
    _ transport: TransportProtocol, _ family: Family, until deadline: Deadline
  ) throws(NetlinkError) -> [(port: UInt16, listener: Listener)] {
    try sockets(transport, family, 0, until: deadline)
  }

  private func listeners(
    _ transport: TransportProtocol, _ family: Family, _ port: UInt16, until deadline: Deadline
  ) throws(NetlinkError) -> [Listener] {
    try sockets(transport, family, port, until: deadline).filter { $0.port == port }.map { $0.listener }
  }

  /// `port`: 0 for all.
  private func sockets(
    _ transport: TransportProtocol, _ family: Family, _ port: UInt16, until deadline: Deadline
  ) throws(NetlinkError) -> [(port: UInt16, listener: Listener)] {
    var request = inet_diag_req_v2()
    request.sdiag_family = family.number
    request.sdiag_protocol = transport.number
    // States of include/net/tcp_states.h: 10 is LISTEN; a UDP socket that is not connected is in 7, CLOSE.
    request.idiag_states = transport == .udp ? 1 << 7 : 1 << 10
    request.id.idiag_sport = port.bigEndian
    var batch = Batch(title: "SOCK_DIAG_BY_FAMILY")
    batch.append(Int(SOCK_DIAG_BY_FAMILY), flags: NLM_F_DUMP, request)
    do throws(NetlinkError) {
      return try dump(batch, until: deadline) { (message) throws(NetlinkError) in
        let header = try message.value(as: inet_diag_msg.self)
        let port = UInt16(bigEndian: header.id.idiag_sport)
        return try Listener(message: message, port: port).map { (port, $0) }
      }
    } catch {
      // The kernel lacks the protocol, or its part of sock_diag: then nobody can be named.
      guard error.errno == ENOENT || error.errno == EINVAL else { throw error }
      return []
    }
  }
}

extension Listener {
  /// Reads a `struct inet_diag_msg`; nil for another port.
  init?(message: RawSpan, port: UInt16) throws(NetlinkError) {
    let header = try message.value(as: inet_diag_msg.self)
    guard UInt16(bigEndian: header.id.idiag_sport) == port, let family = Family(number: header.idiag_family) else {
      return nil
    }
    let bytes = withUnsafeBytes(of: header.id.idiag_src) { Array($0.prefix(family.byteCount)) }
    guard let address = IPAddress(bytes: bytes) else { return nil }
    var isIPv6Only = false
    try forEachAttribute(in: message, from: MemoryLayout<inet_diag_msg>.size) { (type, value) throws(NetlinkError) in
      if type == Int(INET_DIAG_SKV6ONLY) { isIPv6Only = try value.value(as: UInt8.self) != 0 }
    }
    self.init(
      address: address, inode: UInt64(header.idiag_inode), uid: header.idiag_uid, isIPv6Only: isIPv6Only)
  }
}
