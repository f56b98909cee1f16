package import WireConfig
package import WireCore

/// Decides the published ports of one interface, and claims them.
package struct PortPlanner {
  let container: ContainerIdentity
  let interface: AttachedInterface
  let network: Network

  package init(container: ContainerIdentity, interface: AttachedInterface, network: Network) {
    self.container = container
    self.interface = interface
    self.network = network
  }

  /// The ports that the request asks for, claimed.
  package func plan(
    _ request: InterfaceRequest, publishOn: [IPAddress], book: borrowing some ClaimBook & ~Copyable,
    hostPorts: borrowing some HostPorts & ~Copyable
  ) throws(PlanFailure) -> [PublishedPort] {
    var published: [PublishedPort] = []
    for entry in request.ports {
      let addresses: [IPAddress?] =
        entry.hostAddress.map { [$0] } ?? (publishOn.isEmpty ? [nil] : publishOn.map { $0 })
      for address in addresses {
        let targets = try targets(of: entry, address)
        for mapping in try mappings(of: entry, address, targets, book, hostPorts) {
          published.append(
            PublishedPort(mapping: mapping, targets: targets, allow: allow(request, mapping.hostPort)))
        }
      }
    }
    return published
  }

  private func allow(_ request: InterfaceRequest, _ port: UInt16) -> [Prefix]? {
    if let own = request.allowByPort[port] { return own }
    if !request.allow.isEmpty { return request.allow }
    return network.allow.isEmpty ? nil : network.allow
  }

  private func targets(of entry: PortRequest, _ address: IPAddress?) throws(PlanFailure) -> [IPAddress] {
    let families = address.map { [$0.family] } ?? Family.allCases
    let targets = families.compactMap { interface.address($0) }
    guard !targets.isEmpty else {
      let wanted = address.map { "no \($0.family.name) address" } ?? "no address"
      throw refuse(entry, "\(interface.name) has \(wanted) to publish to", "give it one with wirehook.ip")
    }
    return targets
  }

  private func mappings(
    of entry: PortRequest, _ address: IPAddress?, _ targets: [IPAddress], _ book: borrowing some ClaimBook & ~Copyable,
    _ hostPorts: borrowing some HostPorts & ~Copyable
  ) throws(PlanFailure) -> [PortMapping] {
    guard let wanted = entry.hostPorts else {
      var chosen: [PortMapping] = []
      for port in entry.containerPorts {
        var mapping = PortMapping(entry.transport, hostAddress: address, hostPort: 0, containerPort: port)
        mapping.hostPort = try choose(mapping, entry, targets, book, hostPorts)
        chosen.append(mapping)
      }
      return chosen
    }
    if wanted.count > 1, entry.containerPorts.count == 1 {
      return [try firstFree(of: wanted, entry, address, targets, book, hostPorts)]
    }
    var mappings: [PortMapping] = []
    for (host, port) in zip(wanted, entry.containerPorts) {
      let mapping = PortMapping(entry.transport, hostAddress: address, hostPort: host, containerPort: port)
      try claim(mapping, entry, targets, book, hostPorts)
      mappings.append(mapping)
    }
    return mappings
  }

  /// The addresses that a mapping is claimed on: its own, or the any-address of each family that it serves.
  private func claimed(_ mapping: PortMapping, _ targets: [IPAddress]) -> [IPAddress] {
    mapping.hostAddress.map { [$0] } ?? targets.map { .any($0.family) }
  }

  private func claim(
    _ mapping: PortMapping, _ entry: PortRequest, _ targets: [IPAddress], _ book: borrowing some ClaimBook & ~Copyable,
    _ hostPorts: borrowing some HostPorts & ~Copyable
  ) throws(PlanFailure) {
    for address in claimed(mapping, targets) {
      try book.claimPort(mapping.transport, address, mapping.hostPort, for: container.id)
      guard hostPorts.isFree(mapping.transport, address, mapping.hostPort) else {
        throw refuse(
          entry,
          "host port \(mapping.hostPort)/\(mapping.transport.rawValue) is taken: "
            + hostPorts.holder(mapping.transport, address, mapping.hostPort),
          "publish another port, or stop that program")
      }
    }
  }

  private func isFree(
    _ mapping: PortMapping, _ targets: [IPAddress], _ book: borrowing some ClaimBook & ~Copyable,
    _ hostPorts: borrowing some HostPorts & ~Copyable
  ) throws(PlanFailure) -> Bool {
    for address in claimed(mapping, targets) {
      guard try book.portHolder(mapping.transport, address, mapping.hostPort) == nil,
        hostPorts.isFree(mapping.transport, address, mapping.hostPort)
      else { return false }
    }
    return true
  }

  private func firstFree(
    of range: ClosedRange<UInt16>, _ entry: PortRequest, _ address: IPAddress?, _ targets: [IPAddress],
    _ book: borrowing some ClaimBook & ~Copyable, _ hostPorts: borrowing some HostPorts & ~Copyable
  ) throws(PlanFailure) -> PortMapping {
    let port = entry.containerPorts.lowerBound
    for host in range {
      let mapping = PortMapping(entry.transport, hostAddress: address, hostPort: host, containerPort: port)
      guard try isFree(mapping, targets, book, hostPorts) else { continue }
      try claim(mapping, entry, targets, book, hostPorts)
      return mapping
    }
    throw refuse(entry, "each host port of \(range.lowerBound)-\(range.upperBound) is taken", "widen the range")
  }

  /// A host port for a mapping that names none: the one that the owner had, else the first free one from a place that
  /// follows from the owner, so that two hosts with the same containers choose alike.
  private func choose(
    _ mapping: PortMapping, _ entry: PortRequest, _ targets: [IPAddress], _ book: borrowing some ClaimBook & ~Copyable,
    _ hostPorts: borrowing some HostPorts & ~Copyable
  ) throws(PlanFailure) -> UInt16 {
    var mapping = mapping
    if let before = try book.rememberedPort(
      mapping.transport, host: mapping.hostAddress, containerPort: mapping.containerPort, owner: container.owner)
    {
      mapping.hostPort = before
      if try isFree(mapping, targets, book, hostPorts) {
        try claim(mapping, entry, targets, book, hostPorts)
        return before
      }
    }
    let ephemeral = hostPorts.ephemeralRange()
    let candidates = Self.candidates(outside: ephemeral)
    let start = Int(StableHash.of("\(container.owner)/\(mapping.containerPort)/\(mapping.transport)") % 65536)
    for offset in 0..<candidates.count {
      mapping.hostPort = candidates[(start + offset) % candidates.count]
      guard try isFree(mapping, targets, book, hostPorts) else { continue }
      try claim(mapping, entry, targets, book, hostPorts)
      try book.rememberPort(mapping, owner: container.owner)
      return mapping.hostPort
    }
    throw refuse(
      entry, "no host port outside the ephemeral range \(ephemeral.lowerBound)-\(ephemeral.upperBound) is free",
      "name a host port")
  }

  /// Ports that nobody is given by the kernel: a program's outgoing connection must not sit on a published port.
  static func candidates(outside ephemeral: ClosedRange<UInt16>) -> [UInt16] {
    let usual = (UInt16(20_000)...32_767).filter { !ephemeral.contains($0) }
    return usual.isEmpty ? (UInt16(1_024)...65_535).filter { !ephemeral.contains($0) } : usual
  }

  private func refuse(_ entry: PortRequest, _ why: String, _ hint: String) -> PlanFailure {
    .refused(WireError("publishing \(entry.text.quoted)", why, hint: hint))
  }
}
