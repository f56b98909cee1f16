import Foundation
import Glibc
import Support
import Testing

/// Random sequences of what may happen to a host, each step judged by a model, and the whole compared at the end.
///
/// `WIREHOOK_SEED` replays a run. A sequence that fails is shortened by leaving out parts of it, and printed.
@Suite(needsRoot, .serialized) struct ModelTests {
  @Test func whateverHappensRecordsKernelAndSwitchAgreeInTheEnd() throws {
    for round in 0..<Effort.rounds(8, long: 400) {
      var dice = Dice(seed: Effort.seed &+ UInt64(round) &* 7919)
      let actions = (0..<Int.random(in: 10...40, using: &dice)).map { _ in ModelAction.random(&dice) }
      guard let problem = try Self.problem(in: actions) else { continue }
      let (shortest, itsProblem) = try Self.shortened(actions, problem)
      Issue.record("WIREHOOK_SEED=\(Effort.seed) round \(round): \(shortest.map(\.description)): \(itsProblem)")
    }
  }

  /// Leaves out halves, then quarters, … as long as what is left still fails.
  private static func shortened(_ actions: [ModelAction], _ problem: String) throws -> ([ModelAction], String) {
    var (best, why) = (actions, problem)
    var size = best.count / 2
    while size > 0 {
      var start = 0
      while start < best.count {
        var shorter = best
        shorter.removeSubrange(start..<min(start + size, best.count))
        if let still = try Self.problem(in: shorter) { (best, why) = (shorter, still) } else { start += size }
      }
      size /= 2
    }
    return (best, why)
  }

  private static func problem(in actions: [ModelAction]) throws -> String? {
    var problem: String?
    try ModelHost.with { host in
      var run = try ModelRun(host)
      for (index, action) in actions.enumerated() {
        if let found = try run.perform(action) {
          problem = "step \(index), \(action): \(found)"
          return
        }
      }
      problem = try run.settle()
    }
    return problem
  }
}

/// One thing that happens to a host.
enum ModelAction: Sendable, CustomStringConvertible {
  case attach(Int, ModelHost.Wired)
  /// Killed after so many microseconds.
  case cutAttach(Int, ModelHost.Wired, after: Int)
  case detach(Int)
  case cutDetach(Int, after: Int)
  /// The container ends and nobody says so.
  case die(Int)
  /// As `wirehook publish cN PORT:80`.
  case publish(Int, port: Int)
  case unpublish(Int, port: Int)
  /// Killed after so many microseconds.
  case cutPublish(Int, port: Int, after: Int)
  case cutUnpublish(Int, port: Int, after: Int)
  case flush, gc, repair

  var description: String {
    switch self {
    case .attach(let id, let wired): "attach c\(id) to \(wired)"
    case .cutAttach(let id, let wired, let after): "attach c\(id) to \(wired), killed after \(after) µs"
    case .detach(let id): "detach c\(id)"
    case .cutDetach(let id, let after): "detach c\(id), killed after \(after) µs"
    case .die(let id): "c\(id) dies"
    case .publish(let id, let port): "publish \(port) of c\(id)"
    case .unpublish(let id, let port): "unpublish \(port) of c\(id)"
    case .cutPublish(let id, let port, let after): "publish \(port) of c\(id), killed after \(after) µs"
    case .cutUnpublish(let id, let port, let after): "unpublish \(port) of c\(id), killed after \(after) µs"
    case .flush: "nft flush ruleset"
    case .gc: "gc"
    case .repair: "repair"
    }
  }

  static func random(_ dice: inout Dice) -> ModelAction {
    let id = Int.random(in: 0..<5, using: &dice)
    let port = 8000 + Int.random(in: 0..<4, using: &dice)
    let wired = ModelHost.Wired(
      network: ModelHost.networks[Int.random(in: 0..<ModelHost.networks.count, using: &dice)], port: port)
    let after = Int.random(in: 500..<12_000, using: &dice)
    // One more than attaches have: it is often free.
    let live = port + Int.random(in: 0...1, using: &dice)
    switch Int.random(in: 0..<28, using: &dice) {
    case 0..<7: return .attach(id, wired)
    case 7..<10: return .cutAttach(id, wired, after: after)
    case 10..<13: return .detach(id)
    case 13..<15: return .cutDetach(id, after: after)
    case 15..<17: return .die(id)
    case 17: return .flush
    case 18: return .gc
    case 19: return .repair
    case 20..<23: return .publish(id, port: live)
    case 23..<25: return .unpublish(id, port: live)
    // The command line takes longer to begin than the hook.
    case 25..<27: return .cutPublish(id, port: live, after: 2 * after)
    default: return .cutUnpublish(id, port: live, after: 2 * after)
    }
  }
}
