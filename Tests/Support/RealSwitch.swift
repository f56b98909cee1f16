import Foundation
import Glibc

/// A real Open vSwitch inside a pretend host: `ovsdb-server` and `ovs-vswitchd` with a database and sockets of their own.
/// Without the kernel's module its bridges are in userspace (`datapath_type` `netdev`).
package final class RealSwitch: @unchecked Sendable {
  package enum Server: String, CaseIterable, Sendable {
    case database = "ovsdb-server"
    case daemon = "ovs-vswitchd"
  }

  package let host: Sandbox
  let folder: String
  private let lock = NSLock()
  private var pids: [Server: Int32] = [:]
  private var starts = 0

  /// The socket of the database.
  package var socket: String { "\(folder)/db.sock" }
  /// The database as configuration files and `ovs-vsctl --db` name it.
  package var database: String { "unix:\(socket)" }
  /// The main file's keys that name the database.
  package var main: [String: JSON] { ["ovs": .object(["database": .text(database)])] }

  /// The kind of bridge that can be made on this machine.
  package static var datapath: String {
    FileManager.default.fileExists(atPath: "/sys/module/openvswitch") ? "system" : "netdev"
  }

  /// A pretend host with Open vSwitch, on which networks and `ovs:NAME` find the database.
  package static func with(
    _ options: Sandbox.Options = .init(), _ body: (Sandbox, RealSwitch) throws -> Void
  ) throws {
    try Sandbox.with(options) { host in try body(host, RealSwitch(on: host)) }
  }

  package init(on host: Sandbox) throws {
    self.host = host
    folder = "\(host.folder)/ovs"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Command.require(["ovsdb-tool", "create", "\(folder)/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"])
    host.atEnd { [self] in for server in Server.allCases.reversed() { kill(server) } }
    try start(.database)
    try start(.daemon)
    try host.writeMain(main)
  }

  /// Starts a server and waits until both do their work: the daemon has then configured all that the database says.
  package func start(_ server: Server) throws {
    let own =
      switch server {
      case .database: ["\(folder)/conf.db", "--remote=punix:\(socket)"]
      case .daemon: [database]
      }
    let name = server.rawValue
    let files = [
      "--unixctl=\(folder)/\(name).ctl", "--pidfile=\(folder)/\(name).pid", "--log-file=\(folder)/\(name).log",
    ]
    var environment = ProcessInfo.processInfo.environment
    for key in ["OVS_RUNDIR", "OVS_SYSCONFDIR", "OVS_DBDIR", "OVS_LOGDIR"] { environment[key] = folder }
    let pid = try Spawn.start(
      ["nsenter", "--net=\(host.netns)", "--wd=\(folder)", "--", name] + own + files + ["--no-chdir"],
      environment: environment)
    let (count, hasDaemon) = lock.withLock {
      pids[server] = pid
      starts += 1
      return (starts, pids[.daemon] != nil)
    }
    var ready = try eventually { try tryVsctl(["--no-wait", "init"]).succeeded }
    // Without --no-wait it returns when the daemon has taken over this change, and all before it. A daemon whose database
    // was away comes back to it after a second or more.
    if ready, hasDaemon {
      ready = try tryVsctl(["set", "Open_vSwitch", ".", "external_ids:starts=\(count)"]).succeeded
    }
    guard ready else { throw Failure("\(name) does not answer: \(log(of: server).suffix(2000))") }
  }

  /// As `kill -STOP`: the server is there, its sockets accept, nobody answers.
  package func pause(_ server: Server) { signal(server, SIGSTOP) }
  package func proceed(_ server: Server) { signal(server, SIGCONT) }

  /// As `kill -9`; the socket's file stays.
  package func kill(_ server: Server) { end(server, with: SIGKILL) }

  /// As a service manager restarts it; the database is kept.
  package func restart(_ server: Server) throws {
    end(server, with: SIGTERM)
    try start(server)
  }

  package func log(of server: Server) -> String {
    (try? String(contentsOfFile: "\(folder)/\(server.rawValue).log", encoding: .utf8)) ?? ""
  }

  private func signal(_ server: Server, _ number: Int32) {
    if let pid = lock.withLock({ pids[server] }) { Glibc.kill(pid, number) }
  }

  private func end(_ server: Server, with number: Int32) {
    guard let pid = lock.withLock({ pids.removeValue(forKey: server) }) else { return }
    Glibc.kill(pid, number)
    // A stopped process heeds only SIGKILL.
    Glibc.kill(pid, SIGCONT)
    var status: Int32 = 0
    let ended = try? eventually(within: .seconds(5)) { waitpid(pid, &status, WNOHANG) == pid }
    if ended == true { return }
    Glibc.kill(pid, SIGKILL)
    waitpid(pid, &status, 0)
  }
}

extension RealSwitch {
  /// `ovs-vsctl WORDS`, whatever its end.
  package func tryVsctl(_ words: [String]) throws -> Command.Result {
    try host.run(["ovs-vsctl", "--timeout=8", "--db=\(database)"] + words)
  }

