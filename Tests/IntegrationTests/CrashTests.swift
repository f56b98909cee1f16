import Support
import Testing

/// The hook ends at its n-th system call, for every n: by SIGKILL, or by a signal that it could catch.
///
/// A run takes a sample, each time another; `WIREHOOK_LONG=1` takes every call, and every way of healing after it.
@Suite(needsRoot, .enabled(if: Tool.strace.isThere, "needs strace"), .serialized) struct CrashTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let driver: CrashBench.Driver
    let operation: CrashBench.Operation
    let signal: String
    var testDescription: String { "\(operation) on \(driver), \(signal)" }
  }

  static let kills = cases(["SIGKILL"])
  static let interrupts = cases(["SIGTERM", "SIGINT", "SIGHUP", "SIGPIPE"])

  private static func cases(_ signals: [String]) -> [Case] {
    CrashBench.Driver.allCases.filter { $0 != .ovs || Tool.ovs.isThere }.flatMap { driver in
      CrashBench.Operation.allCases.flatMap { operation in
        signals.map { Case(driver: driver, operation: operation, signal: $0) }
      }
    }
  }

  @Test(arguments: kills) func killedAtAnySystemCallIsHealedByWhoeverComesNext(_ it: Case) throws {
    try interrupt(it, every: 26)
  }

  /// Held back until all is done, or heeded before anything is begun: whole or nothing, without anybody's healing.
  @Test(arguments: interrupts) func askedToEndAtAnySystemCallIsWholeOrNothing(_ it: Case) throws {
    try CrashBench.with(it.driver) { bench in
      let calls = Effort.sample(
        try bench.calls(it.operation), every: 70, salt: it.signal.utf8.reduce(0) { $0 * 3 + Int($1) })
      let before = try bench.look()
      print("\(it.testDescription): \(calls.count) calls")
      for call in calls {
        let (result, web) = try bench.run(it.operation, under: call.killing(with: it.signal))
        if it.operation == .attach, result.succeeded {
          #expect(try web.links() == ["eth0", "lo"], "\(it.signal) at \(call)")
          try bench.host.stop(web)
        }
        let differences = try bench.differences(from: before)
        #expect(differences == [], "\(it.signal) at \(call): \(result)")
        web.kill()
        if !differences.isEmpty { try bench.host.detach("web") }
      }
    }
  }

  private func interrupt(_ it: Case, every step: Int) throws {
    try CrashBench.with(it.driver) { bench in
      let all = try bench.calls(it.operation)
      let before = try bench.look()
      var killed = 0
      for (round, call) in Effort.sample(all, every: step).enumerated() {
        let healers = CrashBench.Healer.allCases
        for healer in Effort.isLong ? healers : [healers[(round + Int(Effort.seed % 4)) % 4]] {
          let (result, web) = try bench.run(it.operation, under: call.killing(with: it.signal))
          killed += result.succeeded ? 0 : 1
          try bench.expectHealed(by: healer, web, since: before, after: "\(it.signal) at \(call)")
          web.kill()
        }
      }
      print("\(it.testDescription): killed \(killed) times at \(all.count) calls")
      #expect(killed > 0)
    }
  }
}
