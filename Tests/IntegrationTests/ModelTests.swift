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
  case flush, gc, repair

  var description: String {
    switch self {
    case .attach(let id, let wired): "attach c\(id) to \(wired.network) with port \(wired.port)"
    case .cutAttach(let id, let wired, let after):
      "attach c\(id) to \(wired.network) with port \(wired.port), killed after \(after) µs"
    case .detach(let id): "detach c\(id)"
    case .cutDetach(let id, let after): "detach c\(id), killed after \(after) µs"
    case .die(let id): "c\(id) dies"
    case .flush: "nft flush ruleset"
    case .gc: "gc"
    case .repair: "repair"
    }
  }

  static func random(_ dice: inout Dice) -> ModelAction {
    let id = Int.random(in: 0..<5, using: &dice)
    let wired = ModelHost.Wired(
      network: ModelHost.networks[Int.random(in: 0..<ModelHost.networks.count, using: &dice)],
      port: 8000 + Int.random(in: 0..<4, using: &dice))
    let after = Int.random(in: 500..<12_000, using: &dice)
    switch Int.random(in: 0..<20, using: &dice) {
    case 0..<7: return .attach(id, wired)
    case 7..<10: return .cutAttach(id, wired, after: after)
    case 10..<13: return .detach(id)
    case 13..<15: return .cutDetach(id, after: after)
    case 15..<17: return .die(id)
    case 17: return .flush
    case 18: return .gc
    default: return .repair
    }
  }
}

/// The model beside the host while a sequence runs.
private struct ModelRun {
  /// What is known of a container; `.unsure`: what wired or unwired it was killed.
  enum State: Equatable { case none, wired(ModelHost.Wired), unsure }

  let host: ModelHost
  let before: Set<String>
  var states: [Int: State] = [:]
  var running: [Int: Container] = [:]

  init(_ host: ModelHost) throws {
    self.host = host
    before = try host.look()
  }

  /// What was not as the model says; nil: nothing.
  mutating func perform(_ action: ModelAction) throws -> String? {
    switch action {
    case .attach(let id, let wired): return try attach(id, wired)
    case .cutAttach(let id, let wired, let after):
      if case .wired = states[id], running[id] != nil { return nil }
      let result = try host.host.tryAttach(
        container(id), ModelHost.annotations(wired), killAfter: .microseconds(after))
      if result.signal == nil, states[id] != .unsure { return judge(id, wired, result) }
      states[id] = .unsure
    case .detach(let id):
      running.removeValue(forKey: id)?.kill()
      states[id] = State.none
      let result = try host.host.tryDetach("c\(id)")
      return result.succeeded ? nil : "\(result)"
    case .cutDetach(let id, let after):
      running.removeValue(forKey: id)?.kill()
      _ = try host.host.tryDetach("c\(id)", killAfter: .microseconds(after))
      states[id] = .unsure
    case .die(let id):
      running.removeValue(forKey: id)?.kill()
      if case .wired = states[id] { states[id] = .unsure }
    case .flush: try host.host.nft("flush ruleset")
    case .gc:
      let result = try host.host.wirehook("gc")
      return result.succeeded ? nil : "\(result)"
    // What was cut off cannot be repaired, and it says so.
    case .repair: _ = try host.host.wirehook("repair")
    }
    return nil
  }

  private mutating func attach(_ id: Int, _ wired: ModelHost.Wired) throws -> String? {
    // One that is wired already stays as it is, whatever the second call asks for.
    if case .wired = states[id], let container = running[id] {
      let result = try host.host.tryAttach(container, ModelHost.annotations(wired))
      return result.succeeded ? nil : "\(result)"
    }
    let result = try host.host.tryAttach(container(id), ModelHost.annotations(wired))
    // The attach that was killed may have come to its end: then it is that one which stands.
    if result.succeeded, states[id] == .unsure, let stands = try recorded(id), stands != wired {
      states[id] = .wired(stands)
      return nil
    }
    return judge(id, wired, result)
  }

  /// Takes the outcome of an attach over; what is wrong with it.
  private mutating func judge(_ id: Int, _ wired: ModelHost.Wired, _ result: Command.Result) -> String? {
    let rivals = states.filter { entry in
      guard entry.key != id, case .wired(let other) = entry.value else { return false }
      return other.port == wired.port
    }
    // A killed attach of one that runs may hold the port, or not.
    let unsure = states.contains { $0.key != id && $0.value == .unsure && running[$0.key] != nil }
    states[id] = result.succeeded ? .wired(wired) : State.none
    if result.succeeded { return rivals.isEmpty ? nil : "the port was given twice: \(result)" }
    return result.exitCode == 1 && (!rivals.isEmpty || unsure) ? nil : "\(result)"
  }

  private func recorded(_ id: Int) throws -> ModelHost.Wired? {
    let record = try host.host.list().first { $0["id"].string == "c\(id)" }
    guard let network = record?["interfaces"][0]["network"].string, let port = record?["ports"][0]["hostPort"].int
    else {
      return nil
    }
    return .init(network: network, port: port)
  }

  private mutating func container(_ id: Int) throws -> Container {
    if let container = running[id] { return container }
    let container = try host.host.container("c\(id)")
    running[id] = container
    return container
  }

  /// What was cut off is ended, the rest repaired and compared; then everything goes.
  mutating func settle() throws -> String? {
    for (id, state) in states where state == .unsure {
      running.removeValue(forKey: id)?.kill()
      states[id] = State.none
    }
    for words in [["gc"], ["repair"]] {
      let result = try host.host.run([Built.path("wirehook")] + words + ["--config", host.host.configFile])
      guard result.succeeded else { return "\(result)" }
    }
    var model: [String: ModelHost.Wired] = [:]
    for case (let id, .wired(let wired)) in states { model["c\(id)"] = wired }
    var differences: [String] = []
    _ = try eventually {
      differences = try host.differences(from: model)
      return differences.isEmpty
    }
    guard differences.isEmpty else { return differences.joined(separator: "; ") }
    for container in running.values { try host.host.stop(container) }
    try host.warmUp()
    let left = try host.differences(from: before)
    return left.isEmpty ? nil : "left: \(left)"
  }
}
