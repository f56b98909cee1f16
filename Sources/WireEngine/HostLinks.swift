internal import Glibc
import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// The host's ends: the pairs, and their settings as ports of a bridge, in one batch.
struct HostLinks {
  let what: String
  let links: [InterfaceName: UInt32]
  let failAt: Int?

  func make(
    _ steps: [NumberedStep], on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(WireError) {
    // A second time only after a leftover of ours was taken away.
    for attempt in 0...1 {
      do throws(NetlinkError) {
        try send(steps, on: host, in: side)
      } catch {
        guard case .refused(let refusal) = error, refusal.errno == EEXIST, attempt == 0,
          try removeLeftovers(steps, on: host)
        else { throw explain(error, steps, on: host) }
        continue
      }
      return try setVLANs(steps, on: host)
    }
  }

  private func send(
    _ steps: [NumberedStep], on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(NetlinkError) {
    var batch = Batch()
    for numbered in steps {
      let (index, step) = (numbered.index, numbered.step)
      if index == failAt { batch.deleteLink(.index(UInt32(Int32.max))) }
      switch step {
      case .veth(let pair):
        var host = LinkSettings(
          mac: LinkNames.hostMAC(pair.host), mtu: pair.mtu, master: pair.bridge.flatMap { links[$0] }, isUp: true,
          alias: pair.alias)
        host.port = portFlags(of: pair.host, in: steps)
        if pair.isSilent {
          // Without an address it speaks no IPv6 either. Not by disable_ipv6: where others hold the kernel's RTNL lock a
          // write to it does not wait but spins, for seconds in a crowd.
          host.usesARP = false
          host.makesLinkLocal = false
        }
        batch.createVeth(
          pair.host, host, peer: pair.peer, LinkSettings(mac: pair.peerMAC, mtu: pair.mtu), in: side.namespace)
      default: break
      }
    }
    try host.route.send(batch, until: host.deadline)
  }

  private func setVLANs(_ steps: [NumberedStep], on host: borrowing Host) throws(WireError) {
    for numbered in steps {
      guard case .portVLAN(let link, let vlan) = numbered.step, let index = host.route.index(of: link) else { continue }
      var batch = Batch()
      batch.setPortVLAN(index, vlan)
      do throws(NetlinkError) {
        try host.route.send(batch, until: host.deadline)
      } catch {
        let hint =
          error.errno == EOPNOTSUPP
          ? "this kernel's bridges lack VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING): leave out wirehook.vlan" : nil
        throw WireError("\(what): putting it into VLAN \(vlan)", error.description, hint: hint ?? Hints.hint(error))
      }
    }
  }

  /// They go into the request that sets the alias: one less, and each makes the kernel tell everybody.
  private func portFlags(of link: InterfaceName, in steps: [NumberedStep]) -> BridgePortSettings? {
    for numbered in steps {
      guard case .portFlags(link, let hairpin, let isolated) = numbered.step else { continue }
      return BridgePortSettings(hairpin: hairpin ? true : nil, isIsolated: isolated ? true : nil)
    }
    return nil
  }

  /// Takes away host ends that an earlier attach of this very container left and that no record knows of any more. False
  /// where a name is somebody else's.
  private func removeLeftovers(_ steps: [NumberedStep], on host: borrowing Host) throws(WireError) -> Bool {
    var names: [InterfaceName] = []
    for numbered in steps {
      guard case .veth(let pair) = numbered.step else { continue }
      let found: Link?
      do throws(NetlinkError) { found = try host.route.link(.name(pair.host), until: host.deadline) } catch {
        throw Hints.explain(error, while: what)
      }
      // The same name from another id: a hash that somebody has looked for.
      guard let alias = found?.alias,
        LinkNames.owner(alias: alias)?.container == LinkNames.owner(alias: pair.alias)?.container
      else { continue }
      names.append(pair.host)
    }
    return try Undo.removeOwn(names, on: host) > 0
  }

  private func explain(
    _ error: NetlinkError, _ steps: [NumberedStep], on host: borrowing Host
  ) -> WireError {
    for numbered in steps where error.errno == EEXIST {
      guard case .veth(let pair) = numbered.step else { continue }
      if host.route.index(of: pair.host) != nil { continue }
      return WireError(
        what, "a link named \(pair.peer) is in its network namespace already",
        hint: "give ours another name with wirehook.network=NETWORK:IFNAME")
    }
    return Hints.explain(error, while: what)
  }
}
