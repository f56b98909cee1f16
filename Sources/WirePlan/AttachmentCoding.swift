package import WireCore
package import WireJSON

/// The form in which an attachment is recorded. A key that has its usual value is left out.
extension Attachment {
  package var json: JSONValue {
    var members = JSONMembers()
    members.set("id", .string(container.id))
    members.set("name", container.name.map { .string($0) })
    members.set("interfaces", .array(interfaces.map { $0.json }))
    members.set("ports", .array(ports.map { $0.json }))
    members.set("engine", container.engine.map { .string($0.kind.rawValue) })
    members.set("directory", container.engine.map { .string($0.directory) })
    members.set("files", array: files.map { $0.json })
    members.set("namespace", container.namespaceFile.map { .string($0) })
    members.set("published_only", flag: isWiredByOthers)
    return members.value
  }

  /// Reads what `json` wrote.
  package init(_ reader: JSONReader) throws(WireError) {
    var interfaces: [AttachedInterface] = []
    for element in try reader.required("interfaces").elements() { interfaces.append(try AttachedInterface(element)) }
    var ports: [PublishedPort] = []
    for element in try reader.required("ports").elements(limit: 70_000) { ports.append(try PublishedPort(element)) }
    let engine = try reader["engine"].map { (engine) throws(WireError) in
      EngineReference(
        try engine.parsed("an engine") { EngineReference.Kind(rawValue: $0) },
        directory: try reader.required("directory").string())
    }
    self.init(
      container: ContainerIdentity(
        id: try reader.required("id").string(), name: try reader["name"]?.string(), engine: engine,
        namespaceFile: try reader["namespace"]?.string()),
      interfaces: interfaces, ports: ports)
    isWiredByOthers = try reader["published_only"]?.bool() ?? false
    for element in try reader["files"]?.elements() ?? [] { files.append(try FileEdit(element)) }
  }
}

extension AttachedInterface {
  fileprivate var json: JSONValue {
    var members = JSONMembers()
    members.set("name", .string(name.description))
    members.set("network", .string(network))
    members.set("bridge", .string(bridge.description))
    members.set("host", .string(hostLink.description))
    members.set("mac", .string(mac.description))
    members.set("mtu", .integer(Int64(mtu)))
    members.set("vlan", vlan.map { $0.json })
    members.set("switch", switchPort.map { $0.json })
    members.set("addresses", texts: addresses)
    members.set("gateways", texts: gateways)
    members.set("default_routes", texts: defaultRoutes.map { $0.name })
    members.set("source_table", sourceTable.map { .integer(Int64($0)) })
    members.set("routes", array: routes.map { $0.json })
    members.set("sysctls", array: sysctls.map { .string("\($0.key)=\($0.value)") })
    members.set("ingress", ingress.map { .integer(Int64(clamping: $0.bitsPerSecond)) })
    members.set("egress", egress.map { .integer(Int64(clamping: $0.bitsPerSecond)) })
    members.set("shaper", shaper.map { .string($0.description) })
    members.set("hairpin", flag: hairpin)
    members.set("isolated", flag: isolated)
    members.set("antispoof", flag: antispoof)
    members.set("announced", flag: announced)
    members.set("slaac", flag: slaac)
    members.set("among_others", flag: isAmongOthers)
    members.set("snat", texts: sourceAddresses)
    members.set("no_way_back", texts: noWayBack.map { $0.name })
    return members.value
  }

