import Foundation
import Glibc
import Support
import Testing
import WireCore
import WireLinux

@testable import WireOVSDB

/// Open vSwitch is there, and one of its two programs is not well.
@Suite(.enabled(if: Tool.root.isThere && Tool.ovs.isThere, "needs root and Open vSwitch"))
struct OpenVSwitchFailureTests {
  @Test func aStoppedDaemonIsNamedAndOneThatGoesOnIsWaitedFor() throws {
    try RealSwitch.with { _, real in
      try real.makePair("wh1")
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      real.pause(.daemon)
      defer { real.proceed(.daemon) }
      let configuration = try ovs.addPorts([.of("c1", "wh1")], to: "br1", until: .soon)
      let error = try #require(throws: OVSDBError.self) {
        try ovs.settle(configuration, [interface("wh1")], until: .after(milliseconds: 500))
      }
      #expect(error.kind == .switchSilent)
      #expect(error.description.contains("ovs-vswitchd"))

      let settling = try ovs.beginSettling(configuration, [interface("wh1")], until: .soon)
      usleep(300_000)
      real.proceed(.daemon)
      #expect(try ovs.finish(settling, until: .soon).map(\.name) == ["wh1"])
    }
  }

  @Test func aStoppedServerIsATimeoutThatNamesIt() throws {
    try RealSwitch.with { _, real in
      let ovs = try real.connect()
      real.pause(.database)
      defer { real.proceed(.database) }
      let error = try #require(throws: OVSDBError.self) {
        try ovs.look(at: "br1", container: "c1", until: .brief)
      }
      #expect(
        error.description
          == #"\#(real.address): waiting for the reply to a question about bridge "br1": no answer in time"#)
      // Its kernel still accepts for it.
      let late = try OpenVSwitch(real.address, until: .soon)
      #expect(throws: OVSDBError.self) { try late.bridges(until: .brief) }
    }
  }

  @Test func aServerThatDiesMidwayHasClosed() throws {
    try RealSwitch.with { _, real in
      let ovs = try real.connect()
      let settling = try ovs.beginSettling(.init(number: 1_000_000), [], until: .soon)
      Thread {
        usleep(100_000)
        real.kill(.database)
      }.start()
      let error = try #require(throws: OVSDBError.self) { try ovs.finish(settling, until: .soon) }
      #expect(error.kind == .closed)
      // A process that dies closes one descriptor after the other.
      try #require(try eventually { (try? real.connect()) == nil })
      #expect(throws: OVSDBError(real.address, "connecting", .refused)) { try real.connect() }
      #expect(throws: OVSDBError.self) { try ovs.bridges(until: .soon) }
    }
  }

  @Test func aServerWithoutTheDatabaseSaysSo() throws {
    try Sandbox.with { host in
      let path = "\(host.folder)/db.sock"
      // Without a file it has only the database about itself.
      let server = try Spawn.start([
        "ovsdb-server", "--remote=punix:\(path)", "--unixctl=\(host.folder)/ctl", "--pidfile=\(host.folder)/pid",
        "--no-chdir", "-vconsole:off", try emptyDatabase(in: host.folder),
      ])
      defer {
        kill(server, SIGKILL)
        waitpid(server, nil, 0)
      }
      // The socket's file is there a moment before the server listens.
      try #require(try eventually { (try? OVSDBConnection(.unix(path: path), until: .soon)) != nil })
      let error = try #require(throws: OVSDBError.self) {
        try OpenVSwitch(.unix(path: path), until: .soon).look(at: "br1", container: nil, until: .soon)
      }
      #expect(error.kind == .noDatabase("Open_vSwitch"))
    }
  }

  private func emptyDatabase(in folder: String) throws -> String {
    let schema = #"{"name":"Other","version":"1.0.0","tables":{"T":{"columns":{"c":{"type":"string"}}}}}"#
    try schema.write(toFile: "\(folder)/schema", atomically: false, encoding: .utf8)
    try Command.require(["ovsdb-tool", "create", "\(folder)/other.db", "\(folder)/schema"])
    return "\(folder)/other.db"
  }

  @Test func theServerIsSpokenToByTCPToo() throws {
    try RealSwitch.with { _, real in
      try real.listen(at: "ptcp:6640:127.0.0.1")
      let address = DatabaseAddress.tcp(try #require(IPAddress("127.0.0.1")), port: 6640)
      let look = try real.host.inside {
        try OpenVSwitch(address, until: .soon).look(at: "br1", container: nil, until: .soon)
      }
      #expect(look.bridge == nil)
    }
  }

  /// The server hears nothing for its probe interval, asks whether we are there, and would hang up after as long again. On a UNIX
  /// socket it does not ask.
  @Test func aLongWaitSurvivesTheServersProbes() throws {
    try RealSwitch.with { _, real in
      try real.listen(at: "db:Open_vSwitch,Open_vSwitch,manager_options")
      try real.vsctl("set-manager ptcp:6641:127.0.0.1 -- set manager . inactivity_probe=1000")
      let address = DatabaseAddress.tcp(try #require(IPAddress("127.0.0.1")), port: 6641)
      // Expectations of another thread would be nobody's.
      let error = try real.host.inside {
        _ = try eventually { (try? OpenVSwitch(address, until: .soon)) != nil }
        let ovs = try OpenVSwitch(address, until: .soon)
        return #expect(throws: OVSDBError.self) {
          try ovs.settle(.init(number: 1_000_000), [], until: .after(milliseconds: 3500))
        }
      }
      #expect(error?.kind == .switchSilent)
    }
  }
}
