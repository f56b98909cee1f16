import Foundation
import Glibc

@testable import WireNFTables

/// A TCP and UDP service in a namespace that answers everybody with the address it sees the caller have.
final class AddressTeller: @unchecked Sendable {
  private let tcp: Int32
  private let udp: Int32

  init(in namespace: LabNamespace, port: UInt16, only4: Bool = false) {
    (tcp, udp) = namespace.run {
      (Self.bound(SOCK_STREAM, port, only4), Self.bound(SOCK_DGRAM, port, only4))
    }
    let (tcp, udp) = (tcp, udp)
    Thread { Self.serveStreams(tcp) }.start()
    Thread { Self.serveDatagrams(udp) }.start()
  }

  /// shutdown(2) wakes the threads, which then close.
  deinit {
    shutdown(tcp, Int32(SHUT_RDWR))
    shutdown(udp, Int32(SHUT_RDWR))
  }

  private static func bound(_ type: __socket_type, _ port: UInt16, _ only4: Bool) -> Int32 {
    let descriptor = socket(only4 ? AF_INET : AF_INET6, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var off: Int32 = 0
    var address = only4 ? SocketAddress("0.0.0.0", port) : SocketAddress("::", port)
    if !only4 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, 4) }
    let code = address.with { bind(descriptor, $0, $1) }
    precondition(code == 0, "bind: \(errno)")
    if type == SOCK_STREAM { listen(descriptor, 64) }
    return descriptor
  }

  private static func serveStreams(_ descriptor: Int32) {
    while true {
      var peer = SocketAddress()
      let connection = peer.fill { accept(descriptor, $0, $1) }
      guard connection >= 0 else { break }
      _ = peer.text.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
      close(connection)
    }
    close(descriptor)
  }

  private static func serveDatagrams(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 64)
    while true {
      var peer = SocketAddress()
      let count = peer.fill { recvfrom(descriptor, &buffer, buffer.count, 0, $0, $1) }
      guard count > 0 else { break }
      let text = peer.text
      _ = peer.with { to, size in text.withCString { sendto(descriptor, $0, strlen($0), 0, to, size) } }
    }
    close(descriptor)
  }
}

extension LabNamespace {
  /// Calls `host:port` from here and returns the address that the service saw, or `refused`, `timeout`.
  func ask(_ host: String, _ port: UInt16, udp: Bool = false, from source: String? = nil, within: Int32 = 1500)
    -> String
  {
    run {
      let type = Int32((udp ? SOCK_DGRAM : SOCK_STREAM).rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
      let descriptor = socket(host.contains(":") ? AF_INET6 : AF_INET, type, 0)
      defer { close(descriptor) }
      if let source {
        var local = SocketAddress(source, 0)
        guard local.with({ bind(descriptor, $0, $1) }) == 0 else { return "bind: \(errno)" }
      }
      var remote = SocketAddress(host, port)
      if remote.with({ connect(descriptor, $0, $1) }) != 0, errno != EINPROGRESS { return Self.word(errno) }
      if udp { _ = send(descriptor, "?", 1, Int32(MSG_NOSIGNAL)) }
      var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, within) > 0 else { return "timeout" }
      var buffer = [UInt8](repeating: 0, count: 64)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : Self.word(errno)
    }
  }

  private static func word(_ code: Int32) -> String {
    switch code {
    case ECONNREFUSED: "refused"
    case ENETUNREACH, EHOSTUNREACH: "unreachable"
    default: "errno \(code)"
    }
  }
}

/// An address and port in the socket calls' form.
struct SocketAddress {
  private var storage = sockaddr_storage()
  private var size = socklen_t(MemoryLayout<sockaddr_storage>.size)

  init() {}

  init(_ host: String, _ port: UInt16) {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &found) == 0, let found, let address = found.pointee.ai_addr else {
      preconditionFailure(host)
    }
    defer { freeaddrinfo(found) }
    size = found.pointee.ai_addrlen
    withUnsafeMutableBytes(of: &storage) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(found.pointee.ai_addrlen)))
    }
  }

  mutating func with<Result>(_ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result) -> Result {
    let size = size
    return withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
    }
  }

  mutating func fill<Result>(_ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result)
    -> Result
  {
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &size) }
    }
    self.size = size
    return result
  }

  /// The address alone; a mapped IPv4 address as such.
  var text: String {
    var copy = self
    var host = [CChar](repeating: 0, count: 64)
    _ = copy.with { getnameinfo($0, $1, &host, 64, nil, 0, NI_NUMERICHOST) }
    let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
  }
}
