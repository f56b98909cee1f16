internal import Glibc
package import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// Takes a network away: its file, and all that stands of it on this host.
package enum NetworkRemoval {
  package struct Removed: Sendable {
    /// What was taken away, a line each.
    package fileprivate(set) var removed: [String] = []
    /// What stays though the network had it, and why.
    package fileprivate(set) var kept: [String] = []
  }

  /// Removes the network. Refused while containers are on it, and where its bridge, which wirehook made, has ports of
  /// somebody else's. The file goes first, so that no container comes to it meanwhile; a second run finishes what a first
  /// one was killed at.
  package static func remove(_ name: String, on host: borrowing Host) throws(WireError) -> Removed {
    try host.locks.lock(.network(name), until: host.deadline)
    defer { host.locks.unlock(.network(name)) }
    var report = try NetworkReport.find(name, on: host)
    try refuseWhileUsed(report, on: host)
    let setup = report.setup
    var result = Removed()
    let others = try self.others(setup, on: host)
    let marker = try host.read { () throws(StateError) in try host.store.marker(ofNetwork: name) }
    // Of a network that was never set up nobody need be asked: Open vSwitch may not even run.
    let wasSetUp = marker.map { $0.bridgeIndex != 0 } ?? false
    let isThere = setup.managed && (wasSetUp || host.route.index(of: setup.bridge) != nil)
    if isThere { try setup.driver.driver.describe(&report, on: host) }
    let isOwn = isThere ? try setup.driver.driver.madeBridge(of: setup, on: host) : false
    let goes = isOwn && !others.contains { $0.bridge == setup.bridge }
    if goes { try refuseForeignPorts(report) }

    let file = "\(host.configuration.networksDirectory)/\(name).json"
    if unlink(file) == 0 {
      result.removed.append(file)
    } else if errno != ENOENT {
      throw Hints.explain(SystemError("unlink", errno, path: file), while: "removing network \(name)")
    }
    if isThere, wasSetUp || isOwn {
      if !goes { try GatewayLink.release(setup, besides: others, isOwn: isOwn, on: host) }
      try setup.driver.driver.remove(setup, bridge: goes, on: host)
      if goes { result.removed.append("bridge \(setup.bridge)") }
      for tunnel in report.tunnels where !tunnel.isForeign {
        result.removed.append("tunnel \(tunnel.name) to \(tunnel.remote)")
      }
    }
    try NetworkInstaller.forget(setup, on: host)
    if wasSetUp { result.removed.append("its place in the firewall") }
    if !goes, host.route.index(of: setup.bridge) != nil {
      let others = Set(others.filter { $0.bridge == setup.bridge }.map { $0.network }).sorted()
      let why = others.isEmpty ? "wirehook did not make it" : "of network \(others.joined(separator: ", ")) too"
      result.kept.append("bridge \(setup.bridge): \(why)")
    }
    host.log.write(.info, "removed network \(name)")
    return result
  }

  /// The containers on it that live; what the others left is taken back.
  private static func refuseWhileUsed(_ report: NetworkReport, on host: borrowing Host) throws(WireError) {
    var users: [String] = []
    for id in Set(report.containers.map { $0.container.id }) {
      if try Collector.releaseIfGone(id, on: host) { continue }
      users.append(report.containers.first { $0.container.id == id }?.container.owner ?? id)
    }
    guard !users.isEmpty else { return }
    let names = users.sorted().map { $0.quoted }
    let list =
      names.count > 8
      ? names.prefix(8).joined(separator: ", ") + " and \(names.count - 8) more"
      : names.joined(separator: ", ")
    throw WireError(
      "network \(report.name.quoted)",
      "\(users.count == 1 ? "container" : "containers") \(list) \(users.count == 1 ? "is" : "are") on it",
      hint: "stop them first, or take them off it: wirehook detach")
  }

  private static func refuseForeignPorts(_ report: NetworkReport) throws(WireError) {
    let foreign =
      report.ports.filter { $0.owner == NetworkReport.somebodyElse }.map { $0.name }
      + report.tunnels.filter { $0.isForeign }.map { $0.name }
    guard !foreign.isEmpty else { return }
    let names = Set(foreign).sorted().joined(separator: ", ")
    throw WireError(
      "network \(report.name.quoted)", "its bridge \(report.setup.bridge) has ports of somebody else's: \(names)",
      hint: "take them off it first")
  }

  /// The other networks that are configured or stand.
  private static func others(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> [NetworkSetup] {
    try NetworkReport.all(on: host).map { $0.setup }.filter { $0.network != setup.network }
      .filter { $0.bridge == setup.bridge && $0.database == setup.database }
  }
}
