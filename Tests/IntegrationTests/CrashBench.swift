import Support
import Testing

/// A warm host with one driver, on which single system calls of the hook are made to fail or to be its last.
struct CrashBench {
  enum Driver: String, CaseIterable, Sendable { case bridge, ovs }
  enum Operation: String, CaseIterable, Sendable { case attach, detach }

  /// Who comes first after the hook was interrupted, and has to find or make everything whole.
  enum Healer: CaseIterable, Sendable { case same, another, poststop, gc }

  /// strace makes a hook slow, a busy machine too: deadlines are the matter of other tests.
  private static let patience: [String: JSON] = ["timeout_ms": .number(15_000)]

  let host: Sandbox
  let wanted: [String: String]
  private let ovs: RealSwitch?

  /// A host with an OVS network in a VLAN and a tunnel, or with the bridge network `front` and limits by an ifb.
  static func with(_ driver: Driver, _ body: (CrashBench) throws -> Void) throws {
    switch driver {
    case .bridge:
      try Sandbox.with { host in
        try host.writeMain(patience)
        let wanted = [
          "wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80,5353:53/udp", "wirehook.bandwidth": "egress=10mbit",
        ]
        try host.warmUp(wanted)
        try body(CrashBench(host: host, wanted: wanted, ovs: nil))
      }
    case .ovs:
      try RealSwitch.with { host, ovs in
        try host.ip("addr add 192.168.1.9/24 dev up0")
        try ovs.writeNetwork(
          #""vlan": 10, "vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": ["192.168.1.10"]}"#)
        try ovs.writeMain(patience)
        let wanted = [
          "wirehook.ip": "100.1.1.6", "wirehook.ports": "8080:80",
          "wirehook.bandwidth": "ingress=100mbit,egress=10mbit",
        ]
        try host.warmUp(wanted)
        try body(CrashBench(host: host, wanted: wanted, ovs: ovs))
      }
    }
  }

  /// The system calls of one attach, or of the detach after it.
  func calls(_ operation: Operation) throws -> [SystemCall] {
    let file = "\(host.folder)/calls"
    let container = try host.container("measured")
    let attached = try host.tryAttach(container, wanted, under: SystemCall.recording(to: file))
    guard attached.succeeded else { throw Failure("\(attached)") }
    let attach = try SystemCall.recorded(in: file)
    container.kill()
    _ = try host.tryDetach("measured", under: SystemCall.recording(to: file))
    return operation == .attach ? attach : try SystemCall.recorded(in: file)
  }

  /// Attaches, or detaches what is attached, with `wrapper` around the hook; the container, if it still runs.
  func run(_ operation: Operation, under wrapper: [String]) throws -> (result: Command.Result, container: Container) {
    switch operation {
    case .attach:
      let web = try host.container("web")
      return (try host.tryAttach(web, wanted, under: wrapper), web)
    case .detach:
      let web = try host.started("web", wanted)
      web.kill()
      return (try host.tryDetach("web", under: wrapper), web)
    }
  }

  /// Links, rules, records, OVS.
  func look() throws -> Set<String> { try host.snapshot().lines.union(ovs?.configuration() ?? []) }

  /// What differs from `before` once kernel and daemon are done.
  func differences(from before: Set<String>) throws -> [String] {
    var now: Set<String> = []
    _ = try eventually {
      now = try look()
      return now == before
    }
    return now.subtracting(before).map { "+ \($0)" }.sorted() + before.subtracting(now).map { "- \($0)" }.sorted()
  }

  /// `healer` comes, then everything goes, and nothing is left.
  func expectHealed(by healer: Healer, _ web: Container, since before: Set<String>, after what: String) throws {
    switch healer {
    case .same:
      // Where the container still runs it is the very same; else it was started again.
      let again = try web.isAlive ? web : host.container("web")
      try expectAttaches(again, after: what)
      try host.stop(again)
    case .another:
      web.kill()
      let next = try host.container("next")
      try expectAttaches(next, after: what)
      try host.stop(next)
    case .poststop:
      web.kill()
      try host.detach("web")
    case .gc: web.kill()
    }
    let collected = try host.wirehook("gc")
    #expect(collected.exitCode == 0, "\(healer) after \(what): \(collected)")
    let differences = try differences(from: before)
    #expect(differences == [], "\(healer) after \(what)")
  }

  private func expectAttaches(_ container: Container, after what: String) throws {
    let result = try host.tryAttach(container, wanted)
    #expect(result.exitCode == 0, "after \(what): \(result)")
    let addresses = try container.addresses("eth0")
    #expect(addresses.contains { $0.hasPrefix("\(wanted["wirehook.ip"] ?? "")/") }, "after \(what): \(addresses)")
    let checked = try host.wirehook("check", container.id)
    #expect(checked.exitCode == 0, "after \(what): \(checked)")
  }
}
