import Foundation
import Support
import Testing

/// A database that is not there, is none, or stops in the middle: one line that names the socket, in bounded time, and
/// nothing left (field cases B57 and B58).
@Suite(needsOVS) struct OVSDatabaseTests {
  /// A network whose database is `path`, on a host where nothing was set up, with a deadline of a second.
  private func withDatabase(_ body: (Sandbox, Container, String) throws -> Void) throws {
    try Sandbox.with { host in
      let path = "\(host.folder)/fake.sock"
      try host.writeNetwork("ovsnet", RealSwitch.members(#""ovs": {"database": "unix:\#(path)"}"#))
      try host.writeMain(["default_network": .text("ovsnet"), "timeout_ms": .number(1000)])
      try body(host, host.container("web"), path)
    }
  }

  private func expectRefusedInTime(
    _ host: Sandbox, _ container: Container, _ path: String, _ comment: String, under wrapper: [String] = [],
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let before = try host.snapshot()
    let result = try host.tryAttach(container, ["wirehook.ports": "8080:80"], under: wrapper)
    expectOneErrorLine(result, naming: [path], at: location)
    #expect(result.duration < .seconds(6), "\(comment): \(result)", sourceLocation: location)
    let links = try container.links()
    #expect(links == ["lo"], "\(comment)", sourceLocation: location)
    let differences = try host.differences(from: before)
    #expect(differences == [], "\(comment)", sourceLocation: location)
  }

  @Test(arguments: ["nothing", "a folder", "a plain file", "a stale socket"])
  func whatIsNoSocketOfALiveServerIsNamed(kind: String) throws {
    try withDatabase { host, web, path in
      switch kind {
      case "a folder": try Command.require(["mkdir", path])
      case "a plain file": try Command.require(["touch", path])
      case "a stale socket":
        // The server's end removes no file that has another name by then.
        let server = try FakeDatabase(at: "\(path).first", .hangsUp)
        try Command.require(["mv", "\(path).first", path])
        server.stop()
      default: break
      }
      try expectRefusedInTime(host, web, path, kind)
    }
  }

  @Test func aDatabaseMayListenOnTCP() throws {
    try RealSwitch.withNetwork { host, ovs in
      let control = ovs.socket.replacing("db.sock", with: "ovsdb-server.ctl")
      try host.sh("ovs-appctl -t \(control) ovsdb-server/add-remote ptcp:6640:127.0.0.1")
      try ovs.writeNetwork(#""ovs": {"database": "tcp:127.0.0.1:6640"}"#)
      let web = try host.container("web")
      let attached = try eventually { try host.tryAttach(web, [:]).succeeded }
      #expect(attached)
      #expect(try web.pings("100.1.1.254", within: 6))
      try host.stop(web)
      #expect(try ovs.ports(ofContainer: "web") == [])
    }
  }

  @Test func aSocketWithoutPermissionIsNamed() throws {
    try withDatabase { host, web, path in
      let server = try FakeDatabase(at: path, .silence)
      defer { server.stop() }
      chmod(path, 0)
      let capabilities = "-dac_override,-dac_read_search"
      try expectRefusedInTime(
        host, web, path, "permission",
        under: ["setpriv", "--bounding-set=\(capabilities)", "--inh-caps=\(capabilities)"])
    }
  }

  private static let strangers: [(name: String, behaviour: FakeDatabase.Behaviour)] = [
    ("closes at once", .hangsUp),
    ("is silent", .silence),
    ("speaks HTTP", .says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")),
    ("ends in the middle of a document", .says(#"{"id":0,"result":[{"rows":[{"#)),
    ("answers somebody else", .says(#"{"id":"nobody","result":[],"error":null}"#)),
    ("asks for ever", .endless(#"{"id":"echo","method":"echo","params":[]}"#)),
    ("never ends", .endless("[")),
    ("never ends a text", .endless(#"{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"#)),
    ("sends zeros", .endless("\0\0\0\0\0\0\0\0")),
    ("has no database of that name", .says(#"{"id":0,"error":{"error":"unknown database"},"result":null}"#)),
  ]

  @Test(arguments: 0..<10) func aSocketOfAStrangerIsNamed(number: Int) throws {
    let (name, behaviour) = Self.strangers[number]
    try withDatabase { host, web, path in
      let server = try FakeDatabase(at: path, behaviour)
      defer { server.stop() }
      try expectRefusedInTime(host, web, path, name)
    }
  }

  /// The connection ends, or stands still, after so many bytes of answers, on each connection of the hook anew.
  @Test(arguments: [true, false]) func aConnectionThatBreaksInTheMiddleLeavesNothing(closing: Bool) throws {
    try RealSwitch.withNetwork { host, ovs in
      // Beside the sockets of the bridges.
      let path = ovs.socket.replacing("db.sock", with: "between.sock")
      try ovs.writeNetwork(#""ovs": {"database": "unix:\#(path)"}"#)
      /// Runs `body` while answers pass up to so many bytes on each connection.
      func passing(_ bytes: Int, _ body: () throws -> Void) throws {
        let server = try FakeDatabase(at: path, .cuts(after: bytes, of: ovs.socket, closing: closing))
        defer { server.stop() }
        try body()
      }
      let all = 10_000_000
      try passing(all) { try host.warmUp() }
      let before = try ovs.look()
      var refused = 0
      for limit in [1, 40, 150, 300, 500, 700, 900, 1200, 1600, 2200] {
        let web = try host.container("web")
        try ovs.writeMain(["timeout_ms": .number(closing ? 3000 : 300)])
        try passing(limit) {
          let result = try host.tryAttach(web, ["wirehook.ip": "100.1.1.6"])
          guard !result.succeeded else { return }
          refused += 1
          expectOneErrorLine(result, naming: [path])
          #expect(try web.links() == ["lo"], "\(limit): \(result)")
        }
        web.kill()
        // A commit whose answer was lost stands in the database until somebody takes it back.
        try ovs.writeMain()
        try passing(all) {
          try host.stop(try host.started("next", ["wirehook.ip": "100.1.1.6"]))
          #expect(try host.wirehook("gc").exitCode == 0)
        }
        try expectUnchanged(ovs, since: before, "\(limit) bytes")
      }
      #expect(refused > 2)
    }
  }
}
