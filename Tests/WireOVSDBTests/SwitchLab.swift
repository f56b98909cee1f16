import Foundation
import Glibc
import Support
import Testing
import WireCore
import WireLinux

@testable import WireOVSDB

/// Open vSwitch of a test's own, in the namespace of a sandbox, with the userspace datapath.
final class SwitchLab {
  static let isPossible =
    ["ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovsdb-tool"].allSatisfy { Tool.path($0) != nil }
    && Tool.root.isThere

  let host: Sandbox
  private let folder: String
  private(set) var server: Int32 = -1
  private(set) var daemon: Int32 = -1

  var address: DatabaseAddress { .unix(path: "\(folder)/db.sock") }

  /// Starts both programs, runs the test, and ends them whatever it does.
  static func with(_ body: (SwitchLab) throws -> Void) throws {
    try Sandbox.with { host in
      let lab = try SwitchLab(host)
      defer { lab.stop() }
      try lab.start()
      try body(lab)
    }
  }

  private init(_ host: Sandbox) throws {
    self.host = host
    folder = "\(host.folder)/ovs"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func start() throws {
    try Command.require(["ovsdb-tool", "create", "\(folder)/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"])
    server = try spawn(
      "ovsdb-server",
      [
        "\(folder)/conf.db", "--remote=punix:\(folder)/db.sock", "--remote=ptcp:6640:127.0.0.1",
        "--remote=db:Open_vSwitch,Open_vSwitch,manager_options",
      ])
    try #require(try eventually { FileManager.default.fileExists(atPath: "\(folder)/db.sock") })
    try vsctl("--no-wait init")
    daemon = try spawn("ovs-vswitchd", ["unix:\(folder)/db.sock"])
    try #require(try eventually(within: .seconds(10)) { try vsctl("get open . datapath_types").contains("netdev") })
  }

  private func spawn(_ name: String, _ arguments: [String]) throws -> Int32 {
    var environment = ProcessInfo.processInfo.environment
    for key in ["OVS_RUNDIR", "OVS_SYSCONFDIR", "OVS_DBDIR", "OVS_LOGDIR"] { environment[key] = folder }
    // Not --detach: the pid must be ours to signal.
    return try Spawn.start(
      ["nsenter", "--net=\(host.netns)", "--", name] + arguments
        + [
          "--unixctl=\(folder)/\(name).ctl", "--pidfile=\(folder)/\(name).pid", "--log-file=\(folder)/\(name).log",
          "-vconsole:off",
        ],
      environment: environment)
  }

  private func stop() {
    for pid in [daemon, server] where pid > 0 {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }

  /// Runs `ovs-vsctl` with words without blanks in them, and answers what it printed.
  @discardableResult
  func vsctl(_ line: String) throws -> String {
    try Command.require(
      ["ovs-vsctl", "--timeout=10", "--db=\(address)"] + line.split(separator: " ").map(String.init)
    ).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func connect() throws -> OpenVSwitch { try OpenVSwitch(address, until: .soon) }

  /// Ends the database server for good.
  func killServer() {
    kill(server, SIGKILL)
    waitpid(server, nil, 0)
    server = -1
  }

  /// A pair whose one end is left for a bridge.
  func makePair(_ name: String) throws { try host.ip("link add \(name) type veth peer name \(name)p") }

  /// A bridge with the userspace datapath.
  func makeBridge(_ name: String = "br1", on ovs: OpenVSwitch) throws {
    _ = try ovs.settle(
      ovs.createBridge(spec(bridge: name), until: .soon), [try interface(name)], until: .soon)
  }

  func spec(bridge name: String) throws -> BridgeSpec {
    var bridge = BridgeSpec(
      try interface(name), datapathType: "netdev", externalIDs: StringMap([.network: "front"]))
    bridge.mac = MACAddress(0x0a57_0a00_0001)
    bridge.mtu = 1450
    return bridge
  }
}

func interface(_ name: String) throws -> InterfaceName { try #require(InterfaceName(name)) }

extension PortSpec {
  /// A port of container `container`.
  static func of(_ container: String, _ name: String) throws -> PortSpec {
    var port = PortSpec(try interface(name), .system)
    port.externalIDs = StringMap([.container: container, .network: "front", .interface: "eth0"])
    port.isTransient = true
    return port
  }
}
