import WireConfig
package import WireCore
package import WireJSON

/// The form in which a network that stands is recorded; equal texts mean an equal network.
extension NetworkSetup {
  package var json: JSONValue {
    var members = JSONMembers()
    members.set("network", .string(network))
    members.set("bridge", .string(bridge.description))
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
    return members.value
  }

  /// Reads what `json` wrote.
  package init(_ reader: JSONReader) throws(WireError) {
    network = try reader.required("network").string()
    bridge = try reader.required("bridge").interfaceName()
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
