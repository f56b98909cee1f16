import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WireOVSDB
import WirePlan
import WireState

/// Open vSwitch bridges, by OVSDB.
struct OVSDriver: Driver {
  func look(at network: Network, _ standing: Standing, on host: borrowing Host) throws(WireError) -> BridgeFacts {
    let database = network.ovs.database ?? host.main.ovsDatabase
    var port = SwitchPort(database: database, isUserspace: true, limits: network.ovs.limits == .ovs)
    if let (index, isUserspace) = try standingLink(network, standing, on: host) {
      port.isUserspace = isUserspace
      return BridgeFacts(index: index, mtu: nil, switchPort: port)
    }
    let what = "looking at bridge \(network.bridge)"
    let look: OpenVSwitch.Look
    do throws(OVSDBError) {
      look = try host.switches.at(database, until: host.deadline).look(at: network.bridge, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: what)
    }
    guard let bridge = look.bridge else {
      guard network.managed else {
        throw WireError(
          "network \(network.name)", "there is no bridge \(network.bridge) in \(database)",
          hint: "make it: ovs-vsctl add-br \(network.bridge)")
      }
      port.isUserspace = look.datapathType == OpenVSwitch.userspace
      return BridgeFacts(index: nil, mtu: nil, switchPort: port)
    }
    port.isUserspace = bridge.datapathType == OpenVSwitch.userspace
    let index = host.route.index(of: network.link)
    guard index != nil || network.managed else {
      throw WireError(
        "network \(network.name)", "bridge \(network.bridge) is in \(database), and has no link on this host",
        hint: "is ovs-vswitchd running? see: ovs-vsctl show")
    }
    return BridgeFacts(index: index, mtu: nil, switchPort: port)
  }

  /// The host's link on a network that was set up and is still the same, with what it says of the datapath: a bridge in
  /// userspace shows itself by a tap device. The database need not be asked.
  private func standingLink(
    _ network: Network, _ standing: Standing, on host: borrowing Host
  ) throws(WireError) -> (index: UInt32, isUserspace: Bool)? {
    guard let marker = standing.network(network.name), marker.bridgeIndex > 0 else { return nil }
    do throws(NetlinkError) {
      guard let link = try host.route.link(.name(network.link), until: host.deadline),
        marker.bridgeIndex == Int32(truncatingIfNeeded: link.index)
      else { return nil }
      switch link.kind {
      case "tun": return (link.index, true)
      case "openvswitch": return (link.index, false)
      default: return nil
      }
    } catch {
      throw Hints.explain(error, while: "looking at bridge \(network.bridge)")
    }
  }

  func install(_ setup: NetworkSetup, insteadOf earlier: NetworkSetup?, on host: borrowing Host) throws(WireError) {
    let deadline = host.deadline.leavingTimeToUndo
    host.switches.forgetPorts()
    do throws(OVSDBError) {
      let ovs = try host.switches.at(setup.databaseAddress(on: host), until: deadline)
      try makeBridge(setup, ovs, on: host, until: deadline)
      try makeVLANLink(setup, ovs, on: host, until: deadline)
    } catch {
      throw Hints.explain(error, while: "setting up network \(setup.network)")
    }
    try OVSTunnels.install(setup, on: host)
  }

  private func makeBridge(
    _ setup: NetworkSetup, _ ovs: OpenVSwitch, on host: borrowing Host, until deadline: Deadline
  ) throws(OVSDBError) {
    let look = try ovs.look(at: setup.bridge, until: deadline)
    guard look.bridge == nil else { return }
    let bridge = BridgeSpec(
      name: setup.bridge, datapathType: look.datapathType, network: setup.network,
      mac: LinkNames.bridgeMAC(setup.bridge, machineID: MachineID.read()), mtu: NetworkMTU.of(setup, on: host))
    try ovs.settle(ovs.createBridge(bridge, until: deadline), until: deadline)
    GatewayLink.quieten(setup.bridge)
  }

  /// The host's own port in the network's VLAN.
  private func makeVLANLink(
    _ setup: NetworkSetup, _ ovs: OpenVSwitch, on host: borrowing Host, until deadline: Deadline
  ) throws(OVSDBError) {
    guard let vlan = setup.vlan, host.route.index(of: setup.link) == nil else { return }
    var port = PortSpec(name: setup.link, type: .internal)
    port.vlan = .access(vlan)
    port.externalIDs = [OVSMark.network: setup.network]
    port.mtuRequest = NetworkMTU.of(setup, on: host)
    try ovs.settle(ovs.addPorts([port], to: setup.bridge, until: deadline), until: deadline)
    GatewayLink.quieten(setup.link)
  }

  func differences(of setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> [String] {
    let database = setup.databaseAddress(on: host)
    do throws(OVSDBError) {
      let look = try host.switches.at(database, until: host.deadline).look(at: setup.bridge, until: host.deadline)
      guard look.bridge != nil else { return ["bridge \(setup.bridge) is not in \(database)"] }
      let ports = try host.switches.ports(database, until: host.deadline)
      var texts: [String] = []
      if let vlan = setup.vlan, ports.first(where: { $0.name == setup.link })?.vlan != .access(vlan) {
        texts.append("port \(setup.link) of bridge \(setup.bridge) is not in VLAN \(vlan)")
      }
      return texts + OVSTunnels.differences(of: setup, ports)
    } catch {
      return ["Open vSwitch cannot be asked: \(error)"]
    }
  }

  func differences(
    of interface: AttachedInterface, _ hostEnd: Link, on host: borrowing Host
  ) throws(WireError) -> [String] {
    guard let switchPort = interface.switchPort else { return [] }
    let subject = "host end \(hostEnd.name) of \(interface.name)"
    var texts: [String] = []
    if hostEnd.usesARP { texts.append("\(subject) speaks ARP") }
    do throws(OVSDBError) {
      let ports = try host.switches.ports(switchPort.database, until: host.deadline)
      guard let port = ports.first(where: { $0.name == interface.hostLink }), port.bridge == interface.bridge else {
        return texts + ["\(subject) is no port of bridge \(interface.bridge)"]
      }
      if port.vlan != interface.vlan {
        let vlan = interface.vlan.map { "in VLAN \($0)" } ?? "without a VLAN"
        texts.append("\(subject) is not \(vlan)")
      }
      if port.isProtected != interface.isolated { texts.append("\(subject) has another isolation") }
      if let error = port.error { texts.append("\(subject): Open vSwitch says: \(error)") }
    } catch {
      texts.append("Open vSwitch cannot be asked: \(error)")
    }
    return texts
  }

  func replug(_ attachment: Attachment, on host: borrowing Host) throws(WireError) {
    let interfaces = attachment.interfaces.filter { $0.switchPort != nil }
    var batch = Batch()
    for interface in interfaces {
      var settings = LinkSettings(isUp: true)
      settings.arp = false
      batch.setLink(.name(interface.hostLink), settings)
    }
    do throws(NetlinkError) {
      try host.route.send(batch, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "silencing host ends")
    }
    let what = "repairing container \(attachment.container.owner.quoted)"
    host.switches.forgetPorts()
    try SwitchPorts.remove(attachment, on: host)
    let steps = Step.all(of: attachment).enumerated().map { NumberedStep(index: $0, step: $1) }
    try SwitchPorts(steps.filter { $0.step.place == .switch }, what, failAt: nil, on: host).settle(on: host)
  }
}

extension NetworkSetup {
  /// A record has it; a network that was never set up has the main file's.
  func databaseAddress(on host: borrowing Host) -> DatabaseAddress { database ?? host.main.ovsDatabase }
}
