import Support
import Testing

/// The kernel refuses a single system call of the hook, any of them: the attach is whole or leaves nothing, and says why.
@Suite(needsRoot, .enabled(if: Tool.strace.isThere, "needs strace"), .serialized) struct CrashErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let driver: CrashBench.Driver
    let operation: CrashBench.Operation
    let error: String
    var testDescription: String { "\(operation) on \(driver), \(error)" }
  }

  /// `EINTR` and `EAGAIN` are no failures where the call may be made again; the others are what a full host says.
  static let errors = ["ENOSPC", "EMFILE", "ENOMEM", "EINTR", "EAGAIN", "ENOBUFS", "EIO"]
  static let cases = CrashBench.Driver.allCases.filter { $0 != .ovs || Tool.ovs.isThere }.flatMap { driver in
    CrashBench.Operation.allCases.flatMap { operation in
      errors.map { Case(driver: driver, operation: operation, error: $0) }
    }
  }

  /// Memory for the language's own runtime: without it the process ends as if it had been killed.
  private static let memory: Set<String> = ["mmap", "brk", "mremap", "munmap", "mprotect"]

  @Test(arguments: cases) func aFailingSystemCallIsAllOrNothing(_ it: Case) throws {
    try CrashBench.with(it.driver) { bench in
      let calls = Effort.sample(
        try bench.calls(it.operation), every: 80, salt: it.error.utf8.reduce(0) { $0 * 3 + Int($1) })
      let before = try bench.look()
      print("\(it.testDescription): \(calls.count) calls")
      for call in calls {
        let what = "\(it.error) at \(call)"
        let (result, web) = try bench.run(it.operation, under: call.failing(with: it.error))
        guard result.signal == nil || Self.memory.contains(call.name) else {
          Issue.record("\(what): \(result)")
          try bench.expectHealed(by: .gc, web, since: before, after: what)
          continue
        }
        try judge(it, result, web, bench, since: before, after: what)
      }
    }
  }

  private func judge(
    _ it: Case, _ result: Command.Result, _ web: Container, _ bench: CrashBench, since before: Set<String>,
    after what: String
  ) throws {
    if result.succeeded, it.operation == .attach {
      #expect(try web.links() == ["eth0", "lo"], "\(what)")
      try bench.host.stop(web)
    } else if result.exitCode != nil, !result.succeeded {
      expectOneErrorLine(result)
      if it.operation == .attach { #expect(try web.links() == ["lo"], "\(what): \(result)") }
    }
    // A detach that failed and a process that died are healed by the next; a failed attach has taken everything back.
    let isWhole = result.succeeded || (it.operation == .attach && result.exitCode != nil)
    guard isWhole else { return try bench.expectHealed(by: .gc, web, since: before, after: what) }
    let differences = try bench.differences(from: before)
    #expect(differences == [], "\(what): \(result)")
    web.kill()
    if !differences.isEmpty { try bench.expectHealed(by: .gc, web, since: before, after: what) }
  }
}
