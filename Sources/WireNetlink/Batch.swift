internal import CMnl

/// Netlink requests, one behind the other, that go to the kernel in one system call. The kernel carries them out in order
/// and goes on after one that fails.
///
/// Requests are added by the methods in `…Requests.swift`. One that does not fit (`messageLimit`) makes `send` fail: nothing
/// is ever sent in part.
package struct Batch: ~Copyable {
  /// The room for one message: the largest of ours, with an alias of 255 bytes, takes under 1 KiB.
  static let messageLimit = 4096

  private var buffer: UnsafeMutableRawBufferPointer
  private var used = 0
  private var last = 0
  private(set) var overflowed = false
  /// The refusals that mean as much as success, by the index of their request.
  private var forgiven: [(index: Int, errno: Int32)] = []
  /// How many requests it holds.
  package private(set) var count = 0

  /// What errors call the requests of another bus than `route`: the numbers of message types mean something else there.
  let title: String?

  package init() { self.init(title: nil) }

  init(title: String?) {
    self.title = title
    buffer = .allocate(byteCount: 2 * Self.messageLimit, alignment: 16)
  }

  deinit { buffer.deallocate() }

  package var isEmpty: Bool { count == 0 }

  /// The messages as they are sent, except that sequence numbers and the last one's `NLM_F_ACK` are set on the way.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<used]) }

  /// The same bytes for the socket, which sets sequence numbers and flags.
  var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: buffer[..<used]) }

  /// Adds one message: its fixed header, then whatever `body` puts. Where the kernel refuses it with `forgiven`, nobody is
  /// told.
  mutating func append<Header: BitwiseCopyable>(
    _ type: Int, flags: Int32 = 0, _ header: Header, forgiving forgiven: Int32? = nil,
    _ body: (inout MessageBuilder) -> Void = { _ in }
  ) {
    if buffer.count - used < Self.messageLimit { grow() }
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[used...])
    guard var message = MessageBuilder(in: room, type: type, flags: flags) else {
      overflowed = true
      return
    }
    message.put(header: header)
    body(&message)
    guard message.fits else {
      overflowed = true
      return
    }
    if let forgiven { self.forgiven.append((count, forgiven)) }
    last = used
    used += message.length
    count += 1
  }

  func forgives(_ errno: Int32, at index: Int) -> Bool {
    forgiven.contains { $0.index == index && $0.errno == errno }
  }

  /// Makes the last message ask for an acknowledgement, for those who send the bytes themselves.
  mutating func askForAcknowledgement() {
    guard count > 0 else { return }
    let flags = buffer.load(fromByteOffset: last + 6, as: UInt16.self)
    buffer.storeBytes(of: flags | UInt16(NLM_F_ACK), toByteOffset: last + 6, as: UInt16.self)
  }

  /// Between messages only: a message under construction holds pointers into the buffer.
  private mutating func grow() {
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
    larger.copyMemory(from: bytes)
    buffer.deallocate()
    buffer = larger
  }
}
