package import WireConfig
package import WireCore
import WireJSON
import WireNetlink
import WirePlan
import WireState

/// Writes a new network's file. Nothing of the host changes: the first container that asks for the network sets it up.
package enum NetworkCreation {
  package struct Created: Sendable {
    package let network: Network
    /// The file that was written, or would be.
    package let path: String
    /// What is in it.
    package let text: String
  }

  /// Writes `networks.d/NAME.json`, or with `dryRun` only says what it would be. What the file's parser or `config check`
  /// would refuse is refused, and so is a network that overlaps one that stands.
  package static func create(
    _ draft: NetworkDraft, dryRun: Bool, on host: borrowing Host
  ) throws(WireError) -> Created {
    // Two at once must not choose the same subnet.
    try host.locks.lock(folder, until: host.deadline)
    defer { host.locks.unlock(folder) }
    guard NetworkName.isValid(draft.name) else {
      throw WireError("network \(draft.name.quoted)", "expected a name of \(NetworkName.expectation)")
    }
    let known = try host.configuration.networkNames()
    guard !known.contains(draft.name) else {
      throw WireError(
        "network \(draft.name.quoted)", "it is there already: \(path(draft, on: host))",
        hint: "choose another name, or change that file")
    }
    var draft = draft
    if draft.subnets.isEmpty { draft.subnets = try FreeSubnets.choose(for: draft.name, on: host).map { "\($0)" } }
    let json = try draft.json()
    let network = try Network(json: json, file: draft.file)
    try compare(network, draft.file, with: known, on: host)
    let created = Created(network: network, path: path(draft, on: host), text: JSONWriter.pretty(json))
    if !dryRun {
      try FileChange.apply([FileChange(path: created.path, before: nil, after: Array(created.text.utf8))])
    }
    return created
  }

  /// No network is called so.
  private static let folder = LockName.network("networks.d/")

  private static func path(_ draft: NetworkDraft, on host: borrowing Host) -> String {
    "\(host.configuration.networksDirectory)/\(draft.name).json"
  }

  /// Refuses what `config check` would call an error of the new file, and an overlap with a network that stands.
  private static func compare(
    _ network: Network, _ file: String, with known: [String], on host: borrowing Host
  ) throws(WireError) {
    var files: [(file: String, network: Network)] = []
    for name in known {
      // A file that cannot be read says nothing against this one.
      guard let other = try? host.configuration.network(named: name) else { continue }
      files.append(("networks.d/\(name).json", other))
    }
    files.append((file, network))
    let findings = ConfigurationCheck.findings(main: host.main, networks: files)
    if let finding = findings.first(where: { $0.severity == .error && $0.error.what.hasPrefix(file) }) {
      throw finding.error
    }
    let setup = NetworkSetup(network, ipv6: true)
    for marker in try host.read({ () throws(StateError) in try host.store.markers() }) where marker.name != network.name
    {
      let other = try Records.network(marker)
      guard let (mine, theirs) = Overlaps.overlap(setup, other), host.route.index(of: other.link) != nil else {
        continue
      }
      throw WireError(
        "\(file): subnet \(mine)", "it overlaps \(theirs) of network \(other.network), which stands on \(other.link)",
        hint: "give another one with --subnet")
    }
  }
}
