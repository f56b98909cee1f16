internal import CMnl
internal import Glibc
internal import WireLinux

extension NetlinkSocket {
  /// A dump that changed under the kernel's hands (`NLM_F_DUMP_INTR`) is taken again this often.
  private static let dumpAttempts = 8

  /// Asks for one object; `body` gets its message without the netlink header. Nil where the kernel says that there is none
  /// (one of `absent`).
  func ask<Value>(
    _ request: borrowing Batch, absent: [Int32], until deadline: Deadline,
    _ body: (RawSpan) throws(NetlinkError) -> Value
  ) throws(NetlinkError) -> Value? {
    let number = try begin(request)
    var value: Value?
    var answer: Answer?
    while value == nil, answer == nil {
      let inTime = try receive(until: deadline) { (header, payload) throws(NetlinkError) in
        guard header.nlmsg_seq == number else { return }
        switch Int32(header.nlmsg_type) {
        case NLMSG_ERROR: answer = try Answer(payload, flags: header.nlmsg_flags)
        case NLMSG_DONE, NLMSG_NOOP, NLMSG_OVERRUN: return
        default: value = try body(payload)
        }
      }
      guard inTime else { throw .timeout(request: request.name(of: 0)) }
    }
    if value == nil, let answer, answer.errno != 0, !absent.contains(answer.errno) {
      throw .refused(answer.refusal(of: request.name(of: 0)))
    }
    return value
  }

  /// Asks for all objects of a kind (`NLM_F_DUMP`); `body` makes a value of each message, or nil to pass over it.
  func dump<Value>(
    _ request: borrowing Batch, until deadline: Deadline, _ body: (RawSpan) throws(NetlinkError) -> Value?
  ) throws(NetlinkError) -> [Value] {
    for _ in 0..<Self.dumpAttempts {
      var values: [Value] = []
      var wasInterrupted = false
      var answer: Answer?
      let number = try begin(request)
      while answer == nil {
        let inTime = try receive(until: deadline) { (header, payload) throws(NetlinkError) in
          guard header.nlmsg_seq == number else { return }
          if header.nlmsg_flags & UInt16(NLM_F_DUMP_INTR) != 0 { wasInterrupted = true }
          switch Int32(header.nlmsg_type) {
          case NLMSG_ERROR: answer = try Answer(payload, flags: header.nlmsg_flags)
          case NLMSG_DONE: answer = try Answer(done: payload, flags: header.nlmsg_flags)
          case NLMSG_NOOP, NLMSG_OVERRUN: return
          default: if let value = try body(payload) { values.append(value) }
          }
        }
        guard inTime else { throw .timeout(request: request.name(of: 0)) }
      }
      if let answer, answer.errno != 0 { throw .refused(answer.refusal(of: request.name(of: 0))) }
      if !wasInterrupted { return values }
    }
    throw .unsettled(request: request.name(of: 0))
  }

  private func begin(_ request: borrowing Batch) throws(NetlinkError) -> UInt32 {
    let bytes = request.mutableBytes
    guard !request.overflowed, bytes.count >= MemoryLayout<nlmsghdr>.size else { throw .malformed("an empty request") }
    let number = reserve(1)
    bytes.storeBytes(of: number, toByteOffset: 8, as: UInt32.self)
    try transmit(bytes)
    return number
  }
}
