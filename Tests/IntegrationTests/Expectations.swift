import Support
import Testing

/// Expects exit 1 and exactly one line on standard error, `wirehook: WHAT failed: WHY`, with each of `parts` in it.
func expectOneErrorLine(
  _ result: Command.Result, naming parts: [String] = [], at location: SourceLocation = #_sourceLocation
) {
  #expect(result.exitCode == 1, "\(result)", sourceLocation: location)
  #expect(result.stdout == "", sourceLocation: location)
  let lines = result.stderr.split(separator: "\n", omittingEmptySubsequences: false)
  #expect(lines.count == 2 && lines.last == "", "not one line: \(result.stderr)", sourceLocation: location)
  let line = String(lines.first ?? "")
  #expect(line.wholeMatch(of: /wirehook: .+ failed: .+/) != nil, "\(line)", sourceLocation: location)
  for part in parts { #expect(line.contains(part), "\"\(part)\" is not in: \(line)", sourceLocation: location) }
}

/// Expects that the host looks as it did, once the kernel is done; says what differs.
func expectUnchanged(
  _ host: Sandbox, since before: Snapshot, at location: SourceLocation = #_sourceLocation
) throws {
  let differences = try host.differences(from: before)
  #expect(differences == [], sourceLocation: location)
}

/// Expects that the attach is refused with one line that names `parts`, and that the host is as it was.
func expectRefused(
  _ host: Sandbox, _ container: Container, _ annotations: [String: String], naming parts: String...,
  at location: SourceLocation = #_sourceLocation
) throws {
  let before = try host.snapshot()
  let links = try container.links()
  expectOneErrorLine(try host.tryAttach(container, annotations), naming: parts, at: location)
  try expectUnchanged(host, since: before, at: location)
  let inside = try container.links()
  #expect(inside == links, "links inside", sourceLocation: location)
}

/// Expects that the hook is content and does nothing: no link in the container, nothing new on the host.
func expectLeftAlone(
  _ host: Sandbox, _ container: Container, _ annotations: [String: String] = [:],
  at location: SourceLocation = #_sourceLocation
) throws {
  let before = try host.snapshot()
  let links = try container.links()
  let result = try host.tryAttach(container, annotations)
  #expect(result.exitCode == 0, "\(result)", sourceLocation: location)
  #expect(result.stderr == "", sourceLocation: location)
  try expectUnchanged(host, since: before, at: location)
  let inside = try container.links()
  #expect(inside == links, "links inside", sourceLocation: location)
}

extension Sandbox {
  /// Makes what the first attach makes and leaves for the next ones, so that later snapshots compare.
  func warmUp(_ annotations: [String: String] = [:]) throws {
    try stop(try started("warm-up", annotations))
  }

  /// The host port that was chosen or given for a container's port.
  func hostPort(of id: String, _ containerPort: Int) throws -> UInt16? {
    let entry = try list().first { $0["id"].string == id }
    let port = entry?["ports"].array.first { $0["containerPort"].int == containerPort }
    return port?["hostPort"].int.flatMap { UInt16(exactly: $0) }
  }
}

/// All suites here need to be root; none touches the machine's own network.
let needsRoot = ConditionTrait.enabled(if: Tool.root.isThere, "needs root")
