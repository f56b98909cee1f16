import Glibc
import Support
import Testing
import WireCore
import WireLinux

@testable import WireOVSDB

/// What answers at a bridge's management socket is not what it should be: one line in bounded time.
@Suite struct HostileBridgeTests {
  /// For a change without any: opening has the number 1, the end the number 2. That of a greeting says nothing.
  private static let hello = OpenFlowMessage.hello(2).bytes
  private static let committed = OpenFlowMessage(.bundleControl, 2, [0, 0, 0, 1, 0, 5, 0, 3]).bytes

  private func failure(
    asking: Bool = false, until deadline: Deadline = .soon, within limit: Duration = .seconds(5),
    of script: @escaping @Sendable (Conversation) -> Void
  ) throws -> OVSDBError {
    var failure: OVSDBError?
    try FakeServer.with(script) { address in
      let start = ContinuousClock.now
      failure = #expect(throws: OVSDBError.self) {
        let table = try FlowTable(address, until: deadline)
        if asking { _ = try table.flows(.ours, until: deadline) } else { try table.apply([], until: deadline) }
      }
      #expect(start.duration(to: .now) < limit)
    }
    let error = try #require(failure)
    #expect(!error.description.contains("\n"))
    return error
  }

  private func answer(_ bytes: [UInt8]...) -> @Sendable (Conversation) -> Void {
    { conversation in
      _ = conversation.readBytes()
      for part in bytes { conversation.write(part) }
      conversation.waitForEnd()
    }
  }

  @Test func nothingIsThere() throws {
    let scratch = try Scratch()
    let error = try #require(throws: OVSDBError.self) {
      try FlowTable(.unix(path: "\(scratch.path)/br1.mgmt"), until: .soon)
    }
    #expect(error.description == "unix:\(scratch.path)/br1.mgmt: connecting: there is no such file")
  }

  @Test func anAnswerInAnyPiecesIsRead() throws {
    try FakeServer.with({ conversation in
      _ = conversation.readBytes()
      for byte in Self.hello + Self.committed {
        conversation.write([byte])
        usleep(200)
      }
      conversation.waitForEnd()
    }) { address in try FlowTable(address, until: .soon).apply([], until: .soon) }
  }

  @Test func anEchoIsAnsweredMeanwhile() throws {
    let echo = OpenFlowMessage(.echoRequest, 77, [1, 2, 3])
    let heard = Mailbox<[UInt8]>()
    try FakeServer.with({ conversation in
      // A greeting, the beginning of a change and its end: 16 bytes each.
      var request: [UInt8] = []
      while request.count < 48 { request += conversation.readBytes() }
      conversation.write(Self.hello + echo.bytes)
      heard.put(conversation.readBytes())
      conversation.write(Self.committed)
      conversation.waitForEnd()
    }) { address in try FlowTable(address, until: .soon).apply([], until: .soon) }
    #expect(try heard.take() == OpenFlowMessage(.echoReply, 77, [1, 2, 3]).bytes)
  }

  @Test func silenceEndsAtTheDeadline() throws {
    #expect(try failure(until: .brief) { $0.waitForEnd() }.kind == .timeout)
    #expect(try failure(until: .brief, of: answer(Self.hello)).kind == .timeout)
    #expect(try failure(until: .brief, of: answer(Self.hello, [5, 33, 0xff, 0xff, 0, 0, 0, 2])).kind == .timeout)
  }

  @Test func whoHangsUpIsNamed() throws {
    #expect(try failure { _ in }.kind == .closed)
    #expect(try failure { _ = $0.readBytes() }.kind == .closed)
    let half = try failure { conversation in
      _ = conversation.readBytes()
      conversation.write(Self.hello + Self.committed.dropLast())
    }
    #expect(half.kind == .closed)
  }

  @Test(arguments: [
    Array("HTTP/1.1 400 Bad Request\r\n".utf8), [5, 0, 0, 0, 0, 0, 0, 0], [5, 0, 0, 7, 0, 0, 0, 0],
    [0, 0, 0, 8, 0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    // No greeting before; an error without a type; an answer that is no answer.
    committed, hello + [5, 1, 0, 8, 0, 0, 0, 2], hello + [5, 21, 0, 8, 0, 0, 0, 2], hello + [4, 33, 0, 8, 0, 0, 0, 2],
    hello + [5, 33, 0, 16, 0, 0, 0, 2, 0, 0, 0, 1, 0, 7, 0, 3],
  ])
  func garbageIsRefused(bytes: [UInt8]) throws {
    let error = try failure(of: answer(bytes))
    guard case .notOpenFlow = error.kind else {
      Issue.record("\(error)")
      return
    }
  }

  @Test(
    arguments: [
      // Another kind of message; another kind of list; entries that are cut off or have no length.
      [5, 33, 0, 16, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0], [5, 19, 0, 8, 0, 0, 0, 1],
      [5, 19, 0, 16, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0], [5, 19, 0, 17, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 9],
      [5, 19, 0, 18, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
      [5, 19, 0, 18, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0],
    ] as [[UInt8]])
  func aListThatIsNoneIsRefused(bytes: [UInt8]) throws {
    let error = try failure(asking: true, of: answer(Self.hello, bytes))
    guard case .notOpenFlow = error.kind else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func anotherVersionIsNamed() throws {
    // Its own number without a bitmap, a bitmap without ours, and what a switch says before it hangs up.
    #expect(try failure(of: answer([4, 0, 0, 8, 0, 0, 0, 1])).kind == .openFlowVersion)
    #expect(try failure(of: answer([6, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x12])).kind == .openFlowVersion)
    let refused: [UInt8] = [4, 1, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]
    let said = try failure { conversation in
      _ = conversation.readBytes()
      conversation.write(refused)
    }
    #expect(said.kind == .openFlowVersion)
    // It has hung up before anything was asked.
    let hungUp = Mailbox<Bool>()
    try FakeServer.with({ conversation in
      _ = conversation.readBytes()
      conversation.write([4, 0, 0, 8, 0, 0, 0, 1] + refused)
      shutdown(conversation.file, Int32(SHUT_RDWR))
      hungUp.put(true)
    }) { address in
      let table = try FlowTable(address, until: .soon)
      _ = try hungUp.take()
      let error = try #require(throws: OVSDBError.self) { try table.apply([], until: .soon) }
      #expect(error.kind == .openFlowVersion)
    }
  }

  @Test func theFirstErrorIsTheOneThatIsSaid() throws {
    let errors: [UInt8] = [5, 1, 0, 12, 0, 0, 0, 1, 0, 4, 0, 8] + [5, 1, 0, 12, 0, 0, 0, 2, 0, 17, 0, 15]
    let error = try failure(of: answer(Self.hello, errors))
    #expect(error.kind == .flowsRefused(type: 4, code: 8))
    #expect(try failure(of: answer(Self.hello, Array(errors.prefix(12)), Self.committed)).kind == error.kind)
  }

  @Test func chatterForEverEnds() throws {
    let error = try failure { conversation in
      conversation.write(Self.hello)
      while conversation.write([5, 12, 0, 8, 0, 0, 0, 0]) {}
    }
    #expect(error.kind == .notOpenFlow("1001 messages, and none of them is the reply"))
  }

  @Test func aListForEverEnds() throws {
    let entry: [UInt8] = [0, 56, 0, 0] + [UInt8](repeating: 0, count: 44) + [0, 1, 0, 4, 0, 0, 0, 0]
    let body: [UInt8] = [0, 1, 0, 1, 0, 0, 0, 0] + Array([[UInt8]](repeating: entry, count: 1000).joined())
    let part = OpenFlowMessage(.multipartReply, 1, body).bytes
    let error = try failure(asking: true, until: .after(milliseconds: 120_000), within: .seconds(60)) { conversation in
      conversation.write(Self.hello)
      while conversation.write(part) {}
    }
    #expect(error.kind == .notOpenFlow("more than \(16 << 20) bytes of flows"))
  }

  @Test func damagedRepliesAreReadOrRefused() throws {
    let entry: [UInt8] =
      [0, 64, 0, 0] + [UInt8](repeating: 1, count: 44) + [0, 1, 0, 12, 0x80, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0]
    let whole =
      Self.hello + Self.committed + OpenFlowMessage(.multipartReply, 1, [0, 1, 0, 0, 0, 0, 0, 0] + entry).bytes
    var random = Dice(seed: 43)
    for _ in 0..<20_000 {
      var bytes = whole
      for _ in 0...Int.random(in: 0...3, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      while let message = try? OpenFlowMessage.take(from: &bytes) {
        _ = (message.offersOurVersion, message.isCommitted, message.refusal)
        _ = Flow.list(message.body.dropFirst(8))
      }
    }
  }
}
