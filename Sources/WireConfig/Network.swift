package import WireCore
package import WireJSON

/// A configured network: one file of `networks.d`.
package struct Network: Sendable, Equatable {
  package enum Driver: String, Sendable, CaseIterable { case bridge, ovs, ovn, macvlan, ipvlan }

  /// Which containers a container of this network does not reach by their own addresses.
  package enum Isolation: Sendable {
    /// Those of other networks.
    case networks
    /// Those of this network neither.
    case containers
    /// It reaches all.
    case none
  }

  /// What is reachable from outside.
  package enum Exposure: String, Sendable, CaseIterable { case published, all }

  package var name: String
  package var driver = Driver.bridge
  package var bridge: InterfaceName
  package var subnets: [Subnet]
  package var masquerade = Masquerade()
  /// No route out, no masquerade.
  package var `internal` = false
  package var isolate = Isolation.networks
  package var expose = Exposure.published
  /// Host addresses for ports that name none; empty: those of the main file.
  package var publishOn: [IPAddress] = []
  /// Who may call published ports; empty: all.
  package var allow: [Prefix] = []
  /// false: the bridge is somebody else's LAN, and gets no address, NAT, sysctl or filter of ours.
  package var managed = true
  /// Whether its containers send from no address but their own.
  package var antispoof = false
  /// The file says so itself: where it cannot be done, nothing is attached.
  package var antispoofIsAskedFor = false
  /// Whether it is asked on the wire, before an address is taken, if somebody has it. Linux bridges only.
  package var probe = false
  /// In bytes; nil: the MTU of the default route's link.
  package var mtu: UInt32?
  /// The VLANs of the containers' ports.
  package var vlan: VLANMembership?
  package var vxlan: VXLAN?
  /// With the driver `ovs`.
  package var ovs = OVSSettings()
  package var routes: [RouteRequest] = []
  /// Whether containers listen to router advertisements.
  package var slaac = false
  /// Resolvers for containers that have none of use.
  package var dnsServers: [IPAddress] = []

  package init(name: String, bridge: InterfaceName, subnets: [Subnet]) {
    self.name = name
    self.bridge = bridge
    self.subnets = subnets
  }

  /// The network of a host without any configuration, on the subnets that the host has room for.
  package static func standard(subnets: [Subnet]) throws(WireError) -> Network {
    guard let bridge = InterfaceName("wirehook0") else { throw WireError("bridge wirehook0", "not a link's name") }
    var network = Network(name: "default", bridge: bridge, subnets: subnets)
    network.antispoof = true
    return network
  }
}

extension Network {
  /// The keys of a network file.
  package static let keys = [
    "name", "driver", "bridge", "subnets", "masquerade", "internal", "isolate", "expose", "publish_on", "allow",
    "managed", "antispoof", "probe", "mtu", "vlan", "vxlan", "routes", "slaac", "dns_servers", "ovs",
  ]
  /// Keys of the contract that are refused as not in this version.
  package static let laterKeys = ["ovn", "dns", "parent", "mode"]

  /// Reads a network file. `file` is its path, or its last parts: it is named in errors, and NAME.json must be the file of
  /// the network NAME.
  package init(json: JSONValue, file: String) throws(WireError) {
    let reader = JSONReader(json, document: file)
    try reader.allowOnly(Self.keys + Self.laterKeys)
    try Self.refuseLaterKeys(reader)
    let name = try Self.name(reader, file: file)
    let driver = try Self.driver(reader)
    let managed = try reader["managed"]?.bool() ?? true
    let bridge = try Self.bridge(reader, name: name)
    self.init(name: name, bridge: bridge, subnets: try Subnet.list(reader, managed: managed))
    self.driver = driver
    self.managed = managed
    antispoof = try reader["antispoof"]?.bool() ?? managed
    antispoofIsAskedFor = antispoof && reader["antispoof"] != nil
    `internal` = try reader["internal"]?.bool() ?? false
    masquerade = try Self.masquerade(reader, managed: managed, isInternal: `internal`)
    isolate = try Self.isolation(reader["isolate"])
    expose = try reader["expose"]?.parsed("\"published\" or \"all\"", Exposure.init(rawValue:)) ?? .published
    publishOn = try reader["publish_on"]?.hostAddresses() ?? []
    allow = try reader["allow"]?.sources() ?? []
    mtu = try reader["mtu"].map { (mtu) throws(WireError) in UInt32(try mtu.integer(in: 68...65535)) }
    vlan = try reader["vlan"].map { (vlan) throws(WireError) in try Self.vlan(vlan, driver) }
    probe = try reader["probe"].map { (probe) throws(WireError) in try Self.probe(probe, driver, vlan) } ?? false
    vxlan = try reader["vxlan"].flatMap { (vxlan) throws(WireError) in try Self.vxlan(vxlan, driver, managed: managed) }
    if let given = reader["ovs"] {
      guard driver == .ovs else { throw given.refused("only for \"driver\": \"ovs\"") }
      ovs = try OVSSettings(given)
    }
    routes = try Self.routes(reader["routes"])
    slaac = try reader["slaac"]?.bool() ?? false
    for server in try reader["dns_servers"]?.elements() ?? [] {
      dnsServers.append(try server.parsed(Resolver.expectation, Resolver.address))
    }
  }