  /// `ovs-vsctl ARGUMENTS`, given as one line without quotes; its failure ends the test. What it says without line ends.
  @discardableResult
  package func vsctl(_ line: String) throws -> String {
    let result = try tryVsctl(line.split(separator: " ").map(String.init))
    guard result.succeeded else { throw Failure("\(result)") }
    return result.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The ports of a bridge without its own, sorted.
  package func ports(of bridge: String) throws -> [String] {
    try vsctl("list-ports \(bridge)").split(separator: "\n").map(String.init).sorted()
  }

  package func bridges() throws -> [String] { try vsctl("list-br").split(separator: "\n").map(String.init).sorted() }

  /// Rows of a table, those alone for which `condition` holds (`external_ids:key=value`): maps as objects, sets as lists,
  /// but a set of one as its element, and an empty optional as an empty list.
  package func rows(_ table: String, _ condition: String? = nil) throws -> [JSON] {
    let what = condition.map { "find \(table) \($0)" } ?? "list \(table)"
    return try Self.rows(parsing: vsctl("--format=json \(what)"))
  }

  private static func rows(parsing text: String) throws -> [JSON] {
    let answer = try JSON(parsing: text)
    let names = answer["headings"].array.compactMap(\.string)
    return answer["data"].array.map { row in
      .object(Dictionary(zip(names, row.array.map(\.ovsdbValue))) { $1 })
    }
  }

  /// The one row of that name.
  package func row(_ table: String, _ name: String) throws -> JSON { try rows(table, "name=\(name)").first ?? .null }

  /// What somebody configured, as lines that can be compared: not what the daemon tells of its state.
  package func configuration() throws -> Set<String> {
    let columns = [
      ("Bridge", ["name", "datapath_type", "fail_mode", "external_ids", "other_config"]),
      ("Port", ["name", "tag", "trunks", "vlan_mode", "protected", "external_ids", "other_config"]),
      (
        "Interface",
        [
          "name", "type", "options", "external_ids", "other_config", "ingress_policing_rate", "ingress_policing_burst",
        ]
      ),
      ("QoS", ["type", "other_config"]), ("Queue", ["other_config"]),
    ]
    // One run for all tables, each answered on a line of its own.
    let answers = try vsctl("--format=json " + columns.map { "list \($0.0)" }.joined(separator: " -- "))
      .split(separator: "\n").map(String.init)
    var lines: Set<String> = []
    for ((table, names), text) in zip(columns, answers) {
      for row in try Self.rows(parsing: text) {
        lines.insert("\(table) " + names.map { row[$0].text }.joined(separator: " "))
      }
    }
    return lines.union(try bridges().flatMap { try flows(of: $0) }.map { "Flow \($0)" })
  }

  /// The flows of a bridge as `ovs-ofctl` prints them, sorted and without the number of their port, which is another one in
  /// each life of it; none while ovs-vswitchd is away.
  package func flows(of bridge: String) throws -> [String] {
    let result = try host.run([
      "ovs-ofctl", "--timeout=8", "-O", "OpenFlow14", "--no-stats", "--no-names", "dump-flows",
      "unix:\(folder)/\(bridge).mgmt",
    ])
    return result.stdout.split(separator: "\n").filter { $0.contains("actions=") }.map { line in
      line.replacing(#/in_port=\d+/#, with: "in_port=N").trimmingCharacters(in: .whitespaces)
    }.sorted()
  }

  /// Those that hold containers to their own addresses, by the cookies of ours.
  package func senderFlows(of bridge: String = "br1") throws -> [String] {
    try flows(of: bridge).filter { $0.hasPrefix("cookie=0x5748") }
  }

  /// `ovs-ofctl VERB BRIDGE REST`, by the management socket; its failure ends the test.
  package func ofctl(_ verb: String, _ bridge: String = "br1", _ rest: String...) throws {
    try Command.require(["ovs-ofctl", "--timeout=8", "-O", "OpenFlow14", verb, "unix:\(folder)/\(bridge).mgmt"] + rest)
  }
}

extension JSON {
  /// A value of RFC 7047, where `["set", […]]`, `["map", […]]` and `["uuid", …]` stand for what they name.
  fileprivate var ovsdbValue: JSON {
    switch self[0].string {
    case "set": .list(self[1].array.map(\.ovsdbValue))
    case "uuid": self[1]
    case "map":
      .object(
        Dictionary(self[1].array.map { ($0[0].string ?? $0[0].text, $0[1].ovsdbValue) }) { $1 })
    default: self
    }
  }
}

extension RealSwitch {
  /// Ends the servers of a test process that was killed, if the pids are still theirs.
  static func sweep(_ folder: String) {
    for server in Server.allCases {
      guard let text = try? String(contentsOfFile: "\(folder)/\(server.rawValue).pid", encoding: .utf8),
        let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)),
        let words = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8), words.contains(folder)
      else { continue }
      Glibc.kill(pid, SIGKILL)
    }
  }
}
