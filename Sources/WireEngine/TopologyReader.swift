internal import Glibc
import WireConfig
package import WireCore
package import WireLinux
import WireNetlink
package import WirePlan
import WireState

/// Reads what is joined to what on this host, from the kernel and the records. Changes nothing.
package enum TopologyReader {
  package static func read(
    _ configuration: Configuration, until deadline: Deadline
  ) throws(WireError) -> Topology {
    let containers = try Inventory.all(configuration)
    let setups = try networks(configuration)
    var topology = Topology(host: hostName())
    topology.containers = containers.map { Topology.Container($0) }
    do throws(NetlinkError) {
      let kernel = try Kernel(until: deadline)
      topology.bridges = bridges(kernel, setups, containers)
      topology.links = links(kernel, setups, containers)
    } catch {
      throw Hints.explain(error, while: "looking at the host's links")
    }
    topology.merge(SwitchTopology.read(configuration, setups, containers, until: deadline))
    return topology
  }

  /// The networks that stand.
  package static func networks(_ configuration: Configuration) throws(WireError) -> [NetworkSetup] {
    let markers = try Inventory.read(configuration) { (store) throws(StateError) in try store.markers() } ?? []
    var setups: [NetworkSetup] = []
    for marker in markers where marker.bridgeIndex != 0 { setups.append(try Records.network(marker)) }
    return setups
  }

  /// The bridges of the kernel, and those that a record names and nobody has.
  private static func bridges(
    _ kernel: Kernel, _ setups: [NetworkSetup], _ containers: [WiredContainer]
  ) -> [Topology.Bridge] {
    var bridges = kernel.links.filter { $0.kind == "bridge" }.map { kernel.bridge($0) }
    let interfaces = containers.flatMap { $0.attachment.interfaces }
    let recorded = setups.map { ($0.bridge, $0.driver) } + interfaces.map { ($0.bridge, $0.driver) }
    for (name, driver) in recorded where !bridges.contains(where: { $0.name == name.description }) {
      bridges.append(kernel.otherBridge(name.description, driver == .ovs ? .ovs : .bridge))
    }
    for setup in setups {
      guard let index = bridges.firstIndex(where: { $0.name == setup.bridge.description }) else { continue }
      if bridges[index].kind == .ovs, kernel.isDown(setup.link.description) { bridges[index].isUp = false }
      if setup.link != setup.bridge { bridges[index].addresses += kernel.addresses(of: setup.link.description) }
      bridges[index].networks.append(
        Topology.Network(
          name: setup.network, subnets: setup.subnets,
          masquerades: !setup.masquerade.isEmpty || !setup.sourceNAT.isEmpty, isInternal: setup.isInternal))
    }
    return bridges
  }

  /// The host's other links. Left out: what belongs to a container, loopback, and the devices that kernel modules put into
  /// each namespace, which are down and have no address.
  private static func links(
    _ kernel: Kernel, _ setups: [NetworkSetup], _ containers: [WiredContainer]
  ) -> [Topology.HostLink] {
    let interfaces = containers.flatMap { $0.attachment.interfaces }
    // A network's own link in a VLAN is drawn as its bridge's address.
    let own = Set(
      (interfaces.flatMap { [$0.hostLink, $0.shaper].compactMap { $0 } } + setups.map { $0.link }).map {
        $0.description
      })
    return kernel.links.compactMap { link in
      let addresses = kernel.addresses[link.index] ?? []
      let master = link.master.flatMap { kernel.names[$0] }
      guard !link.isLoopback, link.kind != "bridge", !own.contains(link.name) else { return nil }
      // A tunnel of a bridge is drawn with it, and a veth in a bridge is some container's.
      if master != nil, link.kind == "vxlan" || link.kind == "veth" { return nil }
      guard link.isUp || master != nil || !addresses.isEmpty else { return nil }
      var shown = Topology.HostLink(
        name: link.name, kind: link.kind, mac: link.mac, mtu: link.mtu, isUp: link.isUp)
      shown.addresses = addresses
      shown.master = master
      shown.uplinkOf = Family.allCases.filter { kernel.uplinks[$0] == link.index }
      return shown
    }
  }

  private static func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "this host" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// What rtnetlink says of the host, by one dump of each kind.
private struct Kernel {
  var links: [Link]
  var names: [UInt32: String] = [:]
  /// By the link's index, without link-local ones.
  var addresses: [UInt32: [Prefix]] = [:]
  /// The bridges' tunnels, by the bridge's index.
  var tunnels: [UInt32: [Topology.Tunnel]] = [:]
  var uplinks: [Family: UInt32] = [:]

  init(until deadline: Deadline) throws(NetlinkError) {
    let socket: NetlinkSocket
    do throws(SystemError) { socket = try NetlinkSocket(.route) } catch { throw .system(error) }
    links = try socket.links(until: deadline)
    for family in Family.allCases { uplinks[family] = try socket.uplink(family, until: deadline) }
    for link in links { names[link.index] = link.name }
    for address in try socket.addresses(until: deadline) where !address.prefix.address.isLinkLocal {
      addresses[address.link, default: []].append(address.prefix)
    }
    for link in links {
      guard let vxlan = link.vxlan, let master = link.master else { continue }
      var remotes = try socket.floodDestinations(of: link.index, until: deadline)
      if let group = vxlan.group, !remotes.contains(group) { remotes.append(group) }
      let ends: [IPAddress?] = remotes.isEmpty ? [nil] : remotes.sorted()
      tunnels[master, default: []] += ends.map { remote in
        Topology.Tunnel(name: link.name, kind: "vxlan", key: "\(vxlan.id)", local: vxlan.local, remote: remote)
      }
    }
  }

  func bridge(_ link: Link) -> Topology.Bridge {
    var bridge = Topology.Bridge(name: link.name, kind: .bridge)
    bridge.isUp = link.isUp
    bridge.mtu = link.mtu
    bridge.mac = link.mac
    bridge.addresses = addresses[link.index] ?? []
    bridge.ports = links.filter { $0.master == link.index }.map { Topology.Port(name: $0.name) }
    bridge.tunnels = tunnels[link.index] ?? []
    return bridge
  }

  /// A bridge that is none of the kernel's; Open vSwitch shows each of its own by a link of that name.
  func otherBridge(_ name: String, _ kind: Topology.Bridge.Kind) -> Topology.Bridge {
    var bridge = Topology.Bridge(name: name, kind: kind)
    guard let link = links.first(where: { $0.name == name }) else {
      bridge.exists = false
      return bridge
    }
    // That link is a port for the host, which the others do without.
    bridge.mtu = link.mtu
    bridge.mac = link.mac
    bridge.addresses = addresses[link.index] ?? []
    return bridge
  }

  func isDown(_ name: String) -> Bool { links.contains { $0.name == name && !$0.isUp } }

  func addresses(of name: String) -> [Prefix] {
    links.first { $0.name == name }.flatMap { addresses[$0.index] } ?? []
  }
}

extension Topology.Container {
  fileprivate init(_ container: WiredContainer) {
    let attachment = container.attachment
    self.init(
      id: attachment.container.id, name: attachment.container.owner, status: container.status.rawValue,
      interfaces: attachment.interfaces.map { Topology.Interface($0) }, ports: attachment.ports)
  }
}

extension Topology.Interface {
  fileprivate init(_ interface: AttachedInterface) {
    self.init(
      name: interface.name.description, network: interface.network, bridge: interface.bridge.description,
      hostLink: interface.hostLink.description, mac: interface.mac, vlan: interface.vlan,
      addresses: interface.addresses)
  }
}
