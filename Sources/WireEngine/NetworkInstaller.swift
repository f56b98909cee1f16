internal import Glibc
import WireConfig
import WireCore
import WireJSON
import WireLinux
import WireNFTables
import WireNetlink
package import WirePlan
import WireState

/// Sets up what all containers of a network share, when it is missing: the bridge, its addresses, forwarding, its place
/// in the firewall. Nobody's detach takes it away.
package enum NetworkInstaller {
  /// How a network is recorded; another text means that it changed.
  package static func fingerprint(_ setup: NetworkSetup) -> String { JSONWriter.compact(setup.json) }

  /// Makes sure of every network and returns the indices of their bridges.
  ///
  /// A network stands if its record says so and the kernel's bridge is the very one that was set up: then nothing more
  /// is asked.
  static func install(
    _ setups: [NetworkSetup], _ bridges: [InterfaceName: NetworkChoice.Bridge], _ standing: Standing,
    on host: borrowing Host
  ) throws(WireError) -> [InterfaceName: UInt32] {
    var indices: [InterfaceName: UInt32] = [:]
    for setup in setups {
      let marker = standing.network(setup.network)
      if let bridge = bridges[setup.bridge], try stands(setup, bridge.index, marker) {
        indices[setup.bridge] = bridge.index
      } else {
        indices[setup.bridge] = try install(setup, on: host)
      }
    }
    return indices
  }

  private static func install(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> UInt32 {
    try host.locks.lock(.network(setup.network), until: host.deadline)
    defer { host.locks.unlock(.network(setup.network)) }
    // Another process may have done it while this one waited.
    let before = try host.read { () throws(StateError) in try host.store.marker(ofNetwork: setup.network) }
    if let index = host.route.index(of: setup.bridge), try stands(setup, index, before) { return index }
    let earlier = try before.flatMap { (marker) throws(WireError) in
      marker.bridgeIndex == 0 ? nil : try Records.network(marker)
    }
    var setup = setup
    if !setup.managed, let earlier { setup = setup.union(earlier) }
    let bridge = setup.managed ? try BridgeInstaller.install(setup, on: host) : host.route.index(of: setup.bridge)
    guard let bridge else {
      throw WireError("network \(setup.network)", "bridge \(setup.bridge) has gone", hint: "make it again")
    }
    try admit(setup, insteadOf: earlier, on: host)
    let marker = NetworkMarker(
      name: setup.network, fingerprint: fingerprint(setup), bridgeIndex: Int32(truncatingIfNeeded: bridge))
    try host.change { () throws(StateError) in try host.store.setMarker(marker) }
    if setup.managed, setup.families.contains(.ipv6), NetworkChoice.isOn("net", "bridge", "bridge-nf-call-ip6tables") {
      host.log.write(
        .warning, "published ports do not answer on [::1] while net.bridge.bridge-nf-call-ip6tables is 1")
    }
    host.log.write(.info, "network \(setup.network) stands on bridge \(setup.bridge)")
    return bridge
  }

  private static func stands(
    _ setup: NetworkSetup, _ index: UInt32, _ marker: NetworkMarker?
  ) throws(WireError) -> Bool {
    guard let marker, marker.bridgeIndex == Int32(truncatingIfNeeded: index) else { return false }
    if marker.fingerprint == fingerprint(setup) { return true }
    guard !setup.managed else { return false }
    // A bridge of somebody else's: it is enough that what this interface needs is among what stands.
    let standing = try Records.network(marker)
    return standing.union(setup) == standing
  }

  /// The network's elements in the firewall; those of an earlier form of it go.
  private static func admit(
    _ setup: NetworkSetup, insteadOf earlier: NetworkSetup?, on host: borrowing Host
  ) throws(WireError) {
    let firewall = try Firewall()
    let wanted = Elements.of(setup)
    if let earlier {
      try firewall.remove(Elements.of(earlier).filter { !wanted.contains($0) }, on: host)
    }
    try firewall.add(wanted, on: host)
    try firewall.admitBesideDocker(setup.bridge, until: host.deadline)
  }
}
