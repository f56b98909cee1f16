import WireCore
import WirePlan

/// A claim book in memory, so that planning is tested without a database.
final class MemoryBook: ClaimBook {
  var links: [String: String] = [:]
  var addresses: [String: [IPAddress: String]] = [:]
  var remembered: [String: IPAddress] = [:]
  var macs: [String: String] = [:]
  var ports: [(transport: TransportProtocol, address: IPAddress, port: UInt16, container: String)] = []
  var chosen: [String: UInt16] = [:]

  func claimLink(_ name: InterfaceName, for container: String) throws(PlanFailure) -> Bool {
    let holder = links[name.description] ?? container
    links[name.description] = holder
    return holder == container
  }

  func addressBefore(
    segment: String, owner: String, interface: InterfaceName, family: Family
  ) throws(PlanFailure) -> IPAddress? {
    remembered["\(segment) \(owner) \(interface) \(family)"].flatMap { addresses[segment]?[$0] == nil ? $0 : nil }
  }

  func nextAddress(
    segment: String, from first: IPAddress, to last: IPAddress, avoiding: (IPAddress) -> Bool
  ) throws(PlanFailure) -> IPAddress? {
    var candidate: IPAddress? = first
    while let address = candidate, address <= last {
      if !avoiding(address), addresses[segment]?[address] == nil { return address }
      candidate = address.next
    }
    return nil
  }

  func claimAddress(
    _ address: IPAddress, segment: String, interface: InterfaceName, for container: ContainerIdentity
  ) throws(PlanFailure) {
    if let holder = addresses[segment]?[address] {
      throw .taken(by: holder, WireError("claiming \(address)", "\(holder) has it"))
    }
    addresses[segment, default: [:]][address] = container.id
    remembered["\(segment) \(container.owner) \(interface) \(address.family)"] = address
  }

  func macHolder(_ mac: MACAddress, on bridge: InterfaceName, besides container: String) throws(PlanFailure) -> String?
  {
    macs["\(bridge) \(mac)"].flatMap { $0 == container ? nil : $0 }
  }

  func rememberedPort(
    _ transport: TransportProtocol, host: IPAddress?, containerPort: UInt16, owner: String
  ) throws(PlanFailure) -> UInt16? { chosen["\(owner) \(transport) \(containerPort)"] }

  func rememberPort(_ mapping: PortMapping, owner: String) throws(PlanFailure) {
    chosen["\(owner) \(mapping.transport) \(mapping.containerPort)"] = mapping.hostPort
  }

  func portHolder(
    _ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16
  ) throws(PlanFailure) -> String? {
    ports.first {
      $0.transport == transport && $0.port == port && $0.address.family == address.family
        && ($0.address == address || $0.address.isAny || address.isAny)
    }?.container
  }

  func claimPort(
    _ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16, for container: String
  ) throws(PlanFailure) {
    if let holder = try portHolder(transport, address, port) {
      throw .taken(by: holder, WireError("publishing \(port)/\(transport.rawValue)", "container \(holder) has it"))
    }
    ports.append((transport, address, port, container))
  }
}

/// A host on whose ports these programs listen.
struct MemoryPorts: HostPorts {
  var listening: Set<UInt16> = []
  var ephemeral: ClosedRange<UInt16> = 32_768...60_999

  func isFree(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) -> Bool {
    !listening.contains(port)
  }

  func holder(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) -> String {
    "\"nginx\" (pid 812) of this host listens there"
  }

  func ephemeralRange() -> ClosedRange<UInt16> { ephemeral }
}
