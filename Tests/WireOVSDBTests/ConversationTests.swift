import Support
import Testing
import WireCore
import WireLinux

@testable import WireOVSDB

/// RFC 7047 as a well-behaved server speaks it.
@Suite struct ConversationTests {
  private static let next = OVSDBOperation.select(.openVSwitch, where: [], columns: ["next_cfg"])

  private func number(_ results: OVSDBResults) throws -> Int64 {
    try #require(try results.rows(0).first).integer("next_cfg")
  }

  private static func reply(_ id: Int, _ number: Int) -> String {
    #"{"id":\#(id),"result":[{"rows":[{"next_cfg":\#(number)}]}],"error":null}"#
  }

  @Test func theRequestIsOneLineOfText() throws {
    let heard = Mailbox<String>()
    try FakeServer.with({
      heard.put($0.read())
      $0.write(Self.reply(1, 7))
    }) { address in
      let connection = try OVSDBConnection(address, until: .soon)
      let request = try connection.send([Self.next], for: "a number", until: .soon)
      #expect(try number(connection.results(of: request, until: .soon)) == 7)
    }
    let text = try heard.take()
    #expect(
      text == #"{"method":"transact","params":["Open_vSwitch",{"op":"select","table":"Open_vSwitch","#
        + #""where":[],"columns":["next_cfg"]}],"id":1}"#)
  }

  @Test func repliesMayComeInAnyOrderAndInPieces() throws {
    try FakeServer.with({
      _ = $0.read()
      let text = Array((Self.reply(2, 22) + Self.reply(9, 99) + Self.reply(1, 11)).utf8)
      for byte in text { $0.write(String(decoding: [byte], as: UTF8.self)) }
      $0.waitForEnd()
    }) { address in
      let connection = try OVSDBConnection(address, until: .soon)
      let first = try connection.send([Self.next], for: "a number", until: .soon)
      let second = try connection.send([Self.next], for: "another number", until: .soon)
      #expect(try number(connection.results(of: first, until: .soon)) == 11)
      #expect(try number(connection.results(of: second, until: .soon)) == 22)
    }
  }

  @Test func echoIsAnsweredAndNotificationsAreSkipped() throws {
    let heard = Mailbox<String>()
    try FakeServer.with({
      _ = $0.read()
      $0.write(#"{"method":"update","params":["x",{}],"id":null}{"method":"echo","params":[1,"a"],"id":"echo"}"#)
      heard.put($0.read())
      $0.write(Self.reply(1, 7))
    }) { address in
      let connection = try OVSDBConnection(address, until: .soon)
      let request = try connection.send([Self.next], for: "a number", until: .soon)
      #expect(try number(connection.results(of: request, until: .soon)) == 7)
    }
    let text = try heard.take()
    #expect(text == #"{"id":"echo","result":[1,"a"],"error":null}"#)
  }

  /// The late reply to a request whose time was over is nobody else's.
  @Test func aLateReplyIsNotTakenForTheNextOne() throws {
    try FakeServer.with({
      _ = $0.read()
      _ = $0.read()
      $0.write(Self.reply(1, 11) + Self.reply(2, 22))
    }) { address in
      let connection = try OVSDBConnection(address, until: .soon)
      let first = try connection.send([Self.next], for: "a number", until: .soon)
      #expect(throws: OVSDBError.self) { try connection.results(of: first, until: .brief) }
      let second = try connection.send([Self.next], for: "a number", until: .soon)
      #expect(try number(connection.results(of: second, until: .soon)) == 22)
    }
  }

  @Test(arguments: [
    (
      #""result":[{"error":"timed out","details":"waited"}],"error":null"#,
      OVSDBError.Kind.operation(index: 0, error: "timed out", details: "waited")
    ),
    (
      #""result":[{"rows":[]},{"error":"I/O error"}],"error":null"#,
      .operation(index: 1, error: "I/O error", details: "")
    ),
    (
      #""result":[{"rows":[]},{"error":"constraint violation","details":"two rows"}],"error":null"#,
      .constraint(details: "two rows")
    ),
    (#""error":{"error":"unknown database","syntax":"x"}"#, .noDatabase("Open_vSwitch")),
    (#""result":null,"error":"canceled""#, .rejected("canceled")),
    (#""result":null,"error":{"error":"permission error"}"#, .rejected(#"{"error":"permission error"}"#)),
  ])
  func errorsAreFoundWhereverTheyStand(reply: String, kind: OVSDBError.Kind) throws {
    try FakeServer.with({
      _ = $0.read()
      $0.write(#"{"id":1,\#(reply)}"#)
    }) { address in
      let connection = try OVSDBConnection(address, until: .soon)
      let request = try connection.send([Self.next], for: "a number", until: .soon)
      let error = try #require(throws: OVSDBError.self) { try connection.results(of: request, until: .soon) }
      #expect(error.kind == kind)
    }
  }

  @Test func aDatabaseThatNobodyInitialisedIsNamed() throws {
    try FakeServer.with({
      _ = $0.read()
      $0.write(#"{"id":1,"result":[{"rows":[]},{"rows":[]}],"error":null}"#)
    }) { address in
      let error = try #require(throws: OVSDBError.self) {
        try OpenVSwitch(address, until: .soon).look(at: "br1", container: nil, until: .soon)
      }
      #expect(error.kind == .noSwitch)
    }
  }
}
