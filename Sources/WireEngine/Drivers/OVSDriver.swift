import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WireOVSDB
import WirePlan
import WireState

/// Open vSwitch bridges, by OVSDB.
struct OVSDriver: Driver {
  /// The datapath that is ovs-vswitchd itself.
  static let userspace = "netdev"

  func look(at network: Network, _ standing: Standing, on host: borrowing Host) throws(WireError) -> BridgeFacts {
    let database = network.ovs.database ?? host.main.ovsDatabase
    var port = SwitchPort(database: database, isUserspace: true, limits: network.ovs.limits == .ovs)
    if network.antispoof, !network.antispoofIsAskedFor, database.managementSocket(of: network.bridge) == nil {
      host.log.write(
        .warning,
        "containers of network \(network.name) are not held to their own addresses (antispoof): "
          + "Open vSwitch at \(database) has no socket on this host to set flows by")
    }
    if let (index, isUserspace) = try standingLink(network, standing, on: host) {
      port.isUserspace = isUserspace
      let tunnels = try foreignTunnels(network, database, on: host)
      return BridgeFacts(index: index, mtu: nil, switchPort: port, foreignTunnels: tunnels)
    }
    let what = "looking at bridge \(network.bridge)"
    let look: OpenVSwitch.Look
    do throws(OVSDBError) {
      look = try host.switches.at(database, until: host.deadline).look(
        at: network.bridge.description, container: nil, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: what)
    }
    guard let bridge = look.bridge else {
      guard network.managed else {
        throw WireError(
          "network \(network.name)", "there is no bridge \(network.bridge) in \(database)",
          hint: "make it: ovs-vsctl add-br \(network.bridge)")
      }
      port.isUserspace = datapathType(look.switch, on: host) == Self.userspace
      return BridgeFacts(index: nil, mtu: nil, switchPort: port)
    }
    port.isUserspace = bridge.datapathType == Self.userspace
    let index = host.route.index(of: network.link)
    guard index != nil || network.managed else {
      throw WireError(
        "network \(network.name)", "bridge \(network.bridge) is in \(database), and has no link on this host",
        hint: "is ovs-vswitchd running? see: ovs-vsctl show")
    }
    let tunnels = try foreignTunnels(network, database, on: host)
    return BridgeFacts(index: index, mtu: nil, switchPort: port, foreignTunnels: tunnels)
  }

  /// Asked each time: their owner may add one whenever he likes.
  private func foreignTunnels(
    _ network: Network, _ database: DatabaseAddress, on host: borrowing Host
  ) throws(WireError) -> [TunnelInterface] {
    guard !network.managed, network.mtu == nil else { return [] }
    do throws(OVSDBError) {
      return try host.switches.at(database, until: host.deadline).tunnels(
        of: network.bridge.description, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "looking at the tunnels of bridge \(network.bridge)")
    }
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

  /// What ovs-vswitchd could not make is taken out again: it would try for ever.
  private func makeBridge(
    _ setup: NetworkSetup, _ ovs: OpenVSwitch, on host: borrowing Host, until deadline: Deadline
  ) throws(OVSDBError) {
    let name = setup.bridge.description
    let look = try ovs.look(at: name, container: nil, until: deadline)
    guard look.bridge == nil else { return }
    var bridge = BridgeSpec(
      setup.bridge, datapathType: datapathType(look.switch, on: host),
      externalIDs: StringMap([.network: setup.network]))
    bridge.mac = LinkNames.bridgeMAC(setup.bridge, machineID: MachineID.read())
    bridge.mtu = NetworkMTU.of(setup, on: host)
    let configuration: OpenVSwitch.Configuration
    do throws(OVSDBError) {
      configuration = try ovs.createBridge(bridge, until: deadline)
    } catch {
      // Somebody else was quicker: then it is used as it is.
      guard case .bridgeExists = error.kind else { throw error }
      return
    }
    do throws(OVSDBError) {
      _ = try ovs.settle(configuration, [setup.bridge], until: deadline)
    } catch {
      _ = try ovs.removeBridge(named: name, until: host.deadline)
      throw error
    }
    GatewayLink.quieten(setup.bridge)
  }

  /// The kernel's datapath where its module is there: it is the faster one, and completes checksums. ovs-vswitchd lists it
  /// among its types all the same.
  private func datapathType(_ row: SwitchRow, on host: borrowing Host) -> String {
    let system = "system"
    guard row.datapathTypes.contains(system) else { return Self.userspace }
    do {
      return try NetlinkSocket(.generic).hasFamily("ovs_datapath", until: host.deadline) ? system : Self.userspace
    } catch {
      return Self.userspace
    }
  }

  /// The host's own port in the network's VLAN.
  private func makeVLANLink(
    _ setup: NetworkSetup, _ ovs: OpenVSwitch, on host: borrowing Host, until deadline: Deadline
  ) throws(OVSDBError) {
    guard let vlan = setup.vlan, host.route.index(of: setup.link) == nil else { return }
    var port = PortSpec(setup.link, .internal)
    port.vlan = .access(vlan)
    port.externalIDs = StringMap([.network: setup.network])
    port.mtuRequest = NetworkMTU.of(setup, on: host)
    _ = try ovs.settle(
      ovs.addPorts([port], to: setup.bridge.description, until: deadline), [setup.link], until: deadline)
    GatewayLink.quieten(setup.link)
  }

  func madeBridge(of setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> Bool {
    do throws(OVSDBError) {
      let ovs = try host.switches.at(setup.databaseAddress(on: host), until: host.deadline)
      return try ovs.look(at: setup.bridge.description, container: nil, until: host.deadline).bridge?.network != nil
    } catch {
      throw Hints.explain(error, while: "looking at bridge \(setup.bridge)")
    }
  }

  func remove(_ setup: NetworkSetup, bridge: Bool, on host: borrowing Host) throws(WireError) {
    var bare = setup
    bare.vxlan = nil
    try OVSTunnels.install(bare, on: host)
    do throws(OVSDBError) {
      let ovs = try host.switches.at(setup.databaseAddress(on: host), until: host.deadline)
      if setup.link != setup.bridge {
        _ = try ovs.removePorts(
          named: [setup.link.description], .network, setup.network, until: host.deadline)
      }
      guard bridge else { return }
      _ = try ovs.removeBridge(named: setup.bridge.description, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "removing what network \(setup.network) has of bridge \(setup.bridge)")
    }
  }
}

extension NetworkSetup {
  /// A record has it; a network that was never set up has the main file's.
  func databaseAddress(on host: borrowing Host) -> DatabaseAddress { database ?? host.main.ovsDatabase }
}

extension [AttachedPort] {
  func port(_ name: InterfaceName) -> AttachedPort? { first { $0.port.name == name.description } }
}

extension AttachedPort {
  /// What ovs-vswitchd says against one of its interfaces.
  var error: String? { interfaces.lazy.compactMap { $0.error }.first }
}
