internal import CLinux
internal import CMnl
package import WireCore
internal import Glibc
package import WireLinux

/// A netlink socket (netlink(7)). It belongs for life to the network namespace that its thread was in when it was opened.
///
/// It is not bound: the kernel does that at the first request. An answer counts when the kernel itself sent it (port 0 in
/// the sender's address, which a process cannot forge) and its sequence number is that of a request of ours.
package struct NetlinkSocket: ~Copyable {
  package enum Bus: Sendable {
    /// Links, addresses, routes, traffic control (rtnetlink(7)).
    case route
    /// Connection tracking.
    case netfilter
    /// Sockets of this host (sock_diag(7)).
    case sockDiag
    /// Families that have no bus of their own, ethtool's among them (genetlink).
    case generic

    fileprivate var number: Int32 {
      switch self {
      case .route: NETLINK_ROUTE
      case .netfilter: NETLINK_NETFILTER
      case .sockDiag: NETLINK_SOCK_DIAG
      case .generic: NETLINK_GENERIC
      }
    }
  }

  /// The kernel cuts a dump into datagrams of at most this size (`NLMSG_GOODSIZE` and `max_recvmsg_len`).
  private static let receiveSize = 32 << 10

  private let descriptor: Descriptor
  /// The number of the next request; behind a pointer, so that a borrowed socket can send.
  private let sequence: UnsafeMutablePointer<UInt32>
  private let buffer: UnsafeMutableRawBufferPointer

  package init(_ bus: Bus) throws(SystemError) {
    descriptor = try Descriptor.socket(AF_NETLINK, Int32(SOCK_RAW.rawValue), bus.number)
    sequence = .allocate(capacity: 1)
    sequence.initialize(to: 1)
    buffer = .allocate(byteCount: Self.receiveSize, alignment: 16)
    // The kernel's own sentences, and no copy of the request in its answers.
    set(NETLINK_EXT_ACK)
    set(NETLINK_CAP_ACK)
  }

  deinit {
    sequence.deallocate()
    buffer.deallocate()
  }

  /// Lets a dump be narrowed by what its request holds; without it the kernel sends everything.
  func checkStrictly() { set(NETLINK_GET_STRICT_CHK) }

  /// A kernel that does not know the option says less, and the answers are read all the same.
  private func set(_ option: Int32) {
    var on: Int32 = 1
    _ = setsockopt(descriptor.raw, SOL_NETLINK, option, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  /// The MTU of a link by name in bytes, without a message (SIOCGIFMTU); nil where there is none.
  package func mtu(of name: InterfaceName) -> UInt32? {
    let mtu = clinux_link_mtu(descriptor.raw, name.description)
    return mtu > 0 ? UInt32(mtu) : nil
  }

  /// The index of a link by name, without a message (SIOCGIFINDEX); nil where there is none.
  package func index(of name: InterfaceName) -> UInt32? {
    let index = clinux_link_index(descriptor.raw, name.description)
    return index > 0 ? UInt32(index) : nil
  }

  /// Whether a link leaves the checksums of what it sends to hardware, without a message (ETHTOOL_GTXCSUM); nil where there
  /// is none. As `tx-checksumming` of `ethtool -k LINK`.
  package func offloadsTXChecksums(_ name: InterfaceName) -> Bool? {
    let isOn = clinux_tx_offload(descriptor.raw, name.description)
    return isOn < 0 ? nil : isOn != 0
  }

  /// Lets a link compute the checksums of what it sends, without a message (ETHTOOL_STXCSUM). As `ethtool -K LINK tx off`.
  package func turnOffTXChecksumOffload(_ name: InterfaceName) throws(SystemError) {
    guard clinux_tx_offload_off(descriptor.raw, name.description) != 0 else { return }
    let code = errno
    // The link has nothing of the kind that could be changed.
    if code == EOPNOTSUPP, offloadsTXChecksums(name) == false { return }
    throw SystemError("SIOCETHTOOL", code, path: name.description)
  }

  /// Takes `count` sequence numbers, and answers the first.
  func reserve(_ count: Int) -> UInt32 {
    defer { sequence.pointee &+= UInt32(truncatingIfNeeded: count) }
    return sequence.pointee
  }

  /// Sends bytes to the kernel in one datagram.
  func transmit(_ bytes: UnsafeMutableRawBufferPointer) throws(NetlinkError) {
    let raw = descriptor.raw
    var kernel = sockaddr_nl()
    kernel.nl_family = sa_family_t(AF_NETLINK)
    let sent = withUnsafeBytes(of: &kernel) { name in
      retrying {
        sendto(
          raw, bytes.baseAddress, bytes.count, 0, name.baseAddress?.assumingMemoryBound(to: sockaddr.self),
          socklen_t(name.count))
      }
    }
    guard sent == bytes.count else { throw .system(SystemError("sendto", sent < 0 ? errno : EMSGSIZE)) }
  }

  /// Waits for one datagram of the kernel's and hands each message of it to `body`; false when the deadline came first.
  func receive(
    until deadline: Deadline, _ body: (_ header: nlmsghdr, _ payload: RawSpan) throws(NetlinkError) -> Void
  ) throws(NetlinkError) -> Bool {
    guard let count = try next(until: deadline) else { return false }
    var rest = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    while rest.byteCount >= MemoryLayout<nlmsghdr>.size {
      let header = try rest.value(as: nlmsghdr.self)
      let length = Int(header.nlmsg_len)
      guard length >= MemoryLayout<nlmsghdr>.size, length <= rest.byteCount else {
        throw .malformed("a message of \(length) in \(rest.byteCount) bytes")
      }
      try body(header, rest.extracting(MemoryLayout<nlmsghdr>.size..<length))
      rest = rest.extracting(droppingFirst: min(rest.byteCount, (length + 3) & ~3))
    }
    return true
  }

  /// The size of the next datagram from the kernel; nil when the deadline came first.
  private func next(until deadline: Deadline) throws(NetlinkError) -> Int? {
    while true {
      var sender = sockaddr_nl()
      var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
      let raw = descriptor.raw
      // With MSG_TRUNC the answer is the datagram's true size, so that a cut one is noticed.
      let flags = Int32(MSG_DONTWAIT) | Int32(MSG_TRUNC)
      let count = withUnsafeMutableBytes(of: &sender) { name in
        retrying {
          recvfrom(
            raw, buffer.baseAddress, buffer.count, flags, name.baseAddress?.assumingMemoryBound(to: sockaddr.self),
            &size)
        }
      }
      if count >= 0 {
        guard sender.nl_pid == 0 else { continue }
        guard count <= buffer.count else { throw .malformed("a datagram of \(count) bytes") }
        return count
      }
      let failure = errno
      guard failure == EAGAIN else { throw .system(SystemError("recvfrom", failure)) }
      // rtnetlink answers before sendto returns: this is for dumps and for what the kernel puts off.
      do throws(SystemError) {
        guard try deadline.wait(for: raw, POLLIN) else { return nil }
      } catch {
        throw .system(error)
      }
    }
  }
}
