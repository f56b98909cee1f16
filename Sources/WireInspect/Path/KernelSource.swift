package import WireCore
package import WireEngine
package import WireLinux
import WireNFTables
package import WireNetlink
package import WirePlan

/// Answers a walk's questions from the kernel, in the network namespace that each is about.
package final class KernelSource: PathSource {
  package let host: PlaceFacts
  package let own: OwnRules
  package let containers: [WiredContainer]
  package let setups: [NetworkSetup]
  package var switchPorts: [String: SwitchPortFacts] { switches.ports }
  package var silentDatabases: [DatabaseAddress: String] { switches.silent }

  private let deadline: Deadline
  private let home: NetworkNamespace
  private let route: NetlinkSocket
  private let switches: SwitchReader
  /// By the container's id; a socket belongs to the namespace that it was opened in.
  private var insides: [String: Inside] = [:]

  private final class Inside {
    let facts: PlaceFacts
    let route: NetlinkSocket
    init(_ facts: PlaceFacts, _ route: consuming NetlinkSocket) {
      self.facts = facts
      self.route = route
    }
  }

  package init(_ configuration: Configuration, until deadline: Deadline) throws(WireError) {
    self.deadline = deadline
    home = try Host.home()
    containers = try Inventory.all(configuration)
    setups = try TopologyReader.networks(configuration)
    switches = SwitchReader(configuration, setups, containers, until: deadline)
    own = try Self.ownRules(until: deadline)
    do throws(SystemError) { route = try NetlinkSocket(.route) } catch {
      throw Hints.explain(error, while: "opening rtnetlink")
    }
    host = try PlaceReader.read("host", "", route, until: deadline)
  }

  private static func ownRules(until deadline: Deadline) throws(WireError) -> OwnRules {
    do throws(NFTablesError) {
      let socket = try FirewallSocket()
      guard try socket.hasTable(named: "wirehook", deadline: deadline.moment) else {
        return OwnRules([], isThere: false)
      }
      var elements: [Element] = []
      for set in FirewallTable.inet.sets { elements += try socket.elements(of: set, deadline: deadline.moment) }
      return OwnRules(elements)
    } catch {
      throw Hints.explain(error, while: "reading the firewall table")
    }
  }

  package func inside(_ container: WiredContainer) throws(WireError) -> PlaceFacts? {
    try open(container)?.facts
  }

  private func open(_ container: WiredContainer) throws(WireError) -> Inside? {
    let identity = container.attachment.container
    if let known = insides[identity.id] { return known }
    guard container.status != .gone,
      let opened = try ContainerNamespace.open(pid: container.pid, home: home.identity)
    else { return nil }
    let shell = "nsenter -t \(container.pid) -n "
    let (name, deadline) = (identity.owner, deadline)
    let inside = try opened.namespace.run(
      backTo: home, mapping: { Hints.explain($0, while: "entering the network namespace of \(name)") }
    ) { () throws(WireError) in
      let socket: NetlinkSocket
      do throws(SystemError) { socket = try NetlinkSocket(.route) } catch {
        throw Hints.explain(error, while: "opening rtnetlink in \(name)")
      }
      let facts = try PlaceReader.read(name, shell, socket, until: deadline)
      return Inside(facts, socket)
    }
    insides[identity.id] = inside
    return inside
  }

  /// Opens a socket in a container's namespace, or in the host's.
  func inNamespace(
    of container: WiredContainer?, _ body: () throws(SystemError) -> Descriptor
  ) throws(WireError) -> Descriptor {
    guard let container else { return try explained(body) }
    guard let opened = try ContainerNamespace.open(pid: container.pid, home: home.identity) else {
      throw WireError("container \(container.attachment.container.owner.quoted)", "it has ended")
    }
    return try opened.namespace.run(
      backTo: home, mapping: { Hints.explain($0, while: "entering the container's network namespace") }
    ) { () throws(WireError) in try explained(body) }
  }

  private func explained(_ body: () throws(SystemError) -> Descriptor) throws(WireError) -> Descriptor {
    do throws(SystemError) { return try body() } catch { throw Hints.explain(error, while: "opening a socket") }
  }

  package func connections(of packet: PathPacket) throws(WireError) -> [TrackedConnection] {
    guard let from = packet.source else { return [] }
    do throws(NetlinkError) {
      let socket: NetlinkSocket
      do throws(SystemError) { socket = try NetlinkSocket(.netfilter) } catch { throw NetlinkError.system(error) }
      return try socket.connections(
        packet.protocolNumber, from: from, to: packet.destination, packet.port, until: deadline)
    } catch {
      throw Hints.explain(error, while: "asking connection tracking")
    }
  }

  package func look(
    at bridge: LinkFacts, from entry: LinkFacts, to exit: LinkFacts, _ mac: MACAddress?
  ) throws(WireError) -> BridgeFacts? {
    try BridgeReader.read(bridge, [entry, exit, bridge], from: entry, mac, in: host, route, until: deadline)
  }

  package func trace(_ frame: SwitchFrame) -> SwitchAnswer<SwitchTrace> { switches.trace(frame) }

  package func learned(_ mac: MACAddress, on bridge: String, vlan: UInt16?) -> SwitchAnswer<LearnedMAC?> {
    switches.learned(mac, on: bridge, vlan: vlan)
  }

  package func lookUp(_ question: RouteQuestion, in place: PathPlace) throws(WireError) -> RouteAnswer {
    do throws(NetlinkError) {
      switch place {
      case .host: return try route.lookUp(question, until: deadline)
      case .container(let id):
        guard let inside = insides[id] else { return .refused(0) }
        return try inside.route.lookUp(question, until: deadline)
      }
    } catch {
      throw Hints.explain(error, while: "asking for the way to \(question.destination)")
    }
  }
}

