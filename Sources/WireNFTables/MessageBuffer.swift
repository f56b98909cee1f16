internal import CMnl
internal import CNftnl
internal import Glibc

/// Netlink messages one behind the other in one owned buffer. What does not fit is remembered as an overflow, which the
/// sender refuses: a message is never cut.
struct MessageBuffer: ~Copyable {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  private var finished = 0
  /// The message being built: a pointer into `base`, so it lives as long as the buffer.
  private(set) var header: UnsafeMutablePointer<nlmsghdr>
  private(set) var overflowed = false
  private(set) var messageCount: UInt32 = 0
  private let firstSequence: UInt32

  init(capacity: Int, firstSequence: UInt32) {
    self.capacity = capacity
    self.firstSequence = firstSequence
    base = .allocate(byteCount: capacity, alignment: 16)
    header = base.bindMemory(to: nlmsghdr.self, capacity: 1)
  }

  deinit { base.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: finished) }
  var lastSequence: UInt32 { firstSequence &+ messageCount &- 1 }
  /// How many bytes a message may have that is built without checks, by libnftnl.
  private var room: Int { capacity - finished }

  /// Begins a message `type` of subsystem `subsystem` with its nfgenmsg header.
  mutating func begin(
    _ type: UInt16, flags: UInt16, family: UInt8, resource: UInt16 = 0, roomFor wanted: Int = 256
  ) {
    guard room >= wanted else { return overflowed = true }
    header = mnl_nlmsg_put_header(base + finished)
    header.pointee.nlmsg_type = type
    header.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST) | flags
    header.pointee.nlmsg_seq = firstSequence &+ messageCount
    let general = mnl_nlmsg_put_extra_header(header, MemoryLayout<nfgenmsg>.size)
    general?.storeBytes(
      of: nfgenmsg(nfgen_family: family, version: UInt8(NFNETLINK_V0), res_id: resource.bigEndian), as: nfgenmsg.self)
  }

  /// Something could not be built for lack of memory: nothing of this buffer is to be sent.
  mutating func fail() { overflowed = true }

  /// Ends the message that was begun.
  mutating func end() {
    guard !overflowed else { return }
    finished += Int(header.pointee.nlmsg_len + 3) & ~3
    messageCount += 1
  }

  /// Asks for an acknowledgement of the message begun or ended last. The kernel answers after the commit, so one stands for
  /// the whole batch, and a receive buffer cannot overflow.
  func acknowledge() {
    guard !overflowed else { return }
    header.pointee.nlmsg_flags |= UInt16(NLM_F_ACK)
  }

  mutating func put(_ type: Int, _ value: some Collection<UInt8>) {
    guard !overflowed else { return }
    let fits = value.withContiguousStorageIfAvailable {
      mnl_attr_put_check(header, room, UInt16(type), $0.count, $0.baseAddress)
    }
    guard fits ?? false else { return overflowed = true }
  }

  mutating func put(_ type: Int, _ value: UInt32) {
    guard !overflowed else { return }
    guard mnl_attr_put_u32_check(header, room, UInt16(type), value.bigEndian) else { return overflowed = true }
  }

  mutating func put(_ type: Int, _ text: String) {
    guard !overflowed else { return }
    guard mnl_attr_put_strz_check(header, room, UInt16(type), text) else { return overflowed = true }
  }

  mutating func nest(_ type: Int, _ body: (inout MessageBuffer) -> Void) {
    guard !overflowed, let start = mnl_attr_nest_start_check(header, room, UInt16(type)) else {
      return overflowed = true
    }
    body(&self)
    guard !overflowed else { return }
    mnl_attr_nest_end(header, start)
  }
}
