import Foundation
import Glibc
import Support
import Testing

/// A real firewalld in a pretend host, with a message bus and files of its own.
final class FirewalldDaemon: @unchecked Sendable {
  let host: Sandbox
  /// Mounted over /etc/firewalld for whoever is to see it.
  let files: String
  private let folder: String
  private var pids: [Int32] = []

  static let isThere = Tool.root.isThere && Tool.firewalld.isThere && Tool.messageBus.isThere

  static func with(_ body: (FirewalldDaemon, Sandbox) throws -> Void) throws {
    try Sandbox.with { host in
      let daemon = try FirewalldDaemon(host)
      defer { daemon.end() }
      try daemon.start()
      try body(daemon, host)
    }
  }

  private init(_ host: Sandbox) throws {
    self.host = host
    folder = "\(host.folder)/firewalld"
    files = "\(folder)/etc"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Command.require(["cp", "-r", "/etc/firewalld", files])
    let bus = """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig><type>system</type><listen>unix:path=\(folder)/bus</listen><auth>EXTERNAL</auth>
      <policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>
      """
    try bus.write(toFile: "\(folder)/bus.conf", atomically: true, encoding: .utf8)
  }

  private func start() throws {
    let printed = try Command.require(["dbus-daemon", "--config-file=\(folder)/bus.conf", "--fork", "--print-pid"])
    if let pid = Int32(printed.trimmingCharacters(in: .whitespacesAndNewlines)) { pids.append(pid) }
    let line =
      "setsid firewalld --nofork --nopid --system-config=\(files) --log-file=\(folder)/log >/dev/null 2>&1 & echo $!"
    let started = try Command.require(["nsenter", "--net=\(host.netns)", "env", address, "sh", "-c", line])
    if let pid = Int32(started.trimmingCharacters(in: .whitespacesAndNewlines)) { pids.append(pid) }
    guard try eventually(within: .seconds(15), { try self.command("--state").succeeded }) else {
      throw Failure(
        "firewalld does not start: \((try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "")")
    }
  }

  private var address: String { "DBUS_SYSTEM_BUS_ADDRESS=unix:path=\(folder)/bus" }

  private func end() {
    for pid in pids.reversed() { kill(pid, SIGTERM) }
    _ = try? eventually(within: .seconds(3)) { self.pids.allSatisfy { kill($0, 0) != 0 } }
    for pid in pids { kill(pid, SIGKILL) }
  }

  /// `firewall-cmd WORDS`
  @discardableResult
  func command(_ words: String...) throws -> Command.Result {
    try Command(["env", address, "firewall-cmd"] + words).run()
  }

  /// A program that sees this daemon's files and bus.
  func run(_ words: [String], input: String = "") throws -> Command.Result {
    let mount = "mount --make-rprivate / && mount --bind \(files) /etc/firewalld && exec \"$@\""
    return try host.run(["env", address, "unshare", "-m", "sh", "-c", mount, "sh"] + words, input: Array(input.utf8))
  }

  func wirehook(_ words: String...) throws -> Command.Result {
    try run([Built.path("wirehook")] + words + ["--config", host.configFile])
  }

  /// Sets a key of firewalld.conf, in the file alone.
  func set(_ key: String, _ value: String) throws {
    let path = "\(files)/firewalld.conf"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    try (text + "\n\(key)=\(value)\n").write(toFile: path, atomically: true, encoding: .utf8)
  }
}

