package import WireConfig
package import WireCore

/// The network that containers get where no file says anything.
package enum DefaultNetwork {
  package static let name = "default"

  /// Its subnets: the first private IPv4 range that overlaps nothing of the host's, and an IPv6 ULA range (RFC 4193);
  /// nil where every candidate overlaps. `taken` are the destinations of the host's routes and the subnets of configured
  /// networks; `machineID` makes the ULA range this host's own, and the same after a reboot; `ipv6` says whether the host
  /// speaks IPv6.
  package static func subnets(avoiding taken: [Prefix], machineID: String, ipv6: Bool) -> [Subnet]? {
    guard let ipv4 = candidates.first(where: { candidate in !taken.contains { overlaps($0, candidate) } }) else {
      return nil
    }
    guard ipv6 else { return [Subnet(managed: ipv4)] }
    let globalID = UInt128(StableHash.of("wirehook \(machineID)") >> 24)
    // fd00::/8, the 40-bit global id, subnet 0.
    guard let ula = Prefix(IPAddress(.ipv6, 0xfd << 120 | globalID << 80), 64),
      !taken.contains(where: { overlaps($0, ula) })
    else { return [Subnet(managed: ipv4)] }
    return [Subnet(managed: ipv4), Subnet(managed: ula)]
  }

  /// A default route overlaps everything and means nothing here.
  private static func overlaps(_ route: Prefix, _ candidate: Prefix) -> Bool {
    route.length > 0 && route.family == candidate.family && route.overlaps(candidate)
  }

  /// 10.210.0.0/16 and on: seldom used by routers, VPNs (10.8, 10.0) or engines (172.17 and on, 10.88).
  private static let candidates: [Prefix] =
    (210...239).compactMap { Prefix(IPAddress(.ipv4, 10 << 24 | $0 << 16), 16) }
    + (16...31).compactMap { Prefix(IPAddress(.ipv4, 172 << 24 | $0 << 16), 16) }
    + (0...255).compactMap { Prefix(IPAddress(.ipv4, 192 << 24 | 168 << 16 | $0 << 8), 24) }
}
