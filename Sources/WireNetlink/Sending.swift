internal import CMnl
internal import Glibc
package import WireLinux

extension NetlinkSocket {
  /// The most messages that go out at once: their refusals must fit into the socket's receive buffer.
  private static let atOnce = 64

  /// Sends all requests and waits until the kernel has carried out the last one. Throws the first refusal, when all are
  /// through: the kernel goes on after a message that fails.
  package func send(_ batch: borrowing Batch, until deadline: Deadline) throws(NetlinkError) {
    if let first = try attempt(batch, until: deadline).first { throw .refused(first) }
  }

  /// As `send`, but returns every refusal, in order; none: all went well.
  package func attempt(_ batch: borrowing Batch, until deadline: Deadline) throws(NetlinkError) -> [Refusal] {
    guard !batch.overflowed else { throw .malformed("a request is longer than \(Batch.messageLimit) bytes") }
    let bytes = batch.mutableBytes
    var refusals: [Refusal] = []
    var start = 0
    var index = 0
    while start < bytes.count {
      let first = reserve(Self.atOnce)
      let (end, count) = try Self.number(bytes, from: start, first)
      try transmit(UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end]))
      try collect(&refusals, batch, first, count, before: index, until: deadline)
      start = end
      index += count
    }
    return refusals
  }

  /// Gives the messages from `start` their sequence numbers and asks the last one, and no other, for an acknowledgement:
  /// the others speak only when they fail.
  private static func number(
    _ bytes: UnsafeMutableRawBufferPointer, from start: Int, _ first: UInt32
  ) throws(NetlinkError) -> (end: Int, count: Int) {
    var offset = start
    var last = start
    var count = 0
    while offset < bytes.count, count < atOnce {
      var header = try RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes)).value(at: offset, as: nlmsghdr.self)
      header.nlmsg_seq = first &+ UInt32(count)
      header.nlmsg_flags &= ~UInt16(NLM_F_ACK)
      bytes.storeBytes(of: header, toByteOffset: offset, as: nlmsghdr.self)
      last = offset
      offset += Int(header.nlmsg_len + 3) & ~3
      count += 1
    }
    let flags = bytes.load(fromByteOffset: last + 6, as: UInt16.self)
    bytes.storeBytes(of: flags | UInt16(NLM_F_ACK), toByteOffset: last + 6, as: UInt16.self)
    return (offset, count)
  }

  private func collect(
    _ refusals: inout [Refusal], _ batch: borrowing Batch, _ first: UInt32, _ count: Int, before: Int,
    until deadline: Deadline
  ) throws(NetlinkError) {
    var done = false
    while !done {
      var found: [(index: Int, answer: Answer)] = []
      let inTime = try receive(until: deadline) { (header, payload) throws(NetlinkError) in
        let position = Int(header.nlmsg_seq &- first)
        guard position < count, Int32(header.nlmsg_type) == NLMSG_ERROR else { return }
        found.append((position, try Answer(payload, flags: header.nlmsg_flags)))
      }
      guard inTime else { throw .timeout(request: batch.name(of: before + count - 1)) }
      for (position, answer) in found {
        if answer.errno != 0, !batch.forgives(answer.errno, at: before + position) {
          refusals.append(answer.refusal(of: batch.name(of: before + position), index: before + position))
        }
        if position == count - 1 { done = true }
      }
    }
  }
}

/// What an `NLMSG_ERROR` or `NLMSG_DONE` says.
struct Answer {
  /// 0: it went well.
  let errno: Int32
  let extack: String?

  /// Reads `struct nlmsgerr`: the error, the request's header (all of it where the kernel does not know
  /// `NETLINK_CAP_ACK`), and attributes.
  init(_ payload: RawSpan, flags: UInt16) throws(NetlinkError) {
    let code = try payload.value(as: Int32.self)
    guard code <= 0, code > -4096 else { throw .malformed("an error with the number \(code)") }
    errno = -code
    guard code != 0, flags & UInt16(NLM_F_ACK_TLVS) != 0 else {
      extack = nil
      return
    }
    let request = try payload.value(at: 4, as: nlmsghdr.self)
    let isCapped = flags & UInt16(NLM_F_CAPPED) != 0
    let size = isCapped ? MemoryLayout<nlmsghdr>.size : Int(request.nlmsg_len)
    guard size <= payload.byteCount else { throw .malformed("an error about a request of \(size) bytes") }
    extack = try Self.sentence(payload, from: 4 + (size + 3) & ~3)
  }

  /// Reads the end of a dump: the error and, with one, attributes.
  init(done payload: RawSpan, flags: UInt16) throws(NetlinkError) {
    // Old kernels end some dumps with nothing at all.
    guard payload.byteCount >= 4 else {
      errno = 0
      extack = nil
      return
    }
    let code = try payload.value(as: Int32.self)
    errno = code < 0 && code > -4096 ? -code : 0
    extack = flags & UInt16(NLM_F_ACK_TLVS) != 0 ? try Self.sentence(payload, from: 4) : nil
  }

  private static func sentence(_ payload: RawSpan, from offset: Int) throws(NetlinkError) -> String? {
    var sentence: String?
    try forEachAttribute(in: payload, from: offset) { (type, value) throws(NetlinkError) in
      if type == Int(NLMSGERR_ATTR_MSG.rawValue) { sentence = value.text }
    }
    return sentence
  }

  func refusal(of request: String, index: Int = 0) -> Refusal {
    Refusal(request: request, errno: errno, extack: extack, index: index)
  }
}
