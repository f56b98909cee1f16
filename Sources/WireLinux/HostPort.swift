internal import Glibc
package import WireCore

/// Whether a program of this host, in the namespace of this thread, has a port.
package enum HostPort {
  package enum Answer: Sendable, Hashable {
    case free
    /// A socket is bound there. On TCP it may be an outgoing connection's: ask `SockDiag` who it is.
    case taken
  }

  /// Tries to bind the port, and lets go of it at once.
  ///
  /// TCP with `SO_REUSEADDR`, so that connections in TIME_WAIT do not count; UDP without, where it would let two bind.
  /// IPv6 for itself: the IPv4 side of `[::]` is asked for as IPv4. An address that the host does not have (yet) is no
  /// error (`IP_FREEBIND`). Where the kernel lacks the protocol nobody can have the port.
  package static func probe(
    _ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16
  ) throws(SystemError) -> Answer {
    let isIPv6 = address.family == .ipv6
    let kind = transport == .udp ? SOCK_DGRAM : SOCK_STREAM
    let raw = Glibc.socket(
      isIPv6 ? AF_INET6 : AF_INET, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(transport.number))
    guard raw >= 0 else {
      let absent = [EPROTONOSUPPORT, ESOCKTNOSUPPORT, EAFNOSUPPORT].contains(errno)
      if absent { return .free }
      throw SystemError("socket", errno)
    }
    let socket = Descriptor(adopting: raw)
    if transport != .udp { set(socket, SOL_SOCKET, SO_REUSEADDR) }
    set(socket, isIPv6 ? Int32(IPPROTO_IPV6) : Int32(IPPROTO_IP), isIPv6 ? IPV6_FREEBIND : IP_FREEBIND)
    if isIPv6 { set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
    if bind(socket, address, port) == 0 { return .free }
    let failure = errno
    guard failure == EADDRINUSE else { throw SystemError("bind", failure, path: "\(address) port \(port)") }
    return .taken
  }

  private static func set(_ socket: borrowing Descriptor, _ level: Int32, _ option: Int32) {
    var on: Int32 = 1
    _ = setsockopt(socket.raw, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func bind(_ socket: borrowing Descriptor, _ address: IPAddress, _ port: UInt16) -> Int32 {
    let raw = socket.raw
    if address.family == .ipv4 {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      name.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.value).bigEndian
      return withUnsafeBytes(of: &name) { bind(raw, $0) }
    }
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &name.sin6_addr) { $0.storeBytes(of: address.value.bigEndian, as: UInt128.self) }
    return withUnsafeBytes(of: &name) { bind(raw, $0) }
  }

  private static func bind(_ raw: Int32, _ name: UnsafeRawBufferPointer) -> Int32 {
    guard let address = name.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
    return Glibc.bind(raw, address, socklen_t(name.count))
  }
}