  private static func refuseLaterKeys(_ reader: JSONReader) throws(WireError) {
    for key in laterKeys {
      guard let value = reader[key], value.value != .bool(false) else { continue }
      throw value.refused("not in this version of wirehook", hint: "take the key out")
    }
  }

  private static func driver(_ reader: JSONReader) throws(WireError) -> Driver {
    guard let given = reader["driver"] else { return .bridge }
    let driver = try given.parsed(Driver.expectation, Driver.init(rawValue:))
    guard Driver.here.contains(driver) else {
      throw given.refused("not in this version of wirehook", hint: "use \"bridge\" or \"ovs\"")
    }
    return driver
  }

  /// It is asked by the bridge itself, which need not be in the VLAN of its ports.
  private static func probe(
    _ reader: JSONReader, _ driver: Driver, _ vlan: VLANMembership?
  ) throws(WireError) -> Bool {
    guard try reader.bool() else { return false }
    guard driver == .bridge else { throw reader.refused("only on Linux bridges", hint: "take the key out") }
    guard vlan == nil else { throw reader.refused("not with \"vlan\"", hint: "take one of the two out") }
    return true
  }

  private static func vlan(_ reader: JSONReader, _ driver: Driver) throws(WireError) -> VLANMembership {
    if case .integer = reader.value {
      return .access(UInt16(try reader.integer(in: Int64(VLANMembership.tags.lowerBound)...4094)))
    }
    let vlan = try reader.parsed(VLANMembership.expectation) { VLANMembership($0) }
    if case .trunk = vlan, driver != .ovs { throw reader.refused("only Open vSwitch has trunk ports here") }
    return vlan
  }

  /// Tunnels are ports of the bridge, and a bridge of somebody else's gets none.
  private static func vxlan(_ reader: JSONReader, _ driver: Driver, managed: Bool) throws(WireError) -> VXLAN? {
    if reader.value == .bool(false) { return nil }
    guard managed else { throw reader.refused("\"managed\" is false, so the bridge gets no tunnel of ours") }
    return try VXLAN(reader, driver: driver)
  }

  private static func name(_ reader: JSONReader, file: String) throws(WireError) -> String {
    let base = file.pieces(at: UInt8(ascii: "/")).last ?? file[...]
    let expected = base.hasSuffix(".json") ? String(base.dropLast(".json".count)) : nil
    if reader["name"] == nil, let expected, NetworkName.isValid(expected) { return expected }
    let given = try reader.required("name")
    let name = try given.parsed(NetworkName.expectation) { NetworkName.isValid($0) ? $0 : nil }
    guard expected == nil || name == expected else {
      throw given.refused("network \(name) belongs in the file \(name).json")
    }
    return name
  }

  private static func bridge(_ reader: JSONReader, name: String) throws(WireError) -> InterfaceName {
    if let given = reader["bridge"] {
      return try given.parsed("a bridge's name, \(InterfaceName.expectation)", LinkName.parse)
    }
    guard let bridge = InterfaceName("wh-\(name)") else {
      throw WireError(
        "\(reader.document): bridge", "\"wh-\(name)\" is longer than the \(InterfaceName.limit) bytes of a link's name",
        hint: "give the bridge a shorter name with \"bridge\"")
    }
    return bridge
  }

  private static func masquerade(_ reader: JSONReader, managed: Bool, isInternal: Bool) throws(WireError) -> Masquerade
  {
    let off = Masquerade(ipv4: .off, ipv6: .off)
    guard let given = reader["masquerade"] else { return managed && !isInternal ? Masquerade() : off }
    let masquerade = try Masquerade(given)
    if !managed, masquerade != off { throw given.expected("false where \"managed\" is false") }
    if isInternal, masquerade != off { throw given.expected("false where \"internal\" is true") }
    return masquerade
  }

  private static func isolation(_ reader: JSONReader?) throws(WireError) -> Isolation {
    guard let reader else { return .networks }
    switch reader.value {
    case .string("networks"): return .networks
    case .string("containers"): return .containers
    case .bool(false): return .none
    default: throw reader.expected("\"networks\", \"containers\" or false")
    }
  }

  private static func routes(_ reader: JSONReader?) throws(WireError) -> [RouteRequest] {
    guard let reader else { return [] }
    var result: [RouteRequest] = []
    for element in try reader.elements() {
      let text = try element.string()
      do throws(RouteSyntaxError) { result.append(try RouteRequest(text)) } catch {
        throw element.expected(error.expectation)
      }
    }
    return result
  }
}

extension Network.Driver {
  /// Those that this version has.
  static let here: [Network.Driver] = [.bridge, .ovs]
  static let expectation = "one of " + allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
}
