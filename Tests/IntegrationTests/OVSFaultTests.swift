import Support
import Testing

/// The very first attach on Open vSwitch killed at any of its system calls, and one of whose steps fails. (CrashTests kills
/// attaches and detaches on a host that is warm.)
@Suite(needsOVS, .serialized) struct OVSFaultTests {
  private let wanted = ["wirehook.ip": "100.1.1.6", "wirehook.ports": "8080:80"]

  /// A host with a network in a VLAN and a tunnel, warm, with limits by the switch.
  private func withHost(_ body: (Sandbox, RealSwitch) throws -> Void) throws {
    try RealSwitch.with { host, ovs in
      try host.ip("addr add 192.168.1.9/24 dev up0")
      try ovs.writeNetwork(
        #""vlan": 10, "vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": ["192.168.1.10"]}"#)
      try ovs.writeMain(["timeout_ms": .number(15_000)])
      try body(host, ovs)
    }
  }

  /// The first attach makes the bridge, the gateway's port and the tunnel: its death must not spoil them for the next.
  @Test(.enabled(if: Tool.strace.isThere, "needs strace"), arguments: 0..<2)
  func theFirstAttachKilledAtAnyCallIsHealed(half: Int) throws {
    var all: [SystemCall] = []
    try withHost { host, _ in
      let file = "\(host.folder)/calls"
      _ = try host.tryAttach(host.container("web"), wanted, under: SystemCall.recording(to: file))
      all = try SystemCall.recorded(in: file)
    }
    for call in Effort.sample(
      Array(all.enumerated().filter { $0.offset % 2 == half }.map(\.element)), every: 16, salt: half)
    {
      try withHost { host, ovs in
        let first = try host.container("first")
        _ = try host.tryAttach(first, wanted, under: call.killing())
        first.kill()
        let web = try host.started("web", wanted)
        try web.serve(80)
        #expect(
          try host.outside.ask(Sandbox.address4, 8080, within: .seconds(4)).server == "web", "after \(call)")
        #expect(try ovs.rows("Interface", "type=vxlan").count == 1, "after \(call)")
        #expect(try host.addresses("br1.10") == ["100.1.1.254/24"], "after \(call)")
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
