internal import Glibc
internal import WireCore
internal import WireLinux

/// A stream to a database server, or to the management socket of a bridge, with a deadline on each step.
struct DatabaseSocket: ~Copyable {
  let address: DatabaseAddress
  private let descriptor: Descriptor

  init(connectingTo address: DatabaseAddress, until deadline: Deadline) throws(OVSDBError) {
    let descriptor = try Self.open(address)
    try Self.connect(descriptor.raw, to: address, until: deadline)
    self.address = address
    self.descriptor = descriptor
  }

  private static func open(_ address: DatabaseAddress) throws(OVSDBError) -> Descriptor {
    do throws(SystemError) {
      return try Descriptor.socket(address.socketFamily, Int32(SOCK_STREAM.rawValue), 0)
    } catch {
      throw OVSDBError(address, "connecting", .system(error))
    }
  }

  /// connect(2) blocks, for at most SO_SNDTIMEO: a UNIX socket whose queue is full cannot be waited for by poll(2).
  private static func connect(
    _ raw: Int32, to address: DatabaseAddress, until deadline: Deadline
  ) throws(OVSDBError) {
    let milliseconds = deadline.remaining
    guard milliseconds > 0 else { throw OVSDBError(address, "connecting", .timeout) }
    var limit = timeval(tv_sec: Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
    var on: Int32 = 1
    setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    if case .tcp = address {
      // Requests are sent one after another without a wait: Nagle's algorithm would hold the second one back.
      setsockopt(raw, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    var failure: Int32 = 0
    repeat {
      let outcome = address.withSocketAddress { name, size in retrying { Glibc.connect(raw, name, size) } }
      failure = outcome == 0 ? 0 : errno
      // EAGAIN: the server's queue is full, as a crowd of hooks makes it, and the kernel has waited for it (SO_SNDTIMEO).
    } while failure == EAGAIN && !deadline.isOver
    guard failure == 0 else { throw OVSDBError(address, "connecting", address.failure(failure, of: "connect")) }
  }

  func send(_ bytes: [UInt8], step: String, until deadline: Deadline) throws(OVSDBError) {
    let raw = descriptor.raw
    let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { all in
        let rest = UnsafeRawBufferPointer(rebasing: all[sent...])
        return retrying { Glibc.send(raw, rest.baseAddress, rest.count, flags) }
      }
      if count > 0 {
        sent += count
      } else {
        try wait(for: POLLOUT, failure: errno, step: step, until: deadline)
      }
    }
  }

  /// Waits for bytes, at most as many as `buffer` holds; never none.
  func receive(
    into buffer: UnsafeMutableRawBufferPointer, step: String, until deadline: Deadline
  ) throws(OVSDBError) -> Int {
    let raw = descriptor.raw
    while true {
      // An answer is never there at once: recv(2) first would be one call more.
      try wait(for: POLLIN, failure: EAGAIN, step: step, until: deadline)
      let count = retrying { recv(raw, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) }
      if count > 0 { return count }
      guard count != 0 else { throw OVSDBError(address, step, .closed) }
      let failure = errno
      guard failure == EAGAIN else { throw OVSDBError(address, step, address.failure(failure, of: "recv")) }
    }
  }

  private func wait(for events: Int32, failure: Int32, step: String, until deadline: Deadline) throws(OVSDBError) {
    guard failure == EAGAIN else { throw OVSDBError(address, step, address.failure(failure, of: "send")) }
    do throws(SystemError) {
      if !deadline.isOver, try deadline.wait(for: descriptor.raw, events) { return }
    } catch {
      throw OVSDBError(address, step, .system(error))
    }
    throw OVSDBError(address, step, .timeout)
  }
}

extension DatabaseAddress {
  fileprivate var socketFamily: Int32 {
    switch self {
    case .unix: AF_UNIX
    case .tcp(let address, _): address.family == .ipv4 ? AF_INET : AF_INET6
    }
  }

  /// Hands over the address as the kernel takes it.
  fileprivate func withSocketAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var storage = sockaddr_storage()
    storage.ss_family = sa_family_t(socketFamily)
    var size = MemoryLayout<sockaddr_in6>.size
    withUnsafeMutableBytes(of: &storage) { raw in
      switch self {
      case .unix(let path):
        // The storage is longer than `sun_path`, and zeroed: the kernel refuses what does not fit.
        let room = raw[MemoryLayout<sa_family_t>.size...].dropLast()
        UnsafeMutableRawBufferPointer(rebasing: room).copyBytes(from: path.utf8.prefix(room.count))
        size = MemoryLayout<sa_family_t>.size + path.utf8.count + 1
      case .tcp(let address, let port):
        raw.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        let offset = address.family == .ipv4 ? 4 : 8
        for (index, byte) in address.bytes.enumerated() { raw[offset + index] = byte }
        if address.family == .ipv4 { size = MemoryLayout<sockaddr_in>.size }
      }
    }
    return withUnsafePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(size)) }
    }
  }

  /// What an error number means here.
  fileprivate func failure(_ errno: Int32, of call: String) -> OVSDBError.Kind {
    switch errno {
    case ENOENT, ENOTDIR: .missing
    // What connect(2) says of a path that is no socket at all, too.
    case ECONNREFUSED: otherFile.map { .notASocket($0) } ?? .refused
    case EPROTOTYPE: .notASocket("a socket of another type")
    case EACCES, EPERM: .permission
    case EAGAIN, EINPROGRESS, ETIMEDOUT: .timeout
    case EPIPE, ECONNRESET: .closed
    default: .system(SystemError(call, errno))
    }
  }

  /// What is at the path, where it is no socket.
  private var otherFile: String? {
    var status = stat()
    guard case .unix(let path) = self, stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFSOCK: return nil
    case S_IFDIR: return "a directory"
    case S_IFREG: return "a regular file"
    default: return "a device or pipe"
    }
  }
}
