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

  /// Makes sure of every network and returns the indices of the host's links on them.
  ///
  /// A network stands if its record says so and the kernel's bridge is the very one that was set up: then nothing more
  /// is asked.
  static func install(
    _ setups: [NetworkSetup], _ links: [InterfaceName: UInt32], _ standing: Standing,
    on host: borrowing Host
  ) throws(WireError) -> [InterfaceName: UInt32] {
    var indices: [InterfaceName: UInt32] = [:]
    for setup in setups {
      let marker = standing.network(setup.network)
      // One that was spelled out on the spot goes with its last container, perhaps since the records were read.
      if setup.managed, let index = links[setup.link], try stands(setup, index, marker) {
        indices[setup.link] = index
      } else {
        indices[setup.link] = try install(setup, on: host)
      }
    }
    return indices
  }

  /// Sets a network up again, whatever its record says.
  static func repair(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) {
    try host.change { () throws(StateError) in
      try host.store.setMarker(NetworkMarker(name: setup.network, fingerprint: fingerprint(setup), bridgeIndex: -1))
    }
    _ = try install(setup, on: host)
  }

  static func install(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> UInt32 {
    try host.locks.lock(.network(setup.network), until: host.deadline)
    defer { host.locks.unlock(.network(setup.network)) }
    // Another process may have done it while this one waited.
    let before = try host.read { () throws(StateError) in try host.store.marker(ofNetwork: setup.network) }
    if let index = host.route.index(of: setup.link), try stands(setup, index, before) { return index }
    let earlier = try before.flatMap { (marker) throws(WireError) in
      marker.bridgeIndex == 0 ? nil : try Records.network(marker)
    }
    var setup = setup
    if !setup.managed, let earlier { setup = setup.union(earlier) }
    try Overlaps.check(setup, on: host)
    let index = try link(setup, insteadOf: earlier, on: host)
    try admit(setup, insteadOf: earlier, on: host)
    let marker = NetworkMarker(
      name: setup.network, fingerprint: fingerprint(setup), bridgeIndex: Int32(truncatingIfNeeded: index))
    try host.change { () throws(StateError) in try host.store.setMarker(marker) }
    if setup.managed, setup.driver == .bridge, setup.families.contains(.ipv6),
      NetworkChoice.isOn("net", "bridge", "bridge-nf-call-ip6tables")
    {
      host.log.write(
        .notice, "published ports do not answer on [::1] while net.bridge.bridge-nf-call-ip6tables is 1")
    }
    try nameForeignDrops(setup, on: host)
    host.log.write(.info, "network \(setup.network) stands on bridge \(setup.bridge)")
    return index
  }

  /// Another firewall that drops what we accept is named where people look first. The network stands all the same.
  private static func nameForeignDrops(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) {
    for drop in try ForeignFirewalls.findings([setup], on: host) {
      host.log.write(.warning, "\(drop.text); \(drop.command)")
    }
  }

  /// Makes sure of the bridge, and of the host's link on it.
  private static func link(
    _ setup: NetworkSetup, insteadOf earlier: NetworkSetup?, on host: borrowing Host
  ) throws(WireError) -> UInt32 {
    guard setup.managed else {
      guard let index = host.route.index(of: setup.link) else {
        throw WireError("network \(setup.network)", "bridge \(setup.link) has gone", hint: "make it again")
      }
      return index
    }
    try Forwarding.enable(setup, on: host)
    try setup.driver.driver.install(setup, insteadOf: earlier, on: host)
    return try GatewayLink.configure(setup, on: host)
  }

  /// Makes sure of the accepts in Docker's chain for networks that stand already: Docker may have been started, or its
  /// rules flushed, since they were set up.
  static func admitBesideDocker(_ setups: [NetworkSetup], on host: borrowing Host) throws(WireError) {
    let firewall = try Firewall()
    for setup in setups { try firewall.admitBesideDocker(setup.link, until: host.deadline) }
  }

  /// Takes a network's place in the firewall away, and its record. The bridge stays, or is gone.
  static func forget(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) {
    try host.change { () throws(StateError) in _ = try host.store.removeMarker(ofNetwork: setup.network) }
    let firewall = try Firewall()
    // What another network has as well stays: the same subnet behind another bridge.
    let shared = try Records.firewall(on: host)
    try firewall.remove(FirewallPart(setup).without(shared), on: host)
    if !setup.isForPublishing, !shared.elements.contains(.segment(setup.link)) {
      try firewall.dropBesideDocker(setup.link, until: host.deadline)
    }
  }

  /// Forgets the networks of a container that has gone which were spelled out on the spot, and which nobody uses any
  /// more: no file describes them, so nobody else will.
  static func forgetUnused(after attachment: Attachment, on host: borrowing Host) throws(WireError) {
    for interface in attachment.interfaces where NetworkSetup.isOnTheSpot(interface.network) {
      try host.locks.lock(.network(interface.network), until: host.deadline)
      defer { host.locks.unlock(.network(interface.network)) }
      let found = try host.read { () throws(StateError) in try host.store.marker(ofNetwork: interface.network) }
      guard let marker = found, try !isUsed(interface.network, on: host) else { continue }
      try forget(try Records.network(marker), on: host)
    }
  }

  private static func isUsed(_ network: String, on host: borrowing Host) throws(WireError) -> Bool {
    try Records.attachments(on: host).contains { $0.interfaces.contains { $0.network == network } }
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
    let wanted = FirewallPart(setup)
    if let earlier { try firewall.remove(FirewallPart(earlier).without(wanted), on: host) }
    try firewall.add(wanted, on: host)
    // On a bridge that is Docker's own only what is published is admitted, container by container.
    if !setup.isForPublishing { try firewall.admitBesideDocker(setup.link, until: host.deadline) }
  }
}
