import Support
import Testing

/// Killed at, or failed by, each single system call: what stands afterwards is whole, or nothing, or healed by the next.
@Suite(needsRoot, .enabled(if: Tool.strace.isThere, "needs strace"), .serialized) struct FaultTests {
  private let wanted = [
    "wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80", "wirehook.bandwidth": "egress=10mbit",
  ]

  /// The system calls of one attach, and of the detach after it, on a host that is warm.
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

  /// Another container gets what the interrupted one wanted; then everything goes.
  private func expectHealed(_ host: Sandbox, since before: Snapshot, after call: SystemCall) throws {
    let next = try host.container("next")
    let result = try host.tryAttach(next, wanted)
    #expect(result.exitCode == 0, "after \(call): \(result)")
    try host.stop(next)
    try host.detach("web")
    let collected = try host.wirehook("gc")
    #expect(collected.exitCode == 0, "after \(call): \(collected)")
    let differences = try host.differences(from: before)
    #expect(differences == [], "after \(call)")
  }

  /// The signals, each at other calls. A hook may finish in spite of those that can be caught or ignored.
  static let signals = Array(zip(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"], 0...))

  @Test(arguments: signals) func anAttachInterruptedAtAnyCallIsHealed(signal: String, first: Int) throws {
    try Sandbox.with { host in
      try host.warmUp(wanted)
      let all = try calls(host).attach
      let before = try host.snapshot()
      var interrupted = 0
      for index in stride(from: first * 3, to: all.count, by: 12) {
        let web = try host.container("web")
        let result = try host.tryAttach(web, wanted, under: all[index].killing(with: signal))
        #expect(result.signal != nil || result.succeeded || result.exitCode == 1, "\(all[index]): \(result)")
        interrupted += result.succeeded ? 0 : 12
        web.kill()
        try expectHealed(host, since: before, after: all[index])
      }
      #expect(signal != "SIGKILL" || interrupted > all.count / 2)
    }
  }

  @Test(arguments: signals) func aDetachInterruptedAtAnyCallIsHealed(signal: String, first: Int) throws {
    try Sandbox.with { host in
      try host.warmUp(wanted)
      let all = try calls(host).detach
      let before = try host.snapshot()
      var interrupted = 0
      for index in stride(from: first * 3 + 1, to: all.count, by: 12) {
        let web = try host.started("web", wanted)
        web.kill()
        let result = try host.tryDetach("web", under: all[index].killing(with: signal))
        interrupted += result.succeeded ? 0 : 12
        try expectHealed(host, since: before, after: all[index])
      }
      #expect(signal != "SIGKILL" || interrupted > all.count / 2)
    }
  }

  /// The bridge and the table are made by the first; its death in between must not spoil them for the others.
  @Test func theFirstAttachOfAHostKilledAtAnyCallIsHealed() throws {
    var all: [SystemCall] = []
    try Sandbox.with { host in
      let file = "\(host.folder)/calls"
      _ = try host.tryAttach(host.container("web"), wanted, under: SystemCall.recording(to: file))
      all = try SystemCall.recorded(in: file)
    }
    for index in stride(from: 0, to: all.count, by: 12) {
      try Sandbox.with { host in
        let first = try host.container("first")
        _ = try host.tryAttach(first, wanted, under: all[index].killing())
        first.kill()
        let web = try host.started("web", wanted)
        try web.serve(80)
        #expect(try host.outside.ask("192.168.77.1", 8080, within: .seconds(4)).server == "web", "after \(all[index])")
        #expect(try host.outside.ask("fd77::1", 8080, within: .seconds(4)).server == "web", "after \(all[index])")
      }
    }
  }

  @Test(arguments: ["EIO", "ENOMEM"]) func anAttachWithAFailingCallIsAllOrNothing(error: String) throws {
    let names: Set<String> = [
      "openat", "socket", "bind", "setsockopt", "sendto", "sendmsg", "recvfrom", "recvmsg", "pwrite64", "pread64",
      "write",
      "fsync", "fdatasync", "ftruncate", "mmap", "pidfd_open", "poll",
    ]
    try Sandbox.with { host in
      try host.warmUp(wanted)
      let all = try calls(host).attach.filter { names.contains($0.name) }
      let before = try host.snapshot()
      for (index, call) in all.enumerated() where index % 4 == (error == "EIO" ? 0 : 2) {
        let web = try host.container("web")
        let result = try host.tryAttach(web, wanted, under: call.failing(with: error))
        if result.succeeded {
          #expect(try web.links() == ["eth0", "lo"], "\(call)")
          try host.stop(web)
        } else {
          expectOneErrorLine(result)
          #expect(try web.links() == ["lo"], "\(call): \(result)")
        }
        let differences = try host.differences(from: before)
        #expect(differences == [], "\(call) fails with \(error): \(result)")
        web.kill()
        if !differences.isEmpty { try expectHealed(host, since: before, after: call) }
      }
    }
  }
}
