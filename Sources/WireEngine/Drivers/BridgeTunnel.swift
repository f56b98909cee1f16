internal import Glibc
import WireConfig
import WireCore
import WireNetlink
import WirePlan

/// The kernel's VXLAN device as a port of a Linux bridge: one for all the other hosts, which its forwarding table lists.
enum BridgeTunnel {
  /// Makes the device that the network wants, and takes away the one that it wanted before. Its list of remotes is made
  /// to be the network's.
  static func install(
    _ setup: NetworkSetup, insteadOf earlier: NetworkSetup?, on host: borrowing Host
  ) throws(WireError) {
    do throws(NetlinkError) {
      if let old = earlier.flatMap(device), old != device(setup) { try remove(old, on: host) }
      guard let vxlan = setup.vxlan, let name = device(setup) else { return }
      let wanted = try settings(vxlan, on: host)
      if let present = try host.route.link(.name(name), until: host.deadline), present.vxlan != wanted {
        try remove(name, on: host)
      }
      if host.route.index(of: name) == nil { try make(name, wanted, setup, on: host) }
      try reconcile(name, vxlan, on: host)
    } catch {
      let number = setup.vxlan.map { " (VNI \($0.identifier))" } ?? ""
      throw Hints.explain(error, while: "setting up the tunnel of network \(setup.network)\(number)")
    }
  }

  /// The device's name; nil for a network without tunnels. It follows from the bridge and the VNI.
  private static func device(_ setup: NetworkSetup) -> InterfaceName? {
    guard case .number(let number)? = setup.vxlan?.identifier else { return nil }
    return LinkNames.tunnel(bridge: setup.bridge, key: "\(number)", remote: nil)
  }

  private static func settings(_ vxlan: VXLAN, on host: borrowing Host) throws(NetlinkError) -> VXLANSettings {
    var number: UInt32 = 0
    if case .number(let given) = vxlan.identifier { number = given }
    var settings = VXLANSettings(id: number, port: vxlan.port)
    settings.local = vxlan.local
    if let group = vxlan.remotes.first(where: { $0.isMulticast }) {
      settings.group = group
      settings.link = try vxlan.local.flatMap { (local) throws(NetlinkError) in try link(with: local, on: host) }
    }
    // With one other host every frame goes there: nothing is to be learnt.
    settings.isLearning = vxlan.remotes.count != 1 || settings.group != nil
    return settings
  }

  /// The link that a multicast group is heard on: the one that has the local address.
  private static func link(with address: IPAddress, on host: borrowing Host) throws(NetlinkError) -> UInt32? {
    for link in try host.route.links(until: host.deadline) {
      let addresses = try host.route.addresses(of: link.index, until: host.deadline)
      if addresses.contains(where: { $0.prefix.address == address }) { return link.index }
    }
    return nil
  }

  private static func make(
    _ name: InterfaceName, _ vxlan: VXLANSettings, _ setup: NetworkSetup, on host: borrowing Host
  ) throws(NetlinkError) {
    var settings = LinkSettings(
      mtu: NetworkMTU.of(setup, on: host), master: host.route.index(of: setup.bridge), isUp: true,
      alias: LinkNames.alias(tunnelOf: setup.network))
    settings.makesLinkLocal = false
    var batch = Batch()
    batch.createVXLAN(name, settings, vxlan, family: setup.vxlan?.remotes.first?.family ?? .ipv4)
    try host.route.send(batch, until: host.deadline)
  }

  /// Where frames go whose destination nobody knows yet: each remote once.
  private static func reconcile(
    _ name: InterfaceName, _ vxlan: VXLAN, on host: borrowing Host
  ) throws(NetlinkError) {
    guard let index = host.route.index(of: name) else { return }
    let wanted = vxlan.remotes.filter { !$0.isMulticast }
    let present = try host.route.floodDestinations(of: index, until: host.deadline)
    var batch = Batch()
    for stale in present where !wanted.contains(stale) && !stale.isMulticast { batch.deleteFlood(index, to: stale) }
    for missing in wanted where !present.contains(missing) { batch.appendFlood(index, to: missing) }
    for refusal in try host.route.attempt(batch, until: host.deadline)
    where refusal.errno != EEXIST && refusal.errno != ENOENT {
      throw .refused(refusal)
    }
  }

  /// Removes a device that says by its alias that it is ours.
  private static func remove(_ name: InterfaceName, on host: borrowing Host) throws(NetlinkError) {
    guard let link = try host.route.link(.name(name), until: host.deadline),
      let alias = link.alias, alias.hasPrefix(LinkNames.aliasPrefix)
    else { return }
    try host.route.remove([name], holding: nil, until: host.deadline)
  }

  /// Removes the device of a network that goes.
  static func remove(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) {
    guard let name = device(setup) else { return }
    do throws(NetlinkError) {
      try remove(name, on: host)
    } catch {
      throw Hints.explain(error, while: "removing the tunnel of network \(setup.network)")
    }
  }

  static func differences(of setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> [String] {
    guard let vxlan = setup.vxlan, let name = device(setup) else { return [] }
    do throws(NetlinkError) {
      guard let link = try host.route.link(.name(name), until: host.deadline) else {
        return ["tunnel \(name) of bridge \(setup.bridge) is gone"]
      }
      var texts: [String] = []
      if try link.vxlan != settings(vxlan, on: host) { texts.append("tunnel \(name) has other settings") }
      if link.master == nil || link.master != host.route.index(of: setup.bridge) {
        texts.append("tunnel \(name) is no port of bridge \(setup.bridge)")
      }
      if !link.isUp { texts.append("tunnel \(name) is down") }
      let present = try host.route.floodDestinations(of: link.index, until: host.deadline)
      for remote in vxlan.remotes where !remote.isMulticast && !present.contains(remote) {
        texts.append("tunnel \(name) does not lead to \(remote)")
      }
      return texts
    } catch {
      throw Hints.explain(error, while: "looking at the tunnel of network \(setup.network)")
    }
  }

  /// The ways of a VXLAN device to other hosts; nil for other links.
  static func describe(_ link: Link, on host: borrowing Host) throws(NetlinkError) -> [NetworkReport.Tunnel]? {
    guard let vxlan = link.vxlan else { return nil }
    var remotes = try host.route.floodDestinations(of: link.index, until: host.deadline)
    if let group = vxlan.group, !remotes.contains(group) { remotes.append(group) }
    let isForeign = link.alias.map { !$0.hasPrefix(LinkNames.aliasPrefix) } ?? true
    return remotes.map { remote in
      NetworkReport.Tunnel(
        name: link.name, remote: "\(remote)", key: "\(vxlan.id)", state: link.isRunning ? "up" : "down",
        isForeign: isForeign)
    }
  }
}
