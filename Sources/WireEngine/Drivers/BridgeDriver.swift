internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// Linux bridges, by rtnetlink.
struct BridgeDriver: Driver {
  func look(at network: Network, _ standing: Standing, on host: borrowing Host) throws(WireError) -> BridgeFacts {
    // One that was set up and is still the same was looked at then: two calls that take no lock tell the rest.
    if let index = host.route.index(of: network.bridge), let mtu = host.route.mtu(of: network.bridge),
      standing.network(network.name)?.bridgeIndex == Int32(truncatingIfNeeded: index)
    {
      return BridgeFacts(index: index, mtu: mtu)
    }
    let link: Link?
    do throws(NetlinkError) {
      link = try host.route.link(.name(network.bridge), until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "looking at bridge \(network.bridge)")
    }
    guard let link else {
      guard network.managed else {
        throw WireError(
          "network \(network.name)", "there is no bridge \(network.bridge) on this host",
          hint: "make it: ip link add \(network.bridge) up type bridge")
      }
      return BridgeFacts()
    }
    guard link.kind == "bridge" else {
      throw WireError(
        "network \(network.name)", "link \(network.bridge) is not a bridge",
        hint: "name a bridge, or give the network another \"bridge\"")
    }
    return BridgeFacts(index: link.index, mtu: link.mtu)
  }

  func install(_ setup: NetworkSetup, insteadOf earlier: NetworkSetup?, on host: borrowing Host) throws(WireError) {
    if host.route.index(of: setup.bridge) == nil {
      do throws(NetlinkError) { try make(setup, mtu: NetworkMTU.of(setup, on: host), on: host) } catch {
        throw Hints.explain(error, while: "setting up network \(setup.network)")
      }
    }
    try BridgeTunnel.install(setup, insteadOf: earlier, on: host)
  }

  private func make(_ setup: NetworkSetup, mtu: UInt32?, on host: borrowing Host) throws(NetlinkError) {
    // Fixed at birth: else it is its lowest port's, and changes as containers come and go.
    let mac = LinkNames.bridgeMAC(setup.bridge, machineID: MachineID.read())
    let settings = LinkSettings(mac: mac, mtu: mtu, isUp: false, alias: LinkNames.alias(network: setup.network))
    var batch = Batch()
    batch.createBridge(setup.bridge, settings, filtersVLANs: setup.vlanFiltering)
    try host.route.send(batch, until: host.deadline)
    GatewayLink.quieten(setup.bridge)
  }

  func differences(of setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> [String] {
    try BridgeTunnel.differences(of: setup, on: host)
  }

  func differences(
    of interface: AttachedInterface, _ hostEnd: Link, on host: borrowing Host
  ) throws(WireError) -> [String] {
    guard let master = hostEnd.master, master == host.route.index(of: interface.bridge) else {
      return ["host end \(hostEnd.name) of \(interface.name) is no port of bridge \(interface.bridge)"]
    }
    var texts: [String] = []
    if interface.hairpin, hostEnd.port?.hairpin != true {
      texts.append("host end \(hostEnd.name) of \(interface.name) is not in hairpin mode")
    }
    if interface.isolated, hostEnd.port?.isIsolated != true {
      texts.append("host end \(hostEnd.name) of \(interface.name) is not isolated")
    }
    return texts
  }

  func replug(_ attachment: Attachment, on host: borrowing Host) throws(WireError) {
    var batch = Batch()
    for interface in attachment.interfaces where interface.switchPort == nil {
      guard let bridge = host.route.index(of: interface.bridge) else {
        throw WireError(
          "repairing container \(attachment.container.owner.quoted)", "there is no bridge \(interface.bridge)",
          hint: "make it again")
      }
      batch.setLink(.name(interface.hostLink), LinkSettings(master: bridge, isUp: true))
      guard interface.hairpin || interface.isolated else { continue }
      // Flags are a port's: they went with the old one.
      var flags = LinkSettings()
      flags.port = BridgePortSettings(
        hairpin: interface.hairpin ? true : nil, isIsolated: interface.isolated ? true : nil)
      batch.setLink(.name(interface.hostLink), flags)
    }
    guard !batch.isEmpty else { return }
    do throws(NetlinkError) {
      try host.route.send(batch, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "putting host ends back on their bridges")
    }
  }

  func madeBridge(of setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> Bool {
    do throws(NetlinkError) {
      let alias = try host.route.link(.name(setup.bridge), until: host.deadline)?.alias
      return alias.flatMap { LinkNames.network(alias: $0) } != nil
    } catch {
      throw Hints.explain(error, while: "looking at bridge \(setup.bridge)")
    }
  }

  func remove(_ setup: NetworkSetup, bridge: Bool, on host: borrowing Host) throws(WireError) {
    try BridgeTunnel.remove(setup, on: host)
    guard bridge else { return }
    do throws(NetlinkError) {
      try host.route.remove([setup.bridge], holding: nil, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "removing bridge \(setup.bridge)")
    }
  }

  func describe(_ report: inout NetworkReport, on host: borrowing Host) throws(WireError) {
    guard let bridge = host.route.index(of: report.setup.bridge) else { return }
    do throws(NetlinkError) {
      for link in try host.route.links(master: bridge, until: host.deadline) {
        if let tunnels = try BridgeTunnel.describe(link, on: host) {
          report.tunnels += tunnels
          continue
        }
        let owner = link.alias.flatMap { LinkNames.owner(alias: $0) }
        let found = owner.flatMap { owner in report.containers.first { $0.container.id == owner.container } }
        report.ports.append(
          NetworkReport.Port(
            name: link.name,
            owner: owner.map { "\($0.interface) of \(found?.container.owner ?? $0.container)" }
              ?? NetworkReport.somebodyElse,
            vlan: found?.interface.vlan, state: link.isRunning ? "up" : "down"))
      }
    } catch {
      throw Hints.explain(error, while: "looking at bridge \(report.setup.bridge)")
    }
  }
}
