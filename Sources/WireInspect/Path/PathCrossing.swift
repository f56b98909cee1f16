import WireConfig
import WireCore
import WireEngine
import WireNetlink
import WirePlan
import WireView

/// Where a frame enters or leaves a bridge.
struct PathPort {
  var name: String
  var bridge: String
  var driver: Network.Driver
  /// Of whoever is behind it.
  var mac: MACAddress?
  /// The VLAN that it was put into.
  var vlan: UInt16?

  init(_ interface: AttachedInterface, _ mac: MACAddress?) {
    name = interface.hostLink.description
    bridge = interface.bridge.description
    driver = interface.driver
    vlan = interface.vlan?.tag
    self.mac = mac
  }

  /// The host's own, on the bridge of another.
  init(_ name: String, on other: PathPort, _ mac: MACAddress?) {
    self = other
    self.name = name
    self.mac = mac
    vlan = nil
  }
}

/// Across a bridge: the port that the frame comes out of.
extension PathWalk {
  /// The MAC that a container has now, which need not be the recorded one.
  func mac(of container: WiredContainer, _ interface: AttachedInterface) throws(Interruption) -> MACAddress {
    try inside(container).link(named: interface.name.description)?.mac ?? interface.mac
  }

  mutating func cross(
    from name: String, _ mac: MACAddress?, to port: PathPort, _ nextHop: IPAddress
  ) throws(Interruption) {
    try cross(from: PathPort(name, on: port, mac), to: port, nextHop)
  }

  mutating func cross(from: PathPort, to: PathPort, _ nextHop: IPAddress) throws(Interruption) {
    guard from.driver == .ovs else { return try crossBridge(from: from, to: to) }
    guard let source = from.mac else { return }
    learned(to)
    let frame = SwitchFrame(on: from.bridge, by: from.name, from: source, to: to.mac, nextHop, packet)
    try follow(frame, to: to.name)
  }

  /// To somebody on the segment who is no container of this host.
  mutating func leaveSegment(
    from port: PathPort, of container: WiredContainer, _ interface: AttachedInterface, _ nextHop: IPAddress
  ) throws(Interruption) -> Arrival {
    let facts = try inside(container)
    let known = facts.neighbors.first { $0.address == nextHop && !$0.hasFailed }?.mac
    if port.driver == .ovs, let source = port.mac {
      try follow(SwitchFrame(on: port.bridge, by: port.name, from: source, to: known, nextHop, packet), to: nil)
    } else {
      note(source.host.name, .bridge, "no one on \(port.bridge) that wirehook knows has \(nextHop)")
    }
    return .neighbour(of: container, interface)
  }

  /// What such a neighbour sends back comes over the bridge, past the host's own network.
  mutating func answer(to container: WiredContainer, _ interface: AttachedInterface) throws(Interruption) {
    let sender = packet.source.map { "\($0)" } ?? "it"
    pass("outside", .end, "the answer of \(sender), if one is sent, is expected on \(interface.bridge)")
    try usePort(of: container, interface)
    _ = try arrive(in: container, interface)
  }
}
