import Testing
import WireConfig
import WireCore
import WireJSON
import WirePlan

/// Plans a container from annotations and network files as text, as a hook would.
struct Planning {
  var networks: [String: String] = [
    "front": """
    {"name": "front", "bridge": "wh-front", "subnets": [{"subnet": "10.210.4.0/22", "gateway": "10.210.4.1",
     "range": "10.210.5.0/29", "exclude": ["10.210.5.3"]}, {"subnet": "fd42:210:4::/64"}]}
    """,
    "back": """
    {"name": "back", "bridge": "wh-back", "subnets": [{"subnet": "10.220.0.0/24"}]}
    """,
    "inner": """
    {"name": "inner", "bridge": "wh-inner", "internal": true, "subnets": [{"subnet": "10.230.0.0/24"}]}
    """,
    "blue": """
    {"name": "blue", "driver": "ovs", "bridge": "br1", "vlan": 10, "subnets": [{"subnet": "100.1.1.0/24"}],
     "ovs": {"database": "unix:/db.sock"}, "isolate": "containers"}
    """,
  ]
  var host = HostFacts(ipv6: true, bridgeNetfilter: false, uplinkMTU: 1500)
  var bridgeMTU: UInt32?
  var bridgeAddresses: [Prefix] = []
  /// What the tunnels of networks that have any leave.
  var tunnelMTU: UInt32?
  /// The datapath of networks on Open vSwitch.
  var isUserspace = true
  var life: UInt64 = 1
  var ports = MemoryPorts()
  let book = MemoryBook()

  func attach(_ id: String, name: String? = nil, _ annotations: [(String, String)]) throws -> WirePlan.Attachment {
    let request = try ContainerRequest.parse(annotations: annotations.map { (key: $0.0, value: $0.1) })
    var requests: [(request: InterfaceRequest, facts: NetworkFacts)] = []
    for interface in request.interfaces {
      let network = try network(interface.network)
      var facts = NetworkFacts(network: network, bridgeMTU: bridgeMTU, bridgeAddresses: bridgeAddresses)
      facts.tunnelMTU = tunnelMTU
      if network.driver == .ovs, let database = network.ovs.database {
        facts.switchPort = SwitchPort(
          database: database, isUserspace: isUserspace, limits: network.ovs.limits == .ovs)
      }
      requests.append((interface, facts))
    }
    let planner = Planner<MemoryBook, MemoryPorts>(
      container: ContainerIdentity(id: id, name: name), host: host, life: life)
    return try planner.plan(requests, publishOn: [], book: book, hostPorts: ports)
  }

  /// The error of a plan that must not come about.
  func refusal(_ id: String, _ annotations: [(String, String)]) throws -> String {
    do {
      _ = try attach(id, annotations)
    } catch let failure as PlanFailure {
      switch failure {
      case .refused(let error), .taken(_, let error), .exhausted(_, let error): return error.description
      }
    }
    Issue.record("the plan came about")
    return ""
  }

  private func network(_ reference: NetworkReference?) throws -> Network {
    switch reference {
    case .named(let name):
      let text = try #require(networks[name])
      let json = try JSONValue.parse(Array(text.utf8), limits: .configuration, duplicates: .refuse)
      return try Network(json: json, file: "networks.d/\(name).json")
    case .bridge(let bridge): return Network.onTheSpot(bridge: bridge)
    case .ovs(let bridge): return Network.onTheSpot(ovs: bridge, database: .unix(path: "/db.sock"))
    case nil: return try network(.named("front"))
    }
  }
}
