import WireConfig
import WireCore
import WireEngine
import WireNFTables
import WirePlan
import WireView

/// Over a bridge: from a container's interface to whoever has the next address, and the other way.
extension PathWalk {
  /// Out of a container: through its pair to the bridge, and on from there.
  mutating func leave(
    _ container: WiredContainer, _ interface: AttachedInterface, nextHop: IPAddress
  ) throws(Interruption) -> Arrival {
    try usePort(of: container, interface)
    let facts = source.host
    let setup = source.setups.first { $0.network == interface.network }
    let hostLink = facts.link(named: (setup?.link ?? interface.bridge).description)
    let sender = PathPort(interface, try mac(of: container, interface))
    if let link = hostLink, facts.addresses(of: link.index).contains(where: { $0.address == nextHop }) {
      try cross(from: sender, to: PathPort(link.name, on: sender, link.mac), nextHop)
      entry = sender.name
      return try arriveAtHost(by: link)
    }
    if let (other, theirs) = owner(of: nextHop, on: interface.bridge) {
      guard !(packet.isAnswer && translation.called != nil) else {
        throw stop(
          facts.name, .nat,
          "the answer goes straight to its neighbour, and the host cannot put the called address back",
          "wirehook repair")
      }
      // A switch of its own shows nothing to the host's firewall.
      if let link = hostLink, interface.driver != .ovs, facts.filtersBridges.contains(packet.family) {
        try passForward(from: link, to: link)
      }
      try usePort(of: other, theirs)
      try cross(from: sender, to: PathPort(theirs, try mac(of: other, theirs)), nextHop)
      return try arrive(in: other, theirs)
    }
    if let setup, let gateway = setup.addresses.first(where: { $0.address == nextHop }), let link = hostLink {
      throw stop(
        facts.name, .bridge, "\(link.name) has lost its address \(gateway)", "ip addr add \(gateway) dev \(link.name)")
    }
    return try leaveSegment(from: sender, of: container, interface, nextHop)
  }

  /// The host's end of a container's pair: there, up, and a port of its bridge.
  mutating func usePort(of container: WiredContainer, _ interface: AttachedInterface) throws(Interruption) {
    let facts = source.host
    let owner = container.attachment.container.owner
    guard let port = facts.link(named: interface.hostLink.description) else {
      throw stop(
        facts.name, .link, "\(interface.hostLink), the host's end of \(interface.name), is gone",
        "wirehook repair \(owner)")
    }
    guard port.isUp else {
      throw stop(
        facts.name, .link, "\(port.name), the host's end of \(interface.name) of \(owner), is down",
        "ip link set \(port.name) up")
    }
    if interface.driver == .ovs { return try useSwitchPort(of: container, interface, port) }
    guard let bridge = facts.link(named: interface.bridge.description) else {
      throw stop(facts.name, .bridge, "bridge \(interface.bridge) is gone", "wirehook repair")
    }
    guard port.master == bridge.index else {
      throw stop(
        facts.name, .bridge, "\(port.name) of \(owner) is not a port of \(bridge.name)",
        "ip link set \(port.name) master \(bridge.name)")
    }
    guard bridge.isUp else {
      throw stop(facts.name, .bridge, "bridge \(bridge.name) is down", "ip link set \(bridge.name) up")
    }
    pass(facts.name, .bridge, "\(port.name) of \(owner) is a port of \(bridge.name)")
  }

  /// Into a container.
  mutating func arrive(in container: WiredContainer, _ interface: AttachedInterface) throws(Interruption) -> Arrival {
    let facts = try inside(container)
    guard let link = facts.link(named: interface.name.description) else {
      throw stop(
        facts.name, .link, "\(interface.name) is gone",
        "wirehook repair \(container.attachment.container.owner)")
    }
    try use(link, in: facts)
    guard facts.has(packet.destination) else {
      let lost = interface.addresses.first { $0.address == packet.destination }
      throw stop(
        facts.name, .link, "\(packet.destination) is none of its addresses",
        lost.map { "\(facts.shell)ip addr add \($0) dev \(interface.name)" })
    }
    try filter(.prerouting, in: facts, from: link, to: nil)
    try filter(.input, in: facts, from: link, to: nil)
    try deliver(to: facts)
    return .container(container)
  }

  func owner(of address: IPAddress, on bridge: InterfaceName?) -> (WiredContainer, AttachedInterface)? {
    for container in source.containers where container.status != .gone {
      for interface in container.attachment.interfaces where bridge == nil || interface.bridge == bridge {
        if interface.addresses.contains(where: { $0.address == address }) { return (container, interface) }
      }
    }
    return nil
  }
}
