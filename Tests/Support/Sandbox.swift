import Foundation
import Glibc

/// A pretend host: a network namespace, a neighbour outside on a veth, private folders for configuration and state.
/// The host is 192.168.77.1 and fd77::1, the neighbour 192.168.77.2 and fd77::2; the neighbour has no route to pools.
package final class Sandbox: Place, @unchecked Sendable {
  package static let address4 = "192.168.77.1"
  package static let address6 = "fd77::1"
  package static let outside4 = "192.168.77.2"
  package static let outside6 = "fd77::2"

  package let name: String
  package let netns: String
  package let outside: Neighbour
  /// The folder of everything; removed at the end.
  package let folder: String
  /// The program that the hook is; another one when the hook is to be found elsewhere.
  let lock = NSLock()
  var containers: [Container] = []
  private var neighbours: [Neighbour] = []
  private var atEnd: [() -> Void] = []

  /// What differs between hosts.
  package struct Options: Sendable {
    /// `net.bridge.bridge-nf-call-iptables` and `-ip6tables`.
    package var bridgeFilter = true
    package var forwarding = true
    package var ipv6 = true
    package var mtu = 1500
    /// Main file's keys beside `state_dir`, `log` and `default_network`.
    package var main: [String: JSON] = [:]
    package init(bridgeFilter: Bool = true, forwarding: Bool = true, ipv6: Bool = true, mtu: Int = 1500) {
      self.bridgeFilter = bridgeFilter
      self.forwarding = forwarding
      self.ipv6 = ipv6
      self.mtu = mtu
    }
  }

  /// Makes a host, runs the test in it, and removes every trace, whatever the test does.
  package static func with(_ options: Options = Options(), _ body: (Sandbox) throws -> Void) throws {
    let sandbox = try Sandbox(options)
    defer { sandbox.remove() }
    try sandbox.prepare(options)
    try body(sandbox)
  }

  private init(_ options: Options) throws {
    name = Self.nextName()
    netns = "/run/netns/\(name)"
    folder = "/tmp/\(name)"
    outside = Neighbour(name: "\(name)o")
    try FileManager.default.createDirectory(atPath: "\(folder)/networks.d", withIntermediateDirectories: true)
  }

  private func prepare(_ options: Options) throws {
    Self.sweepOnce
    try Command.require(["ip", "netns", "add", name])
    try outside.create()
    neighbours.append(outside)
    for family in ["iptables", "ip6tables"] where try sysctl("net/bridge/bridge-nf-call-\(family)") != nil {
      try setSysctl("net/bridge/bridge-nf-call-\(family)", options.bridgeFilter ? "1" : "0")
    }
    try setSysctl("net/ipv4/ip_forward", options.forwarding ? "1" : "0")
    if try sysctl("net/ipv6/conf/all/forwarding") != nil {
      try setSysctl("net/ipv6/conf/all/forwarding", options.forwarding ? "1" : "0")
      if !options.ipv6 {
        try setSysctl("net/ipv6/conf/all/disable_ipv6", "1")
        try setSysctl("net/ipv6/conf/default/disable_ipv6", "1")
      }
    }
    try ip("link set lo up")
    try join(outside, link: "up0", mtu: options.mtu)
    try ip("addr add \(Self.address4)/24 dev up0")
    try ip("route add default via \(Self.outside4)")
    if options.ipv6 {
      try ip("addr add \(Self.address6)/64 dev up0 nodad")
      try outside.ip("addr add \(Self.outside6)/64 dev eth0 nodad")
      try ip("-6 route add default via \(Self.outside6)")
    }
    try outside.ip("addr add \(Self.outside4)/24 dev eth0")
    try writeMain(options.main)
    try writeNetwork(
      "front",
      """
      {"driver": "bridge", "bridge": "wh-front",
       "subnets": [{"subnet": "10.210.4.0/24", "gateway": "10.210.4.1"}, {"subnet": "fd42:210:4::/64", "gateway": "fd42:210:4::1"}]}
      """)
  }

  /// A veth from the host's link `link` to the neighbour's `eth0`, both up.
  private func join(_ neighbour: Neighbour, link: String, mtu: Int) throws {
    try ip("link add \(link) mtu \(mtu) type veth peer name eth0 mtu \(mtu) netns \(neighbour.name)")
    // The kernel solicits no neighbour for what it forwards before its link-local address is there, which waits for DAD.
    try? setSysctl("net/ipv6/conf/\(link)/accept_dad", "0")
    try? neighbour.setSysctl("net/ipv6/conf/eth0/accept_dad", "0")
    try ip("link set \(link) up")
    try neighbour.ip("link set eth0 up")
  }

  /// One more neighbour, on a link of its own that has no address yet.
  package func neighbour(_ suffix: String, link: String) throws -> Neighbour {
    let neighbour = Neighbour(name: "\(name)\(suffix)")
    try neighbour.create()
    lock.withLock { neighbours.append(neighbour) }
    try join(neighbour, link: link, mtu: 1500)
    return neighbour
  }

  /// Something to be undone at the end of the test.
  package func atEnd(_ undo: @escaping () -> Void) { lock.withLock { atEnd.append(undo) } }

  private func remove() {
    for undo in atEnd.reversed() { undo() }
    for container in lock.withLock({ containers }) { container.kill() }
    for neighbour in neighbours { neighbour.remove() }
    _ = try? Command(["ip", "netns", "del", name]).run()
    try? FileManager.default.removeItem(atPath: folder)
  }
}

