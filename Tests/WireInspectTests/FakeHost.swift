import WireConfig
import WireCore
import WireEngine
import WireInspect
import WireNFTables
import WireNetlink
import WirePlan

/// A host that a test makes up: link `up0` to the outside, bridge `wh-front`, and one container on it.
struct FakeHost: PathSource {
  var host = PlaceFacts(name: "host")
  var own: OwnRules
  var containers: [WiredContainer]
  var setups: [NetworkSetup] = []
  var switchPorts: [String: SwitchPortFacts] = [:]
  var silentDatabases: [DatabaseAddress: String] = [:]
  /// What the host remembers.
  var connections: [TrackedConnection] = []
  /// What the kernel says of the bridge.
  var bridgeFacts: BridgeFacts?
  /// What Open vSwitch answers to a trace.
  var trace: SwitchAnswer<SwitchTrace> = .silent("there is none")
  var web = PlaceFacts(name: "web", shell: "nsenter -t 7 -n ")
  /// What the kernel would refuse, by destination, in the container and on the host.
  var refusals: [IPAddress: Int32] = [:]

  static let outside = IPAddress(.ipv4, 0xc0a8_4d02)
  static let hostAddress = IPAddress(.ipv4, 0xc0a8_4d01)
  static let gateway = IPAddress(.ipv4, 0x0ad2_0401)
  static let container = IPAddress(.ipv4, 0x0ad2_0402)
  static let bridge = InterfaceName(derived: "wh-front")
  static let port = PortMapping(.tcp, hostAddress: nil, hostPort: 8080, containerPort: 80)

  static var wholeTable: [Element] {
    [
      .segment(bridge), .bridge(bridge), .intra(bridge, bridge), .home(bridge, subnet), .masquerade(subnet),
    ] + [Element.port(port, to: container)].compactMap { $0 }
  }

  static var subnet: Prefix { Prefix("10.210.4.0/24") ?? Prefix(host: container) }

  init(_ elements: [Element] = wholeTable) {
    own = OwnRules(elements)
    var interface = AttachedInterface(
      name: InterfaceName(derived: "eth0"), network: "front", bridge: Self.bridge,
      hostLink: InterfaceName(derived: "whabc"), mac: MACAddress(1), mtu: 1500)
    interface.addresses = [Prefix(Self.container, 24)].compactMap { $0 }
    interface.gateways = [Self.gateway]
    interface.defaultRoutes = [.ipv4]
    let attachment = Attachment(
      container: ContainerIdentity(id: "web", name: "web"), interfaces: [interface],
      ports: [PublishedPort(mapping: Self.port, targets: [Self.container], allow: nil)])
    containers = [
      WiredContainer(
        attachment: attachment, runtime: "runc", bundle: "/b", pid: 7, netns: 1, status: .attached, created: 0)
    ]
    host.links = [
      LinkFacts(index: 1, name: "lo"), LinkFacts(index: 2, name: "up0"),
      LinkFacts(index: 3, name: "wh-front", kind: "bridge"),
      LinkFacts(index: 4, name: "whabc", kind: "veth", master: 3),
    ]
    host.addresses = [Prefix(Self.hostAddress, 24).map { LinkAddress(link: 2, $0) }].compactMap { $0 }
    host.addresses += [Prefix(Self.gateway, 24).map { LinkAddress(link: 3, $0) }].compactMap { $0 }
    host.forwards = [.ipv4]
    web.links = [LinkFacts(index: 1, name: "lo"), LinkFacts(index: 2, name: "eth0", kind: "veth")]
    web.addresses = [Prefix(Self.container, 24).map { LinkAddress(link: 2, $0) }].compactMap { $0 }
    web.listeners = [
      ListenerFacts(.tcp, 80, Listener(address: .any(.ipv4), inode: 1, uid: 0, isIPv6Only: false))
    ]
  }

  func inside(_ container: WiredContainer) throws(WireError) -> PlaceFacts? { web }

  func connections(of packet: PathPacket) throws(WireError) -> [TrackedConnection] {
    connections.filter { $0.original.target == packet.destination && $0.original.source == packet.source }
  }
  func look(
    at bridge: LinkFacts, from entry: LinkFacts, to exit: LinkFacts, _ mac: MACAddress?
  ) throws(WireError) -> BridgeFacts? { bridgeFacts }
  func trace(_ frame: SwitchFrame) -> SwitchAnswer<SwitchTrace> { trace }
  func learned(_ mac: MACAddress, on bridge: String, vlan: UInt16?) -> SwitchAnswer<LearnedMAC?> {
    .silent("there is none")
  }

  func lookUp(_ question: RouteQuestion, in place: PathPlace) throws(WireError) -> RouteAnswer {
    let target = question.destination
    if let code = refusals[target] { return .refused(code) }
    var way = Route(.ipv4, to: Prefix(host: target))
    switch place {
    case .container:
      way.source = Self.container
      if target == Self.container || target.isLoopback {
        (way.kind, way.link) = (.local, 1)
      } else {
        way.link = 2
        if !Self.subnet.contains(target) { way.gateway = Self.gateway }
      }
    case .host:
      let isInside = Self.subnet.contains(target)
      way.source = isInside ? Self.gateway : Self.hostAddress
      way.link = isInside ? 3 : 2
      if host.has(target) { (way.kind, way.link) = (.local, 1) }
    }
    return .found(RouteChoice(way: way, match: nil))
  }
}