  fileprivate init(_ reader: JSONReader) throws(WireError) {
    self.init(
      name: try reader.required("name").interfaceName(), network: try reader.required("network").string(),
      bridge: try reader.required("bridge").interfaceName(), hostLink: try reader.required("host").interfaceName(),
      mac: try reader.required("mac").parsed("a MAC address") { MACAddress($0) },
      mtu: UInt32(try reader.required("mtu").integer(in: 0...Int64(UInt32.max))))
    vlan = try reader["vlan"].map { (vlan) throws(WireError) in try VLANMembership(vlan) }
    switchPort = try reader["switch"].map { (port) throws(WireError) in try SwitchPort(port) }
    addresses = try reader.list("addresses", "an address with its length") { Prefix($0) }
    gateways = try reader.list("gateways", "an address") { IPAddress($0) }
    defaultRoutes = try reader.list("default_routes", "a family", Family.init(name:))
    sourceTable = try reader["source_table"].map { (table) throws(WireError) in
      UInt32(try table.integer(in: 1...Int64(UInt32.max)))
    }
    for route in try reader["routes"]?.elements() ?? [] { routes.append(try ContainerRoute(route)) }
    sysctls = try reader.list("sysctls", "KEY=VALUE") { text in
      text.firstIndex(of: "=").map {
        InterfaceSysctl(key: String(text[..<$0]), value: String(text[text.index(after: $0)...]))
      }
    }
    ingress = try reader["ingress"]?.rate()
    egress = try reader["egress"]?.rate()
    shaper = try reader["shaper"]?.interfaceName()
    hairpin = try reader["hairpin"]?.bool() ?? false
    isolated = try reader["isolated"]?.bool() ?? false
    antispoof = try reader["antispoof"]?.bool() ?? false
    announced = try reader["announced"]?.bool() ?? false
    slaac = try reader["slaac"]?.bool() ?? false
    isAmongOthers = try reader["among_others"]?.bool() ?? false
    sourceAddresses = try reader.list("snat", "an address") { IPAddress($0) }
    noWayBack = try reader.list("no_way_back", "a family", Family.init(name:))
  }
}

extension VLANMembership {
  /// A number where one says it.
  var json: JSONValue { tag.map { .integer(Int64($0)) } ?? .string(description) }

  init(_ reader: JSONReader) throws(WireError) {
    if case .integer = reader.value {
      self = .access(UInt16(try reader.integer(in: 1...4094)))
    } else {
      self = try reader.parsed(VLANMembership.expectation) { VLANMembership($0) }
    }
  }
}

extension SwitchPort {
  fileprivate var json: JSONValue {
    var members = JSONMembers()
    members.set("database", .string(database.description))
    members.set("userspace", flag: isUserspace)
    members.set("limits", flag: limits)
    return members.value
  }

  fileprivate init(_ reader: JSONReader) throws(WireError) {
    self.init(
      database: try reader.required("database").parsed(DatabaseAddress.expectation) { DatabaseAddress($0) },
      isUserspace: try reader["userspace"]?.bool() ?? false, limits: try reader["limits"]?.bool() ?? false)
  }
}

extension ContainerRoute {
  fileprivate var json: JSONValue {
    var members = JSONMembers()
    members.set("destination", .string(destination.description))
    members.set("via", via.map { .string($0.description) })
    members.set("metric", metric.map { .integer(Int64($0)) })
    return members.value
  }

  fileprivate init(_ reader: JSONReader) throws(WireError) {
    self.init(
      destination: try reader.required("destination").parsed("a prefix") { Prefix($0) },
      via: try reader["via"].map { (via) throws(WireError) in try via.parsed("an address") { IPAddress($0) } },
      metric: try reader["metric"].map { (metric) throws(WireError) in
        UInt32(try metric.integer(in: 0...Int64(UInt32.max)))
      })
  }
}

extension PublishedPort {
  fileprivate var json: JSONValue {
    var members = JSONMembers()
    members.set("protocol", .string(mapping.transport.rawValue))
    members.set("host_ip", mapping.hostAddress.map { .string($0.description) })
    members.set("host_port", .integer(Int64(mapping.hostPort)))
    members.set("container_port", .integer(Int64(mapping.containerPort)))
    members.set("targets", texts: targets)
    members.set("allow", allow.map { .array($0.map { .string($0.description) }) })
    return members.value
  }

  fileprivate init(_ reader: JSONReader) throws(WireError) {
    let mapping = PortMapping(
      try reader.required("protocol").parsed("tcp, udp or sctp") { TransportProtocol(rawValue: $0) },
      hostAddress: try reader["host_ip"].map { (host) throws(WireError) in
        try host.parsed("an address") { IPAddress($0) }
      },
      hostPort: UInt16(try reader.required("host_port").integer(in: 1...65535)),
      containerPort: UInt16(try reader.required("container_port").integer(in: 1...65535)))
    self.init(
      mapping: mapping, targets: try reader.list("targets", "an address") { IPAddress($0) },
      allow: reader["allow"] == nil ? nil : try reader.list("allow", "a prefix") { Prefix($0) })
  }
}