/// Reads the namespace that this thread is in.
enum PlaceReader {
  static func read(
    _ name: String, _ shell: String, _ route: borrowing NetlinkSocket, until deadline: Deadline
  ) throws(WireError) -> PlaceFacts {
    var facts = PlaceFacts(name: name, shell: shell)
    do throws(NetlinkError) {
      facts.links = try route.links(until: deadline).map { link in
        var shown = LinkFacts(
          index: link.index, name: link.name, kind: link.kind, mtu: link.mtu, master: link.master)
        shown.mac = link.mac
        shown.isUp = link.isUp
        shown.isRunning = link.isRunning
        return shown
      }
      facts.addresses = try route.addresses(until: deadline).map { LinkAddress(link: $0.link, $0.prefix) }
      for family in Family.allCases { facts.neighbors += try route.neighbors(family, until: deadline) }
      let sockets: NetlinkSocket
      do throws(SystemError) { sockets = try NetlinkSocket(.sockDiag) } catch { throw NetlinkError.system(error) }
      for transport in [TransportProtocol.tcp, .udp] {
        for family in Family.allCases {
          facts.listeners += try sockets.listeners(transport, family, until: deadline).map {
            ListenerFacts(transport, $0.port, $0.listener)
          }
        }
      }
    } catch {
      throw Hints.explain(error, while: "looking at the network of \(name)")
    }
    facts.tables = try FlowJudgement.tables(until: deadline)
    do throws(NFTablesError) {
      let socket = try FirewallSocket()
      facts.translations = try socket.translations(at: [.prerouting, .output], deadline: deadline.moment)
    } catch {
      throw Hints.explain(error, while: "reading who rewrites addresses in \(name)")
    }
    if isOn("net", "ipv4", "ip_forward") { facts.forwards.insert(.ipv4) }
    if isOn("net", "ipv6", "conf", "all", "forwarding") { facts.forwards.insert(.ipv6) }
    if isOn("net", "bridge", "bridge-nf-call-iptables") { facts.filtersBridges.insert(.ipv4) }
    if isOn("net", "bridge", "bridge-nf-call-ip6tables") { facts.filtersBridges.insert(.ipv6) }
    return facts
  }

  /// A kernel without the setting has not switched it on.
  private static func isOn(_ parts: String...) -> Bool {
    do throws(SystemError) { return try Sysctl(path: parts).read() == "1" } catch { return false }
  }
}
