package import WireCore
import WireJSON
package import WirePlan
package import WireState

/// The recorded state as the book in which a plan claims what it takes.
extension Store: ClaimBook {
  package borrowing func claimLink(_ name: InterfaceName, for container: String) throws(PlanFailure) -> Bool {
    do throws(StateError) {
      try claimLink(name, container: container)
      return true
    } catch {
      if case .linkTaken = error.kind { return false }
      throw .refused(Hints.explain(error))
    }
  }

  package borrowing func addressBefore(
    segment: String, owner: String, interface: InterfaceName, family: Family
  ) throws(PlanFailure) -> IPAddress? {
    try asking { () throws(StateError) in
      try rememberedAddress(segment: segment, owner: owner, interface: interface, family: family)
    }
  }

  package borrowing func nextAddress(
    segment: String, from first: IPAddress, to last: IPAddress, avoiding: (IPAddress) -> Bool
  ) throws(PlanFailure) -> IPAddress? {
    try asking { () throws(StateError) in
      try nextAddress(segment: segment, range: first...last, avoiding: avoiding)
    }
  }

  package borrowing func claimAddress(
    _ address: IPAddress, segment: String, interface: InterfaceName, for container: ContainerIdentity
  ) throws(PlanFailure) {
    do throws(StateError) {
      try claimLease(
        segment: segment, address: address, owner: container.owner, interface: interface, container: container.id)
    } catch {
      guard case .addressTaken(let holder) = error.kind else { throw .refused(Hints.explain(error)) }
      throw .taken(
        by: holder,
        WireError(
          "giving \(interface) the address \(address)", "container \(name(of: holder)) has it",
          hint: "take another one, or stop that container"))
    }
  }

  package borrowing func macHolder(
    _ mac: MACAddress, on bridge: InterfaceName, besides container: String
  ) throws(PlanFailure) -> String? {
    // As an attachment's record has them. Two interfaces of one container may answer together: that refuses too much.
    func text(_ key: String, _ value: String) -> String { "\"\(key)\":" + JSONWriter.compact(.string(value)) }
    return try asking { () throws(StateError) in
      try self.container(
        besides: container, holding: text("mac", mac.description), and: text("bridge", bridge.description))
    }
  }

  package borrowing func rememberedPort(
    _ transport: TransportProtocol, host: IPAddress?, containerPort: UInt16, owner: String
  ) throws(PlanFailure) -> UInt16? {
    try asking { () throws(StateError) in
      try rememberedPort(
        owner: owner, transport: transport, address: host ?? .any(.ipv4), containerPort: containerPort)
    }
  }

  package borrowing func rememberPort(_ mapping: PortMapping, owner: String) throws(PlanFailure) {
    try asking { () throws(StateError) in
      try rememberPort(
        owner: owner, transport: mapping.transport, address: mapping.hostAddress ?? .any(.ipv4),
        containerPort: mapping.containerPort, hostPort: mapping.hostPort)
    }
  }

  package borrowing func portHolder(
    _ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16
  ) throws(PlanFailure) -> String? {
    try asking { () throws(StateError) in try portHolder(WireState.HostPort(transport, address, port))?.container }
  }

  package borrowing func claimPort(
    _ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16, for container: String
  ) throws(PlanFailure) {
    do throws(StateError) {
      try claimPort(WireState.HostPort(transport, address, port), container: container)
    } catch {
      guard case .portTaken(let holder, let held) = error.kind else { throw .refused(Hints.explain(error)) }
      let onAddress = held.address.isAny ? "" : " on \(held.address)"
      throw .taken(
        by: holder,
        WireError(
          "publishing host port \(port)/\(transport.rawValue)",
          "container \(name(of: holder)) publishes it\(onAddress)",
          hint: "publish another port, or stop that container"))
    }
  }

  private borrowing func asking<Result>(_ body: () throws(StateError) -> Result) throws(PlanFailure) -> Result {
    do throws(StateError) { return try body() } catch { throw .refused(Hints.explain(error)) }
  }

  /// A container as people know it, for an error message; its id where more cannot be learnt.
  private borrowing func name(of id: String) -> String {
    do throws(StateError) {
      if let name = try container(id: id)?.name { return "\(name.quoted) (\(id))" }
    } catch {}
    return id.quoted
  }
}
