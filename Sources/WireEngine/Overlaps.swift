import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// Two networks that claim the same addresses: the firewall's sets hold each subnet once, and no route could tell the
/// two apart.
enum Overlaps {
  /// Refuses a network whose subnets overlap those of another one that stands. One whose bridge is gone stands no more:
  /// its place in the firewall is cleared.
  static func check(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) {
    let markers = try host.read { () throws(StateError) in try host.store.markers() }
    for marker in markers where marker.name != setup.network && marker.bridgeIndex != 0 {
      let other = try Records.network(marker)
      guard let (mine, theirs) = overlap(setup, other) else { continue }
      guard host.route.index(of: other.link) != nil else {
        try NetworkInstaller.forget(other, on: host)
        continue
      }
      throw WireError(
        "setting up network \(setup.network)", "its subnet \(mine) overlaps \(theirs) of network \(other.network)",
        hint: "give one of them another subnet; wirehook config check compares all of them")
    }
  }

  /// Bridges of others may well have the same subnet, each on its own LAN; only a part of one is no set's element.
  static func overlap(_ one: NetworkSetup, _ other: NetworkSetup) -> (Prefix, Prefix)? {
    for mine in one.subnets {
      for theirs in other.subnets where mine.overlaps(theirs) {
        if mine != theirs || (one.managed && other.managed) { return (mine, theirs) }
      }
    }
    return nil
  }
}