extension Sandbox {
  /// The main configuration file.
  package var configFile: String { "\(folder)/wirehook.json" }
  /// Where the hook writes beside its standard error.
  package var logFile: String { "\(folder)/log" }
  package var stateFolder: String { "\(folder)/state" }

  /// Writes the main file, `keys` beside what every sandbox needs.
  package func writeMain(_ keys: [String: JSON] = [:]) throws {
    var main: [String: JSON] = [
      "state_dir": .text(stateFolder), "default_network": .text("front"), "log": .text(logFile),
      "timeout_ms": .number(5000),
    ]
    main.merge(keys) { $1 }
    try JSON.object(main).text.write(toFile: configFile, atomically: true, encoding: .utf8)
  }

  /// Writes `networks.d/NAME.json`: the members given, and the name.
  package func writeNetwork(_ name: String, _ members: String) throws {
    guard case .object(var network) = try JSON(parsing: members) else { throw Failure("not an object: \(members)") }
    network["name"] = .text(name)
    try JSON.object(network).text.write(toFile: "\(folder)/networks.d/\(name).json", atomically: true, encoding: .utf8)
  }

  private static let counter = Counter()
  private static func nextName() -> String { "wht-\(getpid())-\(counter.next())" }

  /// Removes namespaces and folders of test processes that were killed.
  private static let sweepOnce: Void = {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? [] {
      let parts = name.split(separator: "-")
      guard parts.count == 3, parts[0] == "wht", let owner = Int32(parts[1]), kill(owner, 0) != 0 else { continue }
      RealSwitch.sweep("/tmp/\(name)/ovs")
      _ = try? Command(["ip", "netns", "del", name]).run()
      try? FileManager.default.removeItem(atPath: "/tmp/\(name)")
    }
  }()
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var value = 0
  func next() -> Int {
    lock.withLock {
      value += 1
      return value
    }
  }
}

/// A machine beside the pretend host.
package struct Neighbour: Place {
  package let name: String
  package var netns: String { "/run/netns/\(name)" }

  fileprivate func create() throws {
    try Command.require(["ip", "netns", "add", name])
    try ip("link set lo up")
  }
  fileprivate func remove() { _ = try? Command(["ip", "netns", "del", name]).run() }
}
