import WireConfig
import WireCore
import WireNetlink
import WireOVSDB
import WirePlan

/// How large a packet a network can carry to where it leads.
enum NetworkMTU {
  /// The MTU for a bridge that is made: the network's own, else what the way out leaves. Nil where it cannot be found
  /// out: the kernel's usual one will do.
  static func of(_ setup: NetworkSetup, on host: borrowing Host) -> UInt32? {
    if let mtu = setup.mtu { return mtu }
    do throws(WireError) {
      if let vxlan = setup.vxlan { return try tunnel(vxlan, on: host) }
      return try uplink(on: host)
    } catch {
      return nil
    }
  }

  /// The MTU of the link by which the host reaches the Internet; 1500 where there is none.
  static func uplink(on host: borrowing Host) throws(WireError) -> UInt32 {
    do throws(NetlinkError) {
      for family in Family.allCases {
        guard let index = try host.route.uplink(family, until: host.deadline),
          let link = try host.route.link(.index(index), until: host.deadline)
        else { continue }
        // The kernel's largest for a bridge; a loopback or tunnel device may say more.
        return min(link.mtu, 65_535)
      }
    } catch {
      throw Hints.explain(error, while: "looking for the default route")
    }
    return 1500
  }

  /// What the ways to the other hosts leave inside a tunnel.
  static func tunnel(_ vxlan: VXLAN, on host: borrowing Host) throws(WireError) -> UInt32 {
    try inside(outer(to: vxlan.remotes, on: host), vxlan.overhead)
  }

  /// What the narrowest of them leaves; nil: there is none.
  static func least(of tunnels: [TunnelInterface], on host: borrowing Host) throws(WireError) -> UInt32? {
    var least: UInt32?
    for tunnel in tunnels {
      let left = try inside(outer(to: tunnel.remote.map { [$0] } ?? [], on: host), tunnel.overhead)
      least = min(least ?? left, left)
    }
    return least
  }

  /// 1280 bytes is what IPv6 must be able to carry (RFC 8200 5); a smaller way is for the sender to find out.
  private static func inside(_ outer: UInt32, _ overhead: UInt32) -> UInt32 {
    max(outer, 1280 + overhead) - overhead
  }

  /// The least MTU of the links on the ways to other hosts; without any, that of the default route's link.
  private static func outer(to remotes: [IPAddress], on host: borrowing Host) throws(WireError) -> UInt32 {
    var least: UInt32?
    do throws(NetlinkError) {
      for remote in remotes {
        guard let index = try host.route.uplink(to: remote, until: host.deadline),
          let link = try host.route.link(.index(index), until: host.deadline)
        else { continue }
        least = min(least ?? 65_535, link.mtu)
      }
    } catch {
      throw Hints.explain(error, while: "looking for the way to the tunnels' other ends")
    }
    if let least { return least }
    return try uplink(on: host)
  }
}
