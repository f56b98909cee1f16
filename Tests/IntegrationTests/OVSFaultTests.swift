import Support
import Testing

/// An attach or detach on Open vSwitch that is killed at any of its system calls, or one of whose steps fails.
@Suite(needsOVS, .serialized) struct OVSFaultTests {
  private let wanted = ["wirehook.ip": "100.1.1.6", "wirehook.ports": "8080:80"]

  /// A host with a network in a VLAN and a tunnel, warm, with limits by the switch.
  private func withHost(_ body: (Sandbox, RealSwitch) throws -> Void) throws {
    try RealSwitch.with { host, ovs in
      try host.ip("addr add 192.168.1.9/24 dev up0")
      try ovs.writeNetwork(
        #""vlan": 10, "vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": ["192.168.1.10"]}"#)
      try body(host, ovs)
    }
  }

  private func calls(_ host: Sandbox) throws -> (attach: [SystemCall], detach: [SystemCall]) {
    let file = "\(host.folder)/calls"
    let container = try host.container("measured")
    let attached = try host.tryAttach(container, wanted, under: SystemCall.recording(to: file))
    guard attached.succeeded else { throw Failure("\(attached)") }
    let attach = try SystemCall.recorded(in: file)
    container.kill()
    _ = try host.tryDetach("measured", under: SystemCall.recording(to: file))
    return (attach, try SystemCall.recorded(in: file))
  }

  private func expectHealed(
    _ ovs: RealSwitch, since before: (host: Snapshot, database: Set<String>), after call: SystemCall
  ) throws {
    let next = try ovs.host.container("next")
    let result = try ovs.host.tryAttach(next, wanted)
    #expect(result.exitCode == 0, "after \(call): \(result)")
    try ovs.host.stop(next)
    try ovs.host.detach("web")
    #expect(try ovs.host.wirehook("gc").exitCode == 0, "after \(call)")
    try expectUnchanged(ovs, since: before, "after \(call)")
  }

  /// Each of the runs takes every twelfth call.
  @Test(.enabled(if: Tool.strace.isThere, "needs strace"), arguments: [0, 6])
  func anAttachKilledAtAnyCallIsHealed(first: Int) throws {
    try withHost { host, ovs in
      try host.warmUp(wanted)
      let all = try calls(host).attach
      let before = try ovs.look()
      var killed = 0
      for index in stride(from: first, to: all.count, by: 12) {
        let web = try host.container("web")
        let result = try host.tryAttach(web, wanted, under: all[index].killing())
        killed += result.succeeded ? 0 : 12
        web.kill()
        try expectHealed(ovs, since: before, after: all[index])
      }
      #expect(killed > all.count / 2)
    }
  }

  @Test(.enabled(if: Tool.strace.isThere, "needs strace"), arguments: [0, 6])
  func aDetachKilledAtAnyCallIsHealed(first: Int) throws {
    try withHost { host, ovs in
      try host.warmUp(wanted)
      let all = try calls(host).detach
      let before = try ovs.look()
      for index in stride(from: first, to: all.count, by: 12) {
        let web = try host.started("web", wanted)
        web.kill()
        _ = try host.tryDetach("web", under: all[index].killing())
        try expectHealed(ovs, since: before, after: all[index])
      }
    }
  }

  /// The first attach makes the bridge, the gateway's port and the tunnel: its death must not spoil them for the next.
  @Test(.enabled(if: Tool.strace.isThere, "needs strace"), arguments: 0..<3)
  func theFirstAttachKilledAtAnyCallIsHealed(third: Int) throws {
    var all: [SystemCall] = []
    try withHost { host, _ in
      let file = "\(host.folder)/calls"
      _ = try host.tryAttach(host.container("web"), wanted, under: SystemCall.recording(to: file))
      all = try SystemCall.recorded(in: file)
    }
    for index in stride(from: third * 8, to: all.count, by: 24) {
      try withHost { host, ovs in
        let first = try host.container("first")
        _ = try host.tryAttach(first, wanted, under: all[index].killing())
        first.kill()
        let web = try host.started("web", wanted)
        try web.serve(80)
        #expect(
          try host.outside.ask(Sandbox.address4, 8080, within: .seconds(4)).server == "web", "after \(all[index])")
        #expect(try ovs.rows("Interface", "type=vxlan").count == 1, "after \(all[index])")
        #expect(try host.addresses("br1.10") == ["100.1.1.254/24"], "after \(all[index])")
      }
    }
  }

  @Test func aFailureAtAnyStepLeavesNothing() throws {
    try withHost { host, ovs in
      let annotations = wanted.merging(["wirehook.bandwidth": "ingress=100mbit,egress=20mbit"]) { $1 }
      try host.warmUp(annotations)
      let again = try host.container("again")
      let before = try ovs.look()
      var failures = 0
      while failures < 200 {
        guard try host.attachFails(atStep: failures, again, annotations) else { break }
        try expectUnchanged(ovs, since: before, "step \(failures)")
        #expect(try again.links() == ["lo"], "step \(failures)")
        failures += 1
      }
      #expect(failures > 10)
    }
  }
}
