import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// A container that Docker, Podman or a person wired: what of its network can be published to.
enum ForeignContainer {
  /// Networks are recorded under this name where only ports are published to them.
  static func network(of bridge: InterfaceName) -> String { "\(NetworkSetup.publishing)\(bridge)" }

  /// Its interfaces whose peers are ports of a bridge of this host, with the addresses that they have now.
  static func interfaces(
    in side: borrowing ContainerSide, on host: borrowing Host
  ) throws(WireError) -> [AttachedInterface] {
    do throws(NetlinkError) {
      let number = try host.route.number(of: side.namespace, until: host.deadline)
      let all = try side.route.addresses(until: host.deadline)
      var interfaces: [AttachedInterface] = []
      for link in try side.route.links(until: host.deadline) {
        guard let mac = link.mac, let name = InterfaceName(link.name), let peer = link.peerIndex,
          let hostEnd = try host.route.link(.index(peer), until: host.deadline),
          hostEnd.peerIndex == link.index, hostEnd.peerNamespace == number, let hostLink = InterfaceName(hostEnd.name),
          let master = hostEnd.master, let bridge = try host.route.link(.index(master), until: host.deadline),
          bridge.kind == "bridge", let bridgeName = InterfaceName(bridge.name)
        else { continue }
        var interface = AttachedInterface(
          name: name, network: network(of: bridgeName), bridge: bridgeName, hostLink: hostLink, mac: mac, mtu: link.mtu)
        interface.addresses = all.filter { $0.link == link.index }.map { $0.prefix }.filter { !$0.address.isLinkLocal }
        try lookForGateways(of: &interface, link, bridge, in: side, on: host)
        if !interface.addresses.isEmpty { interfaces.append(interface) }
      }
      return interfaces
    } catch {
      throw Hints.explain(error, while: "looking at the container's interfaces")
    }
  }

  private static func lookForGateways(
    of interface: inout AttachedInterface, _ link: Link, _ bridge: Link, in side: borrowing ContainerSide,
    on host: borrowing Host
  ) throws(NetlinkError) {
    let own = try host.route.addresses(of: bridge.index, until: host.deadline).map { $0.prefix.address }
    for family in Family.allCases where interface.address(family) != nil {
      let gateway = try side.route.routes(family, until: host.deadline)
        .first { $0.destination == nil && $0.link == link.index }?.gateway
      if let gateway { interface.gateways.append(gateway) }
      if gateway.map({ !own.contains($0) }) ?? true { interface.noWayBack.append(family) }
    }
  }

  /// What does not work on a bridge whose settings are not ours to change.
  static func notes(_ attachment: Attachment, _ ports: [PublishedPort]) -> [String] {
    var notes: [String] = []
    let bridges = Set(attachment.interfaces.map { $0.bridge })
    for bridge in bridges where ports.contains(where: { $0.mapping.hostAddress?.isLoopback ?? true }) {
      if !NetworkChoice.isOn("net", "ipv4", "conf", "all", "route_localnet"),
        !NetworkChoice.isOn("net", "ipv4", "conf", bridge.description, "route_localnet")
      {
        notes.append(
          "127.0.0.1 of this host does not lead there, its other addresses do; sysctl -w "
            + "net.ipv4.conf.\(bridge).route_localnet=1 changes that")
      }
    }
    return notes
  }

  /// How the container's network differs from what ports are published to.
  static func differences(
    of attachment: Attachment, _ record: ContainerRecord, on host: borrowing Host
  ) throws(WireError) -> [String] {
    guard let now = try look(attachment, record, on: host) else { return [] }
    var texts: [String] = []
    for (interface, current) in zip(attachment.interfaces, now) where interface != current {
      let addresses = current.addresses.map { "\($0)" }.joined(separator: " ")
      texts.append("\(interface.name) is \(addresses) on \(current.bridge) now: its ports lead elsewhere")
    }
    if now.count < attachment.interfaces.count { texts.append("an interface that ports lead to is gone") }
    for interface in attachment.interfaces {
      for address in interface.addresses.map({ $0.address })
      where
        attachment.ports.contains(where: { $0.targets.contains(address) })
      {
        if try !Firewall().isAdmitted(address, on: interface.bridge, until: host.deadline) {
          texts.append("chain DOCKER-USER does not accept what is published to \(address)")
        }
      }
    }
    return texts
  }

  /// Publishes to the addresses that the container has now. The caller has its lock.
  static func follow(
    _ attachment: Attachment, _ record: ContainerRecord, on host: borrowing Host
  ) throws(WireError) {
    guard let now = try look(attachment, record, on: host), now.count == attachment.interfaces.count else { return }
    var after = attachment
    after.interfaces = now
    for index in after.ports.indices {
      after.ports[index].targets = after.ports[index].targets.compactMap { target in
        let place = attachment.interfaces.firstIndex { $0.address(target.family) == target }
        return place.flatMap { now[$0].address(target.family) }
      }
    }
    after.ports.removeAll { $0.targets.isEmpty }
    try Publishing.change(attachment, to: after, on: host)
    try Firewall().add(FirewallPart(Step.all(of: after)), on: host)
  }

  /// The recorded interfaces as they are now; nil where the container is gone.
  private static func look(
    _ attachment: Attachment, _ record: ContainerRecord, on host: borrowing Host
  ) throws(WireError) -> [AttachedInterface]? {
    guard let namespace = try ContainerNamespace.open(record, attachment.container, home: host.namespace.identity)
    else { return nil }
    let now = try interfaces(in: ContainerSide(namespace, home: host.namespace), on: host)
    return attachment.interfaces.compactMap { interface in now.first { $0.name == interface.name } }
  }
}
