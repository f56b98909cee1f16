internal import Glibc
import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// The host's ends: the pairs, and their settings as ports of a bridge, in one batch.
struct HostLinks {
  let what: String
  let bridges: [InterfaceName: UInt32]
  let failAt: Int?

  func make(
    _ steps: [(index: Int, step: Step)], on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(WireError) {
    // A second time only after a leftover of ours was taken away.
    for attempt in 0...1 {
      do throws(NetlinkError) {
        return try send(steps, on: host, in: side)
      } catch {
        guard case .refused(let refusal) = error, refusal.errno == EEXIST, attempt == 0,
          try removeLeftovers(steps, on: host)
        else { throw explain(error, steps, on: host) }
      }
    }
  }

  private func send(
    _ steps: [(index: Int, step: Step)], on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(NetlinkError) {
    var batch = Batch()
    for (index, step) in steps {
      if index == failAt { batch.deleteLink(.index(UInt32(Int32.max))) }
      switch step {
      case .veth(let pair):
        batch.createVeth(
          pair.host, LinkSettings(mtu: pair.mtu, master: bridges[pair.bridge], isUp: true, alias: pair.alias),
          peer: pair.peer, LinkSettings(mac: pair.peerMAC, mtu: pair.mtu), in: side.namespace)
      case .portFlags(let link, let hairpin, let isolated):
        var settings = LinkSettings()
        settings.port = BridgePortSettings(hairpin: hairpin, isIsolated: isolated)
        batch.setLink(.name(link), settings)
      default: break
      }
    }
    try host.route.send(batch, until: host.deadline)
    var vlans = Batch()
    for case (_, .portVLAN(let link, let vlan)) in steps {
      guard let index = host.route.index(of: link) else { continue }
      vlans.setPortVLAN(index, vlan)
    }
    if !vlans.isEmpty { try host.route.send(vlans, until: host.deadline) }
  }

  /// Takes away host ends that an earlier attach of this very container left and that no record knows of any more. False
  /// where a name is somebody else's.
  private func removeLeftovers(_ steps: [(index: Int, step: Step)], on host: borrowing Host) throws(WireError) -> Bool {
    let names = steps.compactMap { item -> InterfaceName? in
      guard case .veth(let pair) = item.step else { return nil }
      return pair.host
    }
    return try Undo.removeOwn(names, on: host) > 0
  }

  private func explain(
    _ error: NetlinkError, _ steps: [(index: Int, step: Step)], on host: borrowing Host
  ) -> WireError {
    for case (_, .veth(let pair)) in steps where error.errno == EEXIST {
      if host.route.index(of: pair.host) != nil { continue }
      return WireError(
        what, "a link named \(pair.peer) is in its network namespace already",
        hint: "give ours another name with wirehook.network=NETWORK:IFNAME")
    }
    return Hints.explain(error, while: what)
  }
}
