import WireConfig
import WireCore
import WireNetlink
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
    var least: UInt32?
    do throws(NetlinkError) {
      for remote in vxlan.remotes {
        guard let index = try host.route.uplink(to: remote, until: host.deadline),
          let link = try host.route.link(.index(index), until: host.deadline)
        else { continue }
        least = min(least ?? 65_535, link.mtu)
      }
    } catch {
      throw Hints.explain(error, while: "looking for the way to the tunnels' other ends")
    }
    var outer = least ?? 0
    if least == nil { outer = try uplink(on: host) }
    // 1280 bytes is what IPv6 must be able to carry (RFC 8200 5); a smaller way is for the sender to find out.
    return max(outer, 1280 + vxlan.overhead) - vxlan.overhead
  }
}
