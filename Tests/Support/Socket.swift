import Foundation
import Glibc
import WireCore

/// A non-blocking socket, closed at the end of its life. It belongs to the namespace of the thread that made it.
final class Socket: Sendable {
  enum Kind { case tcp, udp }
  struct Trouble: Error { var code: Int32 }

  let file: Int32
  let family: Family

  init(_ kind: Kind, _ family: Family, bothFamilies: Bool = false) throws {
    self.family = family
    let type = Int32((kind == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    file = socket(family == .ipv4 ? AF_INET : AF_INET6, type | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard file >= 0 else { throw Failure("socket: \(String(cString: strerror(errno)))") }
    var on: Int32 = 1
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    if family == .ipv6, !bothFamilies { setsockopt(file, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, 4) }
  }

  convenience init(_ kind: Kind, towards address: String, bothFamilies: Bool = false) throws {
    try self.init(kind, address.contains(":") ? .ipv6 : .ipv4, bothFamilies: bothFamilies)
  }

  /// A socket that the kernel made: an accepted connection.
  init(adopting file: Int32, _ family: Family) {
    self.file = file
    self.family = family
  }

  deinit { close(file) }

  func bind(_ address: String, _ port: UInt16) throws {
    let outcome = try SocketAddress(address, port).withPointer { Glibc.bind(file, $0, $1) }
    guard outcome == 0 else { throw Failure("bind \(address) \(port): \(String(cString: strerror(errno)))") }
  }

  /// nil: connected at once; else errno.
  func connect(to address: String, _ port: UInt16) -> Int32? {
    guard let target = try? SocketAddress(address, port) else { return EINVAL }
    return target.withPointer { Glibc.connect(file, $0, $1) } == 0 ? nil : errno
  }

  func write(_ bytes: [UInt8]) -> Int32? {
    send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count ? nil : errno
  }

  func read() -> Result<[UInt8], Trouble> {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(file, &buffer, buffer.count, 0)
    return count < 0 ? .failure(Trouble(code: errno)) : .success(Array(buffer.prefix(count)))
  }

  var pendingError: Int32 {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(file, SOL_SOCKET, SO_ERROR, &code, &size)
    return code
  }

  func wait(for events: Int32, until end: ContinuousClock.Instant) -> Bool {
    var wait = pollfd(fd: file, events: Int16(events), revents: 0)
    let left = ContinuousClock.now.duration(to: end)
    let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
    return poll(&wait, 1, Int32(max(0, min(milliseconds, 60_000)))) > 0
  }
}

/// A `sockaddr_in` or `sockaddr_in6` as bytes.
struct SocketAddress {
  private var storage = sockaddr_storage()
  private var length: socklen_t

  init(_ text: String, _ port: UInt16) throws {
    guard let address = IPAddress(text) else { throw Failure("not an address: \(text)") }
    length = socklen_t(address.family == .ipv4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
    let bytes = address.bytes
    withUnsafeMutableBytes(of: &storage) { raw in
      raw.storeBytes(of: sa_family_t(address.family == .ipv4 ? AF_INET : AF_INET6), as: sa_family_t.self)
      raw.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
      for (index, byte) in bytes.enumerated() { raw[(address.family == .ipv4 ? 4 : 8) + index] = byte }
    }
  }

  /// What recvfrom(2) or accept(2) filled in.
  init(receiving fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Void) {
    length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var size = length
    withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { fill($0, &size) }
    }
    length = size
  }

  var host: String {
    withUnsafeBytes(of: storage) { raw in
      let ipv4 = raw.load(as: sa_family_t.self) == AF_INET
      return IPAddress(bytes: Array(raw[(ipv4 ? 4 : 8)..<(ipv4 ? 8 : 24)]))?.description ?? "?"
    }
  }

  func withPointer<Outcome>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Outcome) -> Outcome {
    withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}
