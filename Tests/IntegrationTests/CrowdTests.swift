import Foundation
import Glibc
import Support
import Testing

/// Many at once, and those that are killed in the middle.
@Suite(needsRoot, .serialized) struct CrowdTests {
  @Test func twoHundredAttachesSixteenAtATimeAndBack() throws {
    try Sandbox.with { host in
      let containers = try concurrently(Array(0..<200), width: 8) { try host.container("c\($0)") }
      let results = try concurrently(containers, width: 16) { try host.tryAttach($0, ["wirehook.ports": "80"]) }
      #expect(results.filter { !$0.succeeded }.map(\.description) == [])
      let addresses = try concurrently(containers, width: 8) { try $0.addresses("eth0") }.flatMap { $0 }
      #expect(addresses.count == 400)
      #expect(Set(addresses).count == 400)
      let records = try host.list()
      #expect(records.count == 200)
      #expect(Set(records.map { $0["ports"][0]["hostPort"].int }).count == 200)
      let ends = try host.json("link show master wh-front").array.compactMap { $0["ifname"].string }
      #expect(Set(ends).count == 200)

      let ended = try concurrently(containers, width: 16) { container in
        container.kill()
        return try host.tryDetach(container.id)
      }
      #expect(ended.filter { !$0.succeeded }.map(\.description) == [])
      #expect(try host.list().isEmpty)
      #expect(try eventually(within: .seconds(10)) { try host.json("link show master wh-front").array.isEmpty })
      #expect(
        try !host.snapshot().lines.contains {
          $0.hasPrefix("nft element") && $0.contains("10.210.4.") && !$0.contains("/") && $0.contains("80")
        })
    }
  }

  @Test func theVeryFirstHooksOfAFreshHostMayAllComeAtOnce() throws {
    try Sandbox.with { host in
      let containers = try (0..<16).map { try host.container("c\($0)") }
      let results = try concurrently(containers, width: 16) { container in
        try host.tryAttach(container, ["wirehook.ports": "\(8000 + (Int(container.id.dropFirst()) ?? 0)):80"])
      }
      #expect(results.filter { !$0.succeeded }.map(\.description) == [])
      for (number, container) in containers.enumerated() {
        try container.serve(80)
        #expect(try host.outside.ask("192.168.77.1", UInt16(8000 + number)).server == container.id)
      }
    }
  }

  @Test func sixteenThatWantOnePortGetItOnce() throws {
    try Sandbox.with { host in
      let containers = try (0..<16).map { try host.container("c\($0)") }
      let results = try concurrently(containers, width: 16) { try host.tryAttach($0, ["wirehook.ports": "8080:80"]) }
      #expect(results.filter(\.succeeded).count == 1)
      for result in results where !result.succeeded { expectOneErrorLine(result, naming: ["8080"]) }
      #expect(try host.list().count == 1)
      #expect(try eventually { try host.json("link show master wh-front").array.count == 1 })
    }
  }

  /// Kills attaches and detaches after random times up to about twice what one takes, then takes everything back.
  private func interrupt(rounds: Int, with signals: [Int32]) throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let whole = try timeOfOneAttach(host)
      var random = Linear(seed: 0x5eed)
      let wanted = ["wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80,9000-9003:9000-9003"]
      for round in 0..<rounds {
        let limit = whole * random.next(upTo: 1300) / 1000
        let signal = signals[round % signals.count]
        let container = try host.container("c\(round % 3)")
        let result = try host.tryAttach(container, wanted, killAfter: limit, signal: signal)
        // Killed, done, or refused because another round's container is still alive: never anything else.
        #expect(result.signal != nil || result.succeeded || result.exitCode == 1, "\(result)")
        #expect(result.signal == nil || result.signal == signal, "\(result)")
        if round.isMultiple(of: 2) { container.kill() }
        _ = try host.tryDetach(container.id, killAfter: whole * random.next(upTo: 1300) / 1000, signal: signal)
        container.kill()
      }
      let last = try host.started("last", wanted)
      try last.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "last")
      try host.stop(last)
      let collected = try host.wirehook("gc")
      #expect(collected.exitCode == 0, "\(collected)")
      try expectUnchanged(host, since: before)
      let dry = try host.wirehook("gc", "--dry-run")
      #expect(dry.exitCode == 0, "\(dry)")
    }
  }

  private func timeOfOneAttach(_ host: Sandbox) throws -> Duration {
    let container = try host.container("measured")
    let result = try host.tryAttach(container, ["wirehook.ports": "8080:80"])
    try host.stop(container)
    return max(result.duration, .milliseconds(4))
  }

  @Test func hooksKilledAtRandomLeaveNothingThatGCDoesNotTakeBack() throws {
    try interrupt(rounds: Effort.rounds(100, long: 400), with: [SIGKILL])
  }

  @Test func hooksInterruptedAtRandomLeaveNothingThatGCDoesNotTakeBack() throws {
    try interrupt(rounds: Effort.rounds(60, long: 400), with: [SIGTERM, SIGINT, SIGHUP, SIGPIPE])
  }

  @Test func aClosedStandardErrorDoesNotStopTheUndo() throws {
    try Sandbox.with { host in
      _ = try host.started("first", ["wirehook.ports": "8080:80"])
      let before = try host.snapshot()
      let second = try host.container("second")
      let result = try host.tryAttach(
        second, ["wirehook.ports": "8080:80"], under: ["sh", "-c", "exec \"$@\" >&- 2>&-", "sh"])
      #expect(result.exitCode == 1, "\(result)")
      try expectUnchanged(host, since: before)
    }
  }

  @Test func gcLeavesAttachesInProgressAlone() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let containers = try (0..<48).map { try host.container("c\($0)") }
      let collector = Meanwhile { _ = try? host.wirehook("gc") }
      let results = try concurrently(containers, width: 8) { container in
        try host.tryAttach(container, ["wirehook.ports": "\(8000 + (Int(container.id.dropFirst()) ?? 0)):80"])
      }
      collector.stop()
      #expect(results.filter { !$0.succeeded }.map(\.description) == [])
      #expect(try host.list().count == 48)
      for number in [0, 17, 47] {
        try containers[number].serve(80)
        #expect(try host.outside.ask("192.168.77.1", UInt16(8000 + number)).server == "c\(number)")
      }
    }
  }

  @Test func anAttachAndADetachOfOneIDAtOnceEndWholeOrGone() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      for _ in 0..<20 {
        let web = try host.container("web")
        let results = try concurrently([true, false], width: 2) { attaching in
          attaching ? try host.tryAttach(web, ["wirehook.ports": "8080:80"]) : try host.tryDetach("web")
        }
        #expect(results.filter { !$0.succeeded }.map(\.description) == [])
        #expect(try web.links().contains("eth0") == (try host.list().count == 1))
        try host.stop(web)
      }
      try expectUnchanged(host, since: before)
    }
  }

  /// One that died holds the port, starts again at the very moment at which a rival takes back what the dead hold.
  @Test func aRivalTakesBackFromTheDeadAndNotFromTheRestarted() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let ports = ["wirehook.ports": "8080:80"]
      for round in 0..<25 {
        try host.started("web", ports).kill()
        let again = try host.container("web")
        let rival = try host.container("rival\(round)")
        let results = try concurrently([again, rival], width: 2) { try host.tryAttach($0, ports).succeeded }
        #expect(results.filter { $0 }.count == 1, "round \(round): \(results)")
        for (container, isWired) in zip([again, rival], results) {
          #expect(try container.links().contains("eth0") == isWired, "round \(round): \(container.id)")
        }
        #expect(try host.list().count == 1)
        #expect(try host.wirehook("check").exitCode == 0)
        try host.stop(again)
        try host.stop(rival)
      }
    }
  }

  @Test func aFlushWhileManyAttachLeavesThemAllAttached() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let containers = try (0..<32).map { try host.container("c\($0)") }
      let flusher = Meanwhile { try? host.nft("flush ruleset") }
      let results = try concurrently(containers, width: 8) { container in
        try host.tryAttach(container, ["wirehook.ports": "\(8000 + (Int(container.id.dropFirst()) ?? 0)):80"])
      }
      flusher.stop()
      #expect(results.filter { !$0.succeeded }.map(\.description) == [])
      for container in containers { try host.stop(container) }
      #expect(try host.list().isEmpty)
    }
  }
}

/// Something that is done again and again, until stopped.
private final class Meanwhile: @unchecked Sendable {
  private let lock = NSLock()
  private var stopping = false
  private let done = DispatchSemaphore(value: 0)

  init(_ body: @escaping @Sendable () -> Void) {
    Thread { [self] in
      while !lock.withLock({ stopping }) {
        body()
        usleep(3_000)
      }
      done.signal()
    }.start()
  }

  func stop() {
    lock.withLock { stopping = true }
    done.wait()
  }
}

/// Numbers that are the same in each run (Knuth's MMIX generator).
private struct Linear {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next(upTo limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
