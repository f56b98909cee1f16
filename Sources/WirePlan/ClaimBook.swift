package import WireCore

/// Where addresses, ports and link names are claimed. The store is one; a test's dictionary is another.
///
/// Claims are made inside one transaction: whoever throws leaves nothing claimed.
package protocol ClaimBook: ~Copyable {
  /// Claims a host link's name for a container; false where another container has it.
  func claimLink(_ name: InterfaceName, for container: String) throws(PlanFailure) -> Bool

  /// The free address that this owner's interface had before.
  func addressBefore(
    segment: String, owner: String, interface: InterfaceName, family: Family
  ) throws(PlanFailure) -> IPAddress?
  /// A free address: one never given, else the one freed longest ago; nil where all are taken.
  func nextAddress(
    segment: String, from first: IPAddress, to last: IPAddress, avoiding: (IPAddress) -> Bool
  ) throws(PlanFailure) -> IPAddress?
  /// Claims an address; throws `.taken` where another container has it.
  func claimAddress(
    _ address: IPAddress, segment: String, interface: InterfaceName, for container: ContainerIdentity
  ) throws(PlanFailure)

  /// The other container on this bridge that has the MAC address.
  func macHolder(_ mac: MACAddress, on bridge: InterfaceName, besides container: String) throws(PlanFailure) -> String?

  /// The host port that was chosen for this owner's container port before.
  func rememberedPort(
    _ transport: TransportProtocol, host: IPAddress?, containerPort: UInt16, owner: String
  ) throws(PlanFailure) -> UInt16?
  func rememberPort(_ mapping: PortMapping, owner: String) throws(PlanFailure)
  /// The container that has the port on this address, or on all, or (for any address) on one.
  func portHolder(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) throws(PlanFailure) -> String?
  /// Claims a port; throws `.taken` where another container has it.
  func claimPort(
    _ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16, for container: String
  ) throws(PlanFailure)
}

/// The host's own use of its ports.
package protocol HostPorts: ~Copyable {
  /// Whether no program of the host has the port on this address; the any-address asks for every address.
  func isFree(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) -> Bool
  /// Who has it, for an error: `"nginx" (pid 812) of this host listens there`.
  func holder(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) -> String
  /// `net.ipv4.ip_local_port_range`.
  func ephemeralRange() -> ClosedRange<UInt16>
}

/// Why no plan came about.
package enum PlanFailure: Error, Sendable {
  /// The request cannot be met.
  case refused(WireError)
  /// Another container holds what is needed. Where it is gone, the plan is worth another try after a clean-up.
  case taken(by: String, WireError)
  /// A pool has no address left. Where containers of it are gone, as above.
  case exhausted(segment: String, WireError)
}
