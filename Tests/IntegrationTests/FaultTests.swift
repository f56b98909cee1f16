import Support
import Testing

/// The very first attach of a host makes the bridge and the table: its death in between must not spoil them for the others.
/// (CrashTests and CrashErrorTests interrupt attaches and detaches on a host that is warm.)
@Suite(needsRoot, .enabled(if: Tool.strace.isThere, "needs strace"), .serialized) struct FaultTests {
  private let wanted = [
    "wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80", "wirehook.bandwidth": "egress=10mbit",
  ]

  @Test func theFirstAttachOfAHostKilledAtAnyCallIsHealed() throws {
    var all: [SystemCall] = []
    try Sandbox.with { host in
      let file = "\(host.folder)/calls"
      _ = try host.tryAttach(host.container("web"), wanted, under: SystemCall.recording(to: file))
      all = try SystemCall.recorded(in: file)
    }
    for call in Effort.sample(all, every: 16) {
      try Sandbox.with { host in
        let first = try host.container("first")
        _ = try host.tryAttach(first, wanted, under: call.killing())
        first.kill()
        let web = try host.started("web", wanted)
        try web.serve(80)
        #expect(try host.outside.ask("192.168.77.1", 8080, within: .seconds(4)).server == "web", "after \(call)")
        #expect(try host.outside.ask("fd77::1", 8080, within: .seconds(4)).server == "web", "after \(call)")
      }
    }
  }
}
