package import WireCore
package import WireLinux

/// The flows of one bridge, by its management socket. Nobody waits for the greeting alone: a change or a question is one round
/// trip.
package final class FlowTable {
  /// How many messages that nobody asked for may come before a reply.
  private static let strayLimit = 1000
  /// How long an answer may be in bytes: some 100,000 flows.
  private static let sizeLimit = 16 << 20

  private let socket: DatabaseSocket
  private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  /// What has come and is not read yet.
  private var received: [UInt8] = []
  private var isGreeted = false
  private var lastTransaction: UInt32 = 0

  /// `address`: of the management socket (`DatabaseAddress.managementSocket`).
  package init(_ address: DatabaseAddress, until deadline: Deadline) throws(OVSDBError) {
    socket = try DatabaseSocket(connectingTo: address, until: deadline)
    try socket.send(OpenFlowMessage.hello(0).bytes, step: "sending a greeting", until: deadline)
  }

  deinit { chunk.deallocate() }

  /// Makes the changes in their order, at one moment. After an error they have to be taken back: the switch may have left out
  /// only what it refused.
  package func apply(_ changes: [FlowChange], until deadline: Deadline) throws(OVSDBError) {
    var messages = [OpenFlowMessage.bundle(.open, next())]
    for change in changes { messages.append(.bundled(change, next())) }
    let commit = next()
    messages.append(.bundle(.commit, commit))
    try send(messages, "sending flows", until: deadline)
    let step = "waiting until the flows are taken over"
    let reply = try reply(to: commit, step, until: deadline)
    guard reply.isCommitted else { throw OVSDBError(socket.address, step, .notOpenFlow("an answer to something else")) }
  }

  /// Those flows of the first table that have these cookies.
  package func flows(_ cookies: FlowCookies, until deadline: Deadline) throws(OVSDBError) -> [Flow] {
    let question = next()
    try send(
      [OpenFlowMessage(.multipartRequest, question, Flow.question(cookies))], "asking for flows", until: deadline)
    let step = "waiting for flows"
    var flows: [Flow] = []
    var size = 0
    while true {
      let message = try reply(to: question, step, until: deadline)
      var reader = BytesReader(message.body)
      guard message.kind == OpenFlowMessage.Kind.multipartReply.rawValue, let type = reader.number(UInt16.self),
        type == 1,
        let flags = reader.number(UInt16.self), reader.take(4) != nil, let rest = reader.take(reader.count),
        let part = Flow.list(rest)
      else { throw OVSDBError(socket.address, step, .notOpenFlow("an answer that is no list of flows")) }
      flows += part
      guard flags & 1 != 0 else { return flows }
      size += message.body.count
      guard size < Self.sizeLimit else {
        throw OVSDBError(socket.address, step, .notOpenFlow("more than \(Self.sizeLimit) bytes of flows"))
      }
    }
  }

  private func next() -> UInt32 {
    lastTransaction += 1
    return lastTransaction
  }

  private func send(_ messages: [OpenFlowMessage], _ step: String, until deadline: Deadline) throws(OVSDBError) {
    do throws(OVSDBError) {
      try socket.send(messages.flatMap(\.bytes), step: step, until: deadline)
    } catch {
      guard error.kind == .closed else { throw error }
      // What it has said before tells why it hung up on a greeting.
      _ = try reply(to: .max, step, until: deadline)
      throw error
    }
  }

  /// Waits for the reply to the last message of a request; the first error that any of them met is thrown then. Whoever goes
  /// on to take things back must not be quicker than the switch, which may still be at it.
  private func reply(
    to transaction: UInt32, _ step: String, until deadline: Deadline
  ) throws(OVSDBError) -> OpenFlowMessage {
    var refusal: OVSDBError.Kind?
    for _ in 0...Self.strayLimit {
      let message = try receive(step, instead: refusal, until: deadline)
      switch OpenFlowMessage.Kind(rawValue: message.kind) {
      case .hello:
        guard message.offersOurVersion else { throw OVSDBError(socket.address, step, .openFlowVersion) }
        isGreeted = true
        // Its number is the switch's own, which may be ours as well.
        continue
      case .error:
        refusal = refusal ?? message.refusal
      case .echoRequest:
        let reply = OpenFlowMessage(.echoReply, message.transaction, message.body)
        try socket.send(reply.bytes, step: "answering an echo request", until: deadline)
        continue
      default:
        guard isGreeted, message.version == OpenFlowMessage.version else {
          throw OVSDBError(socket.address, step, .notOpenFlow("no greeting"))
        }
      }
      guard message.transaction == transaction else { continue }
      if let refusal { throw OVSDBError(socket.address, step, refusal) }
      return message
    }
    throw OVSDBError(
      socket.address, step, .notOpenFlow("\(Self.strayLimit + 1) messages, and none of them is the reply"))
  }

  /// `refusal`: what a switch that hangs up has said against it, as one that does not speak our version.
  private func receive(
    _ step: String, instead refusal: OVSDBError.Kind?, until deadline: Deadline
  ) throws(OVSDBError) -> OpenFlowMessage {
    while true {
      do throws(OVSDBError.Kind) {
        if let message = try OpenFlowMessage.take(from: &received) { return message }
      } catch {
        throw OVSDBError(socket.address, step, error)
      }
      let count: Int
      do throws(OVSDBError) {
        count = try socket.receive(into: chunk, step: step, until: deadline)
      } catch {
        guard let refusal, error.kind == .closed else { throw error }
        throw OVSDBError(error.address, error.step, refusal)
      }
      received.append(contentsOf: chunk[..<count])
    }
  }
}
