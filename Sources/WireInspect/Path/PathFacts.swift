package import WireCore
package import WireEngine
package import WireNFTables
package import WireNetlink
package import WirePlan

/// A network namespace as it is now: everything about it that decides on packets and does not depend on them.
package struct PlaceFacts: Sendable {
  /// A container's name, or `host`.
  package var name: String
  /// What a command is put behind to run there: `nsenter -t 812 -n `, or nothing.
  package var shell: String
  package var links: [LinkFacts] = []
  package var addresses: [LinkAddress] = []
  package var neighbors: [NeighborEntry] = []
  /// Other people's tables.
  package var tables: [FilterTable] = []
  /// Those of them that rewrite addresses.
  package var translations: [FilterTable] = []
  package var listeners: [ListenerFacts] = []
  /// The families whose packets it passes on.
  package var forwards: Set<Family> = []
  /// Whether bridges show the packets that they carry to the firewall.
  package var filtersBridges: Set<Family> = []

  package init(name: String, shell: String = "") {
    self.name = name
    self.shell = shell
  }

  package func link(_ index: UInt32?) -> LinkFacts? { links.first { $0.index == index } }
  package func link(named name: String) -> LinkFacts? { links.first { $0.name == name } }
  package func has(_ address: IPAddress) -> Bool {
    address.isLoopback || addresses.contains { $0.prefix.address == address }
  }
  package func addresses(of link: UInt32) -> [Prefix] { addresses.filter { $0.link == link }.map { $0.prefix } }
}

package struct LinkFacts: Sendable, Hashable {
  package var index: UInt32
  package var name: String
  package var kind: String?
  package var mac: MACAddress?
  /// Bytes.
  package var mtu: UInt32
  package var master: UInt32?
  package var isUp = true
  /// Has a carrier.
  package var isRunning = true

  package init(index: UInt32, name: String, kind: String? = nil, mtu: UInt32 = 1500, master: UInt32? = nil) {
    self.index = index
    self.name = name
    self.kind = kind
    self.mtu = mtu
    self.master = master
  }
}

package struct LinkAddress: Sendable, Hashable {
  package var link: UInt32
  package var prefix: Prefix
  package init(link: UInt32, _ prefix: Prefix) {
    self.link = link
    self.prefix = prefix
  }
}

package struct ListenerFacts: Sendable, Hashable {
  package var transport: TransportProtocol
  package var port: UInt16
  package var listener: Listener
  package init(_ transport: TransportProtocol, _ port: UInt16, _ listener: Listener) {
    self.transport = transport
    self.port = port
    self.listener = listener
  }
}

/// Where a packet is looked at.
package enum PathPlace: Sendable, Hashable {
  case host
  /// By id.
  case container(String)
}

/// What a walk needs to know: read from the kernel and the records, or said by a test.
package protocol PathSource {
  var host: PlaceFacts { get }
  var own: OwnRules { get }
  var containers: [WiredContainer] { get }
  var setups: [NetworkSetup] { get }
  /// The ports of Open vSwitch bridges, the bridges' own among them, by the ports' names.
  var switchPorts: [String: SwitchPortFacts] { get }
  /// Why a database of Open vSwitch said nothing of its ports.
  var silentDatabases: [DatabaseAddress: String] { get }
  /// The inside of a container; nil where it has ended.
  func inside(_ container: WiredContainer) throws(WireError) -> PlaceFacts?
  func lookUp(_ question: RouteQuestion, in place: PathPlace) throws(WireError) -> RouteAnswer
  /// The connections that the host remembers from the packet's source to its destination and port.
  func connections(of packet: PathPacket) throws(WireError) -> [TrackedConnection]
  /// A bridge of the kernel on the way of a frame for a MAC; nil where it is none.
  func look(
    at bridge: LinkFacts, from entry: LinkFacts, to exit: LinkFacts, _ mac: MACAddress?
  ) throws(WireError) -> BridgeFacts?
  /// What a bridge of Open vSwitch does with a frame.
  func trace(_ frame: SwitchFrame) -> SwitchAnswer<SwitchTrace>
  /// Where a bridge of Open vSwitch has learned a MAC; it says nil where it has not.
  func learned(_ mac: MACAddress, on bridge: String, vlan: UInt16?) -> SwitchAnswer<LearnedMAC?>
}

/// What ovs-vswitchd answers, or why it does not.
package enum SwitchAnswer<Value: Sendable>: Sendable {
  case said(Value)
  case silent(String)
}

/// A row of a bridge's forwarding table.
package struct LearnedMAC: Sendable, Hashable {
  package var port: String
  package var vlan: UInt16?
  package init(behind port: String, vlan: UInt16?) {
    self.port = port
    self.vlan = vlan
  }
}
