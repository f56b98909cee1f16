import WireConfig
package import WireCore
package import WireJSON

/// The form in which a network that stands is recorded; equal texts mean an equal network.
extension NetworkSetup {
  package var json: JSONValue {
    var members = JSONMembers()
    members.set("network", .string(network))
    members.set("driver", driver == .bridge ? nil : .string(driver.rawValue))
    members.set("bridge", .string(bridge.description))
    members.set("link", link == bridge ? nil : .string(link.description))
    members.set("managed", flag: managed)
    members.set("mtu", mtu.map { .integer(Int64($0)) })
    members.set("addresses", texts: addresses)
    members.set("subnets", texts: subnets)
    members.set("masquerade", texts: masquerade)
    members.set("snat", texts: sourceNAT.map { "\($0.subnet) \($0.host)" })
    members.set("internal", flag: isInternal)
    members.set("isolate", .string(isolate.recorded))
    members.set("expose_all", flag: expose == .all)
    members.set("vlan_filtering", flag: vlanFiltering)
    members.set("vlan", vlan.map { .integer(Int64($0)) })
    members.set("vxlan", vxlan.map { $0.json })
    members.set("database", database.map { .string($0.description) })
    return members.value
  }

  /// Reads what `json` wrote.
  package init(_ reader: JSONReader) throws(WireError) {
    network = try reader.required("network").string()
    driver = try reader["driver"]?.parsed("a driver", Network.Driver.init(rawValue:)) ?? .bridge
    bridge = try reader.required("bridge").interfaceName()
    link = try reader["link"]?.interfaceName() ?? bridge
    managed = try reader["managed"]?.bool() ?? false
    mtu = try reader["mtu"].map { (mtu) throws(WireError) in UInt32(try mtu.integer(in: 0...Int64(UInt32.max))) }
    addresses = try reader.list("addresses", "an address with its length") { Prefix($0) }
    subnets = try reader.list("subnets", "a prefix") { Prefix($0) }
    masquerade = try reader.list("masquerade", "a prefix") { Prefix($0) }
    sourceNAT = try reader.list("snat", "a prefix and an address") { text in
      let parts = text.split(separator: " ")
      guard parts.count == 2, let subnet = Prefix(parts[0]), let host = IPAddress(parts[1]) else { return nil }
      return SubnetSource(subnet: subnet, host: host)
    }
    isInternal = try reader["internal"]?.bool() ?? false
    isolate = try reader.required("isolate").parsed("a kind of isolation", Network.Isolation.init(recorded:))
    expose = try reader["expose_all"]?.bool() ?? false ? .all : .published
    vlanFiltering = try reader["vlan_filtering"]?.bool() ?? false
    vlan = try reader["vlan"].map { (vlan) throws(WireError) in UInt16(try vlan.integer(in: 1...4094)) }
    vxlan = try reader["vxlan"].map { (vxlan) throws(WireError) in try VXLAN(recorded: vxlan) }
    database = try reader["database"]?.parsed(DatabaseAddress.expectation) { DatabaseAddress($0) }
  }
}

extension Network.Isolation {
  fileprivate var recorded: String {
    switch self {
    case .networks: "networks"
    case .containers: "containers"
    case .none: "none"
    }
  }

  fileprivate init?(recorded: String) {
    switch recorded {
    case "networks": self = .networks
    case "containers": self = .containers
    case "none": self = .none
    default: return nil
    }
  }
}

extension VXLAN {
  fileprivate var json: JSONValue {
    var members = JSONMembers()
    if case .number(let number) = identifier { members.set("id", .integer(Int64(number))) }
    members.set("local", local.map { .string($0.description) })
    members.set("remotes", texts: remotes)
    members.set("port", .integer(Int64(port)))
    return members.value
  }

  fileprivate init(recorded reader: JSONReader) throws(WireError) {
    let number = try reader["id"].map { (id) throws(WireError) in UInt32(try id.integer(in: 0...0xff_ffff)) }
    self.init(
      number.map { .number($0) } ?? .flow,
      local: try reader["local"].map { (local) throws(WireError) in try local.parsed("an address") { IPAddress($0) } },
      remotes: try reader.list("remotes", "an address") { IPAddress($0) })
    port = UInt16(try reader.required("port").integer(in: 1...65535))
  }
}
