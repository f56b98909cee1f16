import Foundation
import Support
import Testing

/// Many attaches and detaches at once on both drivers, some of them killed; a model says what must be there at the end.
@Suite(needsRoot, .serialized) struct CrowdModelTests {
  /// How a container's life goes.
  private struct Life: Sendable {
    let id: String
    let wired: ModelHost.Wired
    let detaches: Bool
    /// After how long attach or detach are killed.
    let attachKilled, detachKilled: Duration?
  }

  private enum End: Sendable { case wired(Container), cut(Container), gone(Container) }

  /// 40 containers, 32 hooks at a time, of which 5 % are killed; in a long run twenty crowds of 350 (500 hooks each).
  @Test func aMixedCrowdOfWhichSomeAreKilledLeavesWhatTheModelSays() throws {
    for round in 0..<Effort.rounds(1, long: 20) {
      try crowd(of: Effort.isLong ? 350 : 40, seed: Effort.seed &+ UInt64(round))
    }
  }

  private func crowd(of count: Int, seed: UInt64) throws {
    try ModelHost.with { host in
      // This asks who ends up with what, not how soon: ovs-vswitchd takes them one by one.
      try host.allow(milliseconds: 60_000)
      let before = try host.look()
      var dice = Dice(seed: seed)
      func killed() -> Duration? {
        Int.random(in: 0..<20, using: &dice) == 0 ? .microseconds(Int.random(in: 500..<25_000, using: &dice)) : nil
      }
      let lives = (0..<count).map { number in
        Life(
          id: "c\(number)",
          wired: .init(network: ModelHost.networks[number % ModelHost.networks.count], port: 8000 + number),
          detaches: Int.random(in: 0..<10, using: &dice) < 4, attachKilled: killed(), detachKilled: killed())
      }
      let ends = try concurrently(lives, width: 32) { life in try Self.live(life, on: host) }

      // What was cut off is healed: by the next attach of the same container where it runs, by gc where it does not.
      var model: [String: ModelHost.Wired] = [:]
      for (life, end) in zip(lives, ends) {
        if case .cut(let container) = end { try host.host.attach(container, ModelHost.annotations(life.wired)) }
        if case .gone = end { continue }
        model[life.id] = life.wired
      }
      let collected = try host.host.wirehook("gc")
      #expect(collected.exitCode == 0, "\(collected)")
      var differences: [String] = []
      _ = try eventually(within: .seconds(8)) {
        differences = try host.differences(from: model)
        return differences.isEmpty
      }
      #expect(differences == [], "WIREHOOK_SEED=\(seed)")

      let left = zip(lives, ends).filter { model[$0.0.id] != nil }.map(\.1)
      _ = try concurrently(left, width: 32) { end in
        switch end {
        case .wired(let container), .cut(let container), .gone(let container): try host.host.stop(container)
        }
      }
      #expect(try host.differences(from: before) == [], "WIREHOOK_SEED=\(seed)")
    }
  }

  private static func live(_ life: Life, on host: ModelHost) throws -> End {
    let container = try host.host.container(life.id)
    let attached = try host.host.tryAttach(
      container, ModelHost.annotations(life.wired), killAfter: life.attachKilled ?? .seconds(90))
    if attached.signal != nil { return .cut(container) }
    guard attached.succeeded else { throw Failure("\(attached)") }
    guard life.detaches else { return .wired(container) }
    container.kill()
    let detached = try host.host.tryDetach(life.id, killAfter: life.detachKilled ?? .seconds(90))
    guard detached.succeeded || detached.signal != nil else { throw Failure("\(detached)") }
    return .gone(container)
  }
}