@Suite(.enabled(if: FirewalldDaemon.isThere, "needs root, firewalld and dbus-daemon")) struct FirewalldTests {
  @Test func theZoneLetsContainersOutAndSurvivesAReload() throws {
    try FirewalldDaemon.with { firewalld, host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      let server = try host.outside.serve(7)
      defer { server.stop() }
      // Published ports pass; the way out does not.
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try web.ask("192.168.77.2", 7, within: .milliseconds(500)).server == nil)
      let found = try drops(host)
      #expect(found.count == 1 && found[0].command == "wirehook install firewalld --reload", "\(found)")
      #expect(found.allSatisfy { $0.text.contains("table inet firewalld chain") })

      let installed = try firewalld.wirehook("install", "firewalld", "--reload")
      #expect(installed.exitCode == 0, "\(installed)")
      for _ in 0..<2 {
        #expect(try drops(host) == [])
        for (own, other) in [("192.168.77.1", "192.168.77.2"), ("fd77::1", "fd77::2")] {
          #expect(try host.outside.ask(own, 8080).server == "web", "\(own)")
          #expect(try web.ask(other, 7).client == own, "\(other)")
        }
        #expect(try host.wirehook("check").exitCode == 0)
        #expect(try firewalld.command("--reload").succeeded)
      }
      // A bridge that comes later needs nothing.
      try host.writeNetwork(
        "back",
        #"{"driver": "bridge", "bridge": "wh-back", "subnets": [{"subnet": "10.211.0.0/24", "gateway": "10.211.0.1"}]}"#
      )
      #expect(try host.started("late", ["wirehook.network": "back"]).ask("192.168.77.2", 7).client == "192.168.77.1")
    }
  }

  /// Which services of the host answer to containers is for `firewall-cmd --zone=wirehook` to say.
  @Test func theHostsServicesStayUnderItsAdministratorsControl() throws {
    try FirewalldDaemon.with { firewalld, host in
      #expect(try firewalld.wirehook("install", "firewalld", "--reload").exitCode == 0)
      let web = try host.started("web")
      let service = try host.serve(6000)
      defer { service.stop() }
      #expect(try web.ask("10.210.4.1", 6000, within: .milliseconds(500)).server == nil)
      #expect(try firewalld.command("--permanent", "--zone=wirehook", "--add-port=6000/tcp").succeeded)
      #expect(try firewalld.command("--reload").succeeded)
      #expect(try web.ask("10.210.4.1", 6000).server == host.name)
      // Installing again keeps what the administrator did, and has nothing to do.
      let again = try firewalld.wirehook("install", "firewalld")
      #expect(again.stdout.contains("nothing to change"), "\(again)")
      #expect(try web.ask("192.168.77.1", 6000).server == host.name)
      let removed = try firewalld.run([Built.path("wirehook"), "uninstall", "firewalld", "--reload"])
      #expect(removed.exitCode == 0, "\(removed)")
      #expect(try !firewalld.command("--get-zones").stdout.contains("wirehook"))
      #expect(try drops(host).count == 1)
    }
  }

  /// firewalld 2.3 and newer. Older ones do not know the key, but what is refused is refused by the file.
  @Test func strictForwardPortsIsRespected() throws {
    try FirewalldDaemon.with { firewalld, host in
      try firewalld.set("StrictForwardPorts", "yes")
      let refused = try attach(firewalld, host, "web", ["wirehook.ports": "8080:80"])
      #expect(refused.exitCode == 1 && refused.stderr.contains("StrictForwardPorts=yes"), "\(refused)")
      #expect(try attach(firewalld, host, "plain", [:]).exitCode == 0)
      let said = try firewalld.wirehook("doctor")
      #expect(said.exitCode == 1 && said.stdout.contains("error    firewalld: StrictForwardPorts=yes"), "\(said)")
      let installed = try firewalld.wirehook("install", "firewalld")
      #expect(installed.stdout.contains("note: StrictForwardPorts=yes"), "\(installed)")
      // The same file where no firewalld is at work forbids nothing.
      try host.sh("nft delete table inet firewalld")
      #expect(try attach(firewalld, host, "web2", ["wirehook.ports": "8080:80"]).exitCode == 0)
    }
  }

  private func attach(
    _ firewalld: FirewalldDaemon, _ host: Sandbox, _ id: String, _ annotations: [String: String]
  ) throws -> Command.Result {
    let container = try host.container(id)
    return try firewalld.run(
      [Built.path("wirehook-oci"), "--config", host.configFile, "createRuntime"],
      input: host.state(container, annotations))
  }
}
