internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireNFTables
import WireNetlink
import WireOVSDB
import WirePlan
import WireState

/// Records anew, from the kernel, a container that is wired and lives but of which nothing is recorded: the state file
/// was damaged, or somebody removed it.
enum Adoption {
  /// A process with a network namespace of its own.
  struct Inhabitant {
    var process: ProcessIdentity
    var netns: NamespaceIdentity
  }

  /// Adopts the container at the other end of `link`; nil where nobody lives there, so that the link can go.
  static func adopt(
    _ link: Link, among inhabitants: [Inhabitant], dryRun: Bool, on host: borrowing Host
  ) throws(WireError) -> Attachment? {
    guard let alias = link.alias, let owner = LinkNames.owner(alias: alias), let hostLink = InterfaceName(link.name),
      let bridge = try bridge(of: link, on: host)
    else { return nil }
    for inhabitant in inhabitants {
      guard let found = try look(for: link, owner.interface, in: inhabitant, on: host) else { continue }
      var interface = AttachedInterface(
        name: owner.interface, network: bridge.network, bridge: bridge.name, hostLink: hostLink, mac: found.mac,
        mtu: found.mtu)
      interface.switchPort = bridge.switchPort
      interface.vlan = bridge.vlan
      interface.addresses = found.addresses
      interface.antispoof = try isChecked(hostLink, bridge, on: host)
      interface.gateways = found.gateways
      interface.defaultRoutes = found.gateways.map { $0.family }
      let attachment = Attachment(
        container: ContainerIdentity(id: owner.container, name: nil), interfaces: [interface],
        ports: try ports(leadingTo: found.addresses, on: host))
      if !dryRun { try record(attachment, inhabitant, on: host) }
      return attachment
    }
    return nil
  }

  /// Every namespace but the host's that a process lives in, with the oldest process of each: a container's first.
  static func inhabitants(on host: borrowing Host) throws(WireError) -> [Inhabitant] {
    var found: [NamespaceIdentity: ProcessIdentity] = [:]
    do throws(SystemError) {
      for entry in try Files.list("/proc") {
        guard let pid = DecimalNumber.parse(entry, upTo: UInt64(Int32.max)).map({ Int32($0) }),
          let netns = try NamespaceIdentity.of(pid: pid), netns != host.namespace.identity,
          let process = try ProcessIdentity.of(pid: pid)
        else { continue }
        if let other = found[netns], other.startTime <= process.startTime { continue }
        found[netns] = process
      }
    } catch {
      throw Hints.explain(error, while: "looking for containers that live")
    }
    return found.map { Inhabitant(process: $0.value, netns: $0.key) }
  }

  private struct Found {
    var mac: MACAddress
    var mtu: UInt32
    var addresses: [Prefix]
    var gateways: [IPAddress]
  }

  /// The peer of `link`, if it is in this namespace: the link names the namespace, and each of the two the other's index.
  private static func look(
    for link: Link, _ name: InterfaceName, in inhabitant: Inhabitant, on host: borrowing Host
  ) throws(WireError) -> Found? {
    do {
      let namespace = try NetworkNamespace.open(pid: inhabitant.process.pid)
      guard namespace.identity == inhabitant.netns, let number = link.peerNamespace,
        try host.route.number(of: namespace, until: host.deadline) == number
      else { return nil }
      let socket = try namespace.run(backTo: host.namespace, mapping: { $0 }) { () throws(SystemError) in
        try NetlinkSocket(.route)
      }
      guard let peer = try socket.link(.name(name), until: host.deadline), peer.index == link.peerIndex,
        peer.peerIndex == link.index, let mac = peer.mac
      else { return nil }
      let addresses = try socket.addresses(of: peer.index, until: host.deadline).map { $0.prefix }
        .filter { !$0.address.isLinkLocal }
      var gateways: [IPAddress] = []
      for family in Family.allCases {
        let routes = try socket.routes(family, until: host.deadline)
        gateways += routes.filter { $0.destination == nil && $0.link == peer.index }.compactMap { $0.gateway }.prefix(1)
      }
      return Found(mac: mac, mtu: peer.mtu, addresses: addresses, gateways: gateways)
    } catch let error as NetlinkError {
      throw Hints.explain(error, while: "looking into the namespace of pid \(inhabitant.process.pid)")
    } catch {
      // It ended while we looked.
      return nil
    }
  }

