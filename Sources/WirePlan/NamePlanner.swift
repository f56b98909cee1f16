package import WireConfig
package import WireCore

/// What is known of the files that a container's resolver reads, before anything is changed.
package struct NameFacts: Sendable, Equatable {
  /// nil: there is none that we may change.
  package var hosts: ContainerFile?
  package var resolver: ContainerFile?
  /// The resolvers in that file, as they are written there.
  package var servers: [String] = []
  /// Whether the user chose these resolvers when he ran the container.
  package var serversAreChosen = false
  /// The resolvers that the host itself asks in the end; looked up only where the file has none of use.
  package var upstreams: [IPAddress] = []
  package var hostname: String?
  package var domainname: String?
  /// Entries for /etc/hosts that the user gave to the engine.
  package var engineHosts: [NameRequest.HostEntry] = []

  package init() {}
}

/// Decides what goes into a container's /etc/hosts and /etc/resolv.conf.
package struct NamePlanner: Sendable {
  let facts: NameFacts
  let request: NameRequest
  /// The networks' `dns_servers`, in the order of the interfaces.
  let fallback: [IPAddress]

  package init(facts: NameFacts, request: NameRequest, fallback: [IPAddress]) {
    self.facts = facts
    self.request = request
    self.fallback = fallback
  }

  package func plan(for attachment: Attachment) throws(WireError) -> [FileEdit] {
    var edits: [FileEdit] = []
    if let file = facts.hosts {
      let lines = try hostsLines(attachment)
      if !lines.isEmpty {
        edits.append(FileEdit(file: file, change: .hosts(lines), isRequired: request.asksForHosts))
      }
    }
    if let file = facts.resolver, let settings = resolver(attachment) {
      edits.append(FileEdit(file: file, change: .resolver(settings), isRequired: request.asksForResolver))
    }
    return edits
  }

  // MARK: /etc/hosts

  /// The container's own lines as Docker writes them on its bridge: the name with its domain first, each address.
  private func hostsLines(_ attachment: Attachment) throws(WireError) -> [HostsLine] {
    var lines: [HostsLine] = []
    let own = ownNames(attachment.container)
    if !own.isEmpty {
      for interface in attachment.interfaces {
        for family in Family.allCases {
          if let address = interface.address(family) { lines.append(HostsLine(address, own, isOwn: true)) }
        }
      }
    }
    let gateway = hostGateway(attachment)
    for entry in request.hosts {
      guard let address = entry.address ?? gateway else {
        throw WireError(
          "annotation wirehook.hosts \"\(entry.name):host-gateway\"", "this host is not the container's gateway",
          hint: "give an address: \(entry.name):ADDRESS")
      }
      lines.append(HostsLine(address, [entry.name], isOwn: false))
    }
    let given = Set((request.hosts + facts.engineHosts.filter { $0.address != nil }).map { $0.name })
    let names = (Self.gatewayNames + facts.engineHosts.filter { $0.address == nil }.map { $0.name })
      .reduce(into: [String]()) { names, name in
        if !given.contains(name), !names.contains(name) { names.append(name) }
      }
    if let gateway, !names.isEmpty { lines.append(HostsLine(gateway, names, isOwn: false)) }
    return lines
  }

  /// What Docker and Podman call the host that they run on.
  private static let gatewayNames = ["host.docker.internal", "host.containers.internal"]

  private func ownNames(_ container: ContainerIdentity) -> [String] {
    var names: [String] = []
    if let hostname = facts.hostname, !hostname.isEmpty {
      if let domain = facts.domainname, !domain.isEmpty { names.append("\(hostname).\(domain)") }
      names.append(hostname)
    }
    names += (container.name.map { [$0] } ?? []) + request.aliases
    // A hostname is whatever the bundle says: what is no name would break the line.
    return names.reduce(into: []) { result, name in
      if name != "localhost", !result.contains(name), Self.isName(name) { result.append(name) }
    }
  }

  private static func isName(_ text: String) -> Bool {
    (1...1024).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "#") }
  }

  /// The host as the container reaches it: its gateway, where that is an address of this host.
  private func hostGateway(_ attachment: Attachment) -> IPAddress? {
    for family in Family.allCases {
      for interface in attachment.interfaces
      where interface.defaultRoutes.contains(family) && !interface.noWayBack.contains(family) {
        if let gateway = interface.gateways.first(where: { $0.family == family }) { return gateway }
      }
    }
    return nil
  }

  // MARK: /etc/resolv.conf

  /// What to write; nil where the file is right as it is.
  private func resolver(_ attachment: Attachment) -> ResolverSettings? {
    var settings = ResolverSettings(servers: request.servers, search: request.search)
    if settings.servers.isEmpty, !facts.serversAreChosen {
      let usable = facts.servers.compactMap { IPAddress($0) }.filter { isUsable($0, attachment) }
      // Loopback is the container's own, where nobody answers. As on Docker's bridge: what is left, else what the host
      // asks in the end, else what the administrator gives.
      if usable.isEmpty {
        let upstreams = facts.upstreams.filter { isUsable($0, attachment) }
        settings.servers = upstreams.isEmpty ? fallback : upstreams
      } else if usable.count < facts.servers.count {
        settings.servers = usable
      }
    }
    return settings.servers.isEmpty && settings.search == nil ? nil : settings
  }

  private func isUsable(_ server: IPAddress, _ attachment: Attachment) -> Bool {
    !server.isLoopback && !server.isAny && !(server.family == .ipv6 && server.isLinkLocal)
      && attachment.interfaces.contains { $0.address(server.family) != nil }
  }
}
