internal import CMnl
internal import CNftnl
internal import Glibc

/// A NETLINK_NETFILTER socket of the network namespace that the opening thread is in.
///
/// nfnetlink works inside sendmsg(2): when that returns, the whole batch is committed or refused and every answer is
/// queued, so a transaction is two system calls. The socket is not bound: the kernel does that at the first send.
struct NetfilterSocket: ~Copyable {
  let descriptor: Int32
  /// The sequence number of the next request; on the heap, so that a borrowed socket can count.
  private let sequence: UnsafeMutablePointer<UInt32>

  init() throws(NFTablesError) {
    descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_NETFILTER)
    guard descriptor >= 0 else { throw NFTablesError("opening a netfilter socket", code: errno) }
    sequence = .allocate(capacity: 1)
    sequence.initialize(to: 1)
    // Old kernels lack them: errors then come without the kernel's sentence, and with our message behind them.
    var on: Int32 = 1
    _ = setsockopt(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, &on, socklen_t(MemoryLayout<Int32>.size))
    _ = setsockopt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit {
    close(descriptor)
    sequence.deallocate()
  }

  /// Takes `count` sequence numbers and returns the first.
  borrowing func takeSequence(_ count: UInt32) -> UInt32 {
    let first = sequence.pointee
    sequence.pointee = first &+ count
    return first
  }

  /// Sends all of `bytes` as one datagram. More than the send buffer takes (208 KiB by default) makes it larger first.
  borrowing func send(_ bytes: UnsafeRawBufferPointer, for request: String) throws(NFTablesError) {
    if bytes.count > 128 << 10 { enlargeSendBuffer(to: bytes.count) }
    while true {
      let sent = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      if sent == bytes.count { return }
      let code = sent < 0 ? errno : EMSGSIZE
      guard code == EINTR else { throw NFTablesError(request, code: code) }
    }
  }

  /// Receives one datagram from the kernel. Waits, until `deadline` (CLOCK_MONOTONIC, milliseconds), only where nothing is queued.
  borrowing func receive(
    into buffer: UnsafeMutableRawBufferPointer, for request: String, deadline: Int64
  ) throws(NFTablesError) -> Int {
    while true {
      var sender = sockaddr_nl()
      var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
      let flags = Int32(MSG_DONTWAIT | MSG_TRUNC)
      let count = withUnsafeMutablePointer(to: &sender) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          recvfrom(descriptor, buffer.baseAddress, buffer.count, flags, $0, &size)
        }
      }
      if count >= 0 {
        guard count <= buffer.count else { throw NFTablesError(request, code: EMSGSIZE) }
        // Only the kernel has port 0; what another process sent is dropped.
        if sender.nl_pid == 0 { return count }
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: try wait(for: request, deadline: deadline)
      case let code: throw NFTablesError(request, code: code)
      }
    }
  }

  private borrowing func wait(for request: String, deadline: Int64) throws(NFTablesError) {
    let left = deadline - MonotonicClock.milliseconds
    guard left > 0 else { throw NFTablesError(request, code: ETIMEDOUT) }
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let ready = Glibc.poll(&poll, 1, Int32(clamping: left))
    let code = errno
    guard ready >= 0 || code == EINTR else { throw NFTablesError(request, code: code) }
  }

  private borrowing func enlargeSendBuffer(to byteCount: Int) {
    var size = Int32(clamping: byteCount + 4096)
    let length = socklen_t(MemoryLayout<Int32>.size)
    guard setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, length) != 0 else { return }
    _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, length)
  }
}

/// The clock that deadlines are of.
enum MonotonicClock {
  static var milliseconds: Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }
}