  /// Whether what comes in by the host end is checked for its sender.
  private static func isChecked(_ link: InterfaceName, _ bridge: Bridge, on host: borrowing Host) throws(WireError)
    -> Bool
  {
    guard let port = bridge.switchPort else {
      return try Firewall().elements(of: [.antispoof], on: host).contains(.antispoof(link))
    }
    let cookie = FlowCookies.cookie(of: link)
    let flows = try? host.switches.flows(port.database, bridge.name, until: host.deadline.leavingTimeToUndo)
    return flows?.contains { $0.cookie == cookie } ?? false
  }

  /// What a host end is joined to.
  private struct Bridge {
    var name: InterfaceName
    var network: String
    var switchPort: SwitchPort?
    var vlan: VLANMembership?
  }

  private static func bridge(of link: Link, on host: borrowing Host) throws(WireError) -> Bridge? {
    do throws(NetlinkError) {
      if let master = link.master, let bridge = try host.route.link(.index(master), until: host.deadline),
        bridge.kind == "bridge", let name = InterfaceName(bridge.name)
      {
        return Bridge(name: name, network: bridge.alias.flatMap { LinkNames.network(alias: $0) } ?? "bridge:\(name)")
      }
    } catch {
      throw Hints.explain(error, while: "looking for the bridge of \(link.name)")
    }
    return try switchBridge(of: link, on: host)
  }

  /// In userspace Open vSwitch is nobody's master: only its database says whose port a link is.
  private static func switchBridge(of link: Link, on host: borrowing Host) throws(WireError) -> Bridge? {
    for database in try SwitchGarbage.databases(on: host) {
      do throws(OVSDBError) {
        let ports = try host.switches.ports(database, until: host.deadline)
        guard let found = ports.first(where: { $0.port.name == link.name }), let name = InterfaceName(found.bridge),
          let network = found.port.externalIDs[.network]
        else { continue }
        let row = try host.switches.at(database, until: host.deadline).look(
          at: found.bridge, container: nil, until: host.deadline)
        let isUserspace = row.bridge?.datapathType == OVSDriver.userspace
        return Bridge(
          name: name, network: network, switchPort: SwitchPort(database: database, isUserspace: isUserspace),
          vlan: found.port.vlan)
      } catch {
        // No Open vSwitch there: then it is no port of it.
        continue
      }
    }
    return nil
  }

  /// The ports that the firewall leads to these addresses.
  private static func ports(
    leadingTo addresses: [Prefix], on host: borrowing Host
  ) throws(WireError) -> [PublishedPort] {
    var ports: [PublishedPort] = []
    let firewall = try Firewall()
    for element in try firewall.elements(of: SetName.ports, on: host) {
      guard let (mapping, target) = element.publication, addresses.contains(where: { $0.address == target }) else {
        continue
      }
      if let index = ports.firstIndex(where: { $0.mapping == mapping }) {
        ports[index].targets.append(target)
      } else {
        ports.append(PublishedPort(mapping: mapping, targets: [target], allow: nil))
      }
    }
    return ports
  }

  private static func record(
    _ attachment: Attachment, _ inhabitant: Inhabitant, on host: borrowing Host
  ) throws(WireError) {
    let id = attachment.container.id
    let record = ContainerRecord(
      id: id, name: nil, bundle: "", runtime: "", pid: inhabitant.process.pid, pidStart: inhabitant.process.startTime,
      netns: inhabitant.netns, status: .attached,
      created: Int64(time(nil)), document: Records.document(attachment))
    do throws(StateError) {
      try host.store.transaction { () throws(StateError) in
        try host.store.record(record)
        for interface in attachment.interfaces {
          try host.store.claimLink(interface.hostLink, container: id)
          for address in interface.addresses {
            try host.store.claimLease(
              segment: "bridge:\(interface.bridge)", address: address.address, owner: id, interface: interface.name,
              container: id)
          }
        }
        for port in attachment.ports {
          for target in port.targets {
            let address = port.mapping.hostAddress ?? .any(target.family)
            try host.store.claimPort(
              WireState.HostPort(port.mapping.transport, address, port.mapping.hostPort), container: id)
          }
        }
      }
    } catch {
      throw Hints.explain(error, in: host.main.stateDirectory)
    }
  }
}
