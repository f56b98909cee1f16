import Glibc
package import WireCore
package import WireEngine
import WireLinux

/// What came of a packet that was really sent.
package enum ProbeOutcome: Sendable, Hashable {
  case answered
  /// An answer too: nobody listens.
  case refused
  case unreachable(String)
  case silence
}

extension KernelSource {
  /// Sends the first packet of a connection from a container's namespace, or the host's where there is none, and waits for
  /// an answer: a handshake over TCP, an empty datagram over UDP. The packet must have a port.
  package func probe(
    from container: WiredContainer?, _ packet: PathPacket, within milliseconds: Int32
  ) throws(WireError) -> ProbeOutcome {
    let type = packet.transport == .udp ? SOCK_DGRAM : SOCK_STREAM
    let domain = packet.family == .ipv4 ? AF_INET : AF_INET6
    let socket = try inNamespace(of: container) { () throws(SystemError) in
      try Descriptor.socket(domain, Int32(type.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    }
    guard Self.connect(socket.raw, packet.destination, packet.port ?? 0) == 0 || errno == EINPROGRESS else {
      return .unreachable(SystemError.text(errno))
    }
    if packet.transport == .udp { _ = Glibc.send(socket.raw, "", 0, Int32(MSG_NOSIGNAL)) }
    var wait = pollfd(fd: socket.raw, events: Int16(packet.transport == .udp ? POLLIN : POLLOUT), revents: 0)
    guard poll(&wait, 1, milliseconds) > 0 else { return .silence }
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(socket.raw, SOL_SOCKET, SO_ERROR, &code, &size)
    switch code {
    case 0: return .answered
    case ECONNREFUSED: return .refused
    default: return .unreachable(SystemError.text(code))
    }
  }

  private static func connect(_ socket: Int32, _ address: IPAddress, _ port: UInt16) -> Int32 {
    let bytes = address.bytes
    if address.family == .ipv4 {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: bytes) }
      return withUnsafeBytes(of: &name) { raw in
        Glibc.connect(socket, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
      }
    }
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: bytes) }
    return withUnsafeBytes(of: &name) { raw in
      Glibc.connect(socket, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
    }
  }
}
