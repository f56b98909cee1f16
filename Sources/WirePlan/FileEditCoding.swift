import WireCore
import WireJSON

/// The form in which a change of a file is recorded.
extension FileEdit {
  var json: JSONValue {
    var members = JSONMembers()
    members.set("place", .string(file.place.rawValue))
    members.set("directory", .string(file.directory))
    members.set("name", .string(file.name))
    members.set("required", flag: isRequired)
    switch change {
    case .hosts(let lines): members.set("hosts", .array(lines.map { $0.json }))
    case .resolver(let settings):
      members.set("servers", .array(settings.servers.map { .string($0.description) }))
      members.set("search", settings.search.map { .array($0.map { .string($0) }) })
    }
    return members.value
  }

  init(_ reader: JSONReader) throws(WireError) {
    file = ContainerFile(
      try reader.required("place").parsed("a place") { ContainerFile.Place(rawValue: $0) },
      directory: try reader.required("directory").string(), name: try reader.required("name").string())
    isRequired = try reader["required"]?.bool() ?? false
    if let hosts = try reader["hosts"]?.elements(limit: 5000) {
      var lines: [HostsLine] = []
      for line in hosts { lines.append(try HostsLine(line)) }
      change = .hosts(lines)
    } else {
      change = .resolver(
        ResolverSettings(
          servers: try reader.list("servers", "an address") { IPAddress($0) },
          search: reader["search"] == nil ? nil : try reader.list("search", "a domain") { $0 }))
    }
  }
}

extension HostsLine {
  fileprivate var json: JSONValue {
    var members = JSONMembers()
    members.set("address", .string(address.description))
    members.set("names", texts: names)
    members.set("own", flag: isOwn)
    return members.value
  }

  fileprivate init(_ reader: JSONReader) throws(WireError) {
    self.init(
      try reader.required("address").parsed("an address") { IPAddress($0) },
      try reader.list("names", "a name") { $0 }, isOwn: try reader["own"]?.bool() ?? false)
  }
}
