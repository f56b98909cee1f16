import Foundation
import Support

/// The model beside the host while a sequence runs.
struct ModelRun {
  /// What is known of a container; `.unsure`: what wired or unwired it was killed.
  enum State: Equatable { case none, wired(ModelHost.Wired), unsure }

  let host: ModelHost
  let before: Set<String>
  var states: [Int: State] = [:]
  var running: [Int: Container] = [:]
  /// Ports of wired containers of which only the record knows: what published them or took them back was killed.
  var unsurePorts: [Int: Set<Int>] = [:]

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
      set(id, .unsure)
    case .detach(let id):
      running.removeValue(forKey: id)?.kill()
      set(id, .none)
      let result = try host.host.tryDetach("c\(id)")
      return result.succeeded ? nil : "\(result)"
    case .cutDetach(let id, let after):
      running.removeValue(forKey: id)?.kill()
      _ = try host.host.tryDetach("c\(id)", killAfter: .microseconds(after))
      set(id, .unsure)
    case .die(let id):
      running.removeValue(forKey: id)?.kill()
      if case .wired = states[id] { set(id, .unsure) }
    case .publish(let id, let port): return try publish(id, port, killAfter: nil)
    case .cutPublish(let id, let port, let after): return try publish(id, port, killAfter: after)
    case .unpublish(let id, let port): return try unpublish(id, port, killAfter: nil)
    case .cutUnpublish(let id, let port, let after): return try unpublish(id, port, killAfter: after)
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
      set(id, .wired(stands))
      return nil
    }
    return judge(id, wired, result)
  }

  private mutating func set(_ id: Int, _ state: State) {
    states[id] = state
    unsurePorts[id] = nil
  }

  /// Takes the outcome of an attach over; what is wrong with it.
  private mutating func judge(_ id: Int, _ wired: ModelHost.Wired, _ result: Command.Result) -> String? {
    let problem = judge(id, wired.ports, result)
    set(id, result.succeeded ? .wired(wired) : .none)
    return problem
  }

  /// What is wrong with the outcome of something that takes `ports` for a container.
  private mutating func judge(_ id: Int, _ ports: Set<Int>, _ result: Command.Result) -> String? {
    let others = states.filter { $0.key != id }
    let isTaken = others.contains { entry in
      guard case .wired(let other) = entry.value else { return false }
      return !other.ports.subtracting(unsurePorts[entry.key] ?? []).isDisjoint(with: ports)
    }
    // A killed attach, or publish, of one that runs may hold the port, or not.
    let mayBeTaken = others.contains { entry in
      entry.value == .unsure && running[entry.key] != nil
        || !(unsurePorts[entry.key] ?? []).isDisjoint(with: ports)
    }
    guard result.succeeded else { return result.exitCode == 1 && (isTaken || mayBeTaken) ? nil : "\(result)" }
    for other in others.keys { settle(other, ports, published: false) }
    return isTaken ? "the port was given twice: \(result)" : nil
  }

  /// Of a container's ports that were unsure it is known now.
  private mutating func settle(_ id: Int, _ ports: Set<Int>, published: Bool) {
    guard case .wired(var wired) = states[id], let unsure = unsurePorts[id]?.intersection(ports) else { return }
    if published { wired.ports.formUnion(unsure) } else { wired.ports.subtract(unsure) }
    states[id] = .wired(wired)
    unsurePorts[id]?.subtract(unsure)
  }

  private mutating func publish(_ id: Int, _ port: Int, killAfter microseconds: Int?) throws -> String? {
    guard states[id] != .unsure else { return nil }
    let result = try wirehook(["publish", "c\(id)", "\(port):80"], killAfter: microseconds)
    guard case .wired(var wired) = states[id] else {
      return result.signal != nil || result.exitCode == 1 ? nil : "of nobody: \(result)"
    }
    let isUnsure = unsurePorts[id]?.contains(port) ?? false
    guard result.signal == nil else {
      if !wired.ports.contains(port) { unsurePorts[id, default: []].insert(port) }
      return nil
    }
    if wired.ports.contains(port) || isUnsure, result.exitCode == 1 { return nil }
    if wired.ports.contains(port), !isUnsure { return "published twice: \(result)" }
    let problem = judge(id, [port], result)
    guard result.succeeded else { return problem }
    wired.ports.insert(port)
    states[id] = .wired(wired)
    unsurePorts[id]?.remove(port)
    return problem
  }

  private mutating func unpublish(_ id: Int, _ port: Int, killAfter microseconds: Int?) throws -> String? {
    guard states[id] != .unsure else { return nil }
    let result = try wirehook(["unpublish", "c\(id)", "\(port)"], killAfter: microseconds)
    guard case .wired(var wired) = states[id] else {
      return result.signal != nil || result.exitCode == 1 ? nil : "of nobody: \(result)"
    }
    let isUnsure = unsurePorts[id]?.contains(port) ?? false
    guard result.signal == nil else {
      if wired.ports.contains(port) { unsurePorts[id, default: []].insert(port) }
      return nil
    }
    let isExpected = isUnsure || result.succeeded == wired.ports.contains(port)
    guard isExpected, result.succeeded || result.exitCode == 1 else { return "\(result)" }
    wired.ports.remove(port)
    states[id] = .wired(wired)
    unsurePorts[id]?.remove(port)
    return nil
  }

  private func wirehook(_ words: [String], killAfter microseconds: Int?) throws -> Command.Result {
    try host.host.run(
      [Built.path("wirehook")] + words + ["--config", host.host.configFile],
      limit: microseconds.map { .microseconds($0) } ?? .seconds(20))
  }

  private func recorded(_ id: Int) throws -> ModelHost.Wired? {
    try host.host.list().first { $0["id"].string == "c\(id)" }.flatMap(ModelHost.recorded)
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
    for (id, ports) in unsurePorts where !ports.isEmpty {
      let published = try recorded(id)?.ports ?? []
      settle(id, ports.intersection(published), published: true)
      settle(id, ports.subtracting(published), published: false)
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
