import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// Subnets for a network that names none: a private IPv4 /24, and on a host that speaks IPv6 a /64 of its ULA range.
enum FreeSubnets {
  /// Chosen so that they overlap no route of this host, no configured network, and none that stands.
  static func choose(for network: String, on host: borrowing Host) throws(WireError) -> [Prefix] {
    let ipv6 = try NetworkChoice.hasIPv6()
    let taken = try taken(ipv6: ipv6, on: host)
    func isFree(_ candidate: Prefix) -> Bool {
      // A default route overlaps everything and means nothing here.
      !taken.contains { $0.family == candidate.family && $0.length > 0 && $0.overlaps(candidate) }
    }
    guard let ipv4 = candidates.first(where: isFree) else {
      throw WireError(
        "choosing subnets for network \(network)",
        "every private IPv4 range overlaps a route or a network of this host",
        hint: "give one with --subnet")
    }
    guard ipv6, let ula = ulaCandidates(network).first(where: isFree) else { return [ipv4] }
    return [ipv4, ula]
  }

  private static func taken(ipv6: Bool, on host: borrowing Host) throws(WireError) -> [Prefix] {
    var taken: [Prefix] = []
    for name in try host.configuration.networkNames() {
      // A file that cannot be read is for `config check` to say.
      guard let network = try? host.configuration.network(named: name) else { continue }
      taken += network.subnets.map { $0.prefix }
    }
    for marker in try host.read({ () throws(StateError) in try host.store.markers() }) {
      taken += try Records.network(marker).subnets
    }
    do throws(NetlinkError) {
      for family in Family.allCases where family == .ipv4 || ipv6 {
        taken += try host.route.routes(family, until: host.deadline).compactMap { $0.destination }
      }
    } catch {
      throw Hints.explain(error, while: "looking where this host's routes lead")
    }
    return taken
  }

  /// Beside the ranges that the default network takes a /16 of.
  private static let candidates: [Prefix] =
    (0..<15 * 256).compactMap { Prefix(IPAddress(.ipv4, 10 << 24 | (240 << 16) + $0 << 8), 24) }
    + (0...255).compactMap { Prefix(IPAddress(.ipv4, 192 << 24 | 168 << 16 | $0 << 8), 24) }
    + (0..<16 * 256).compactMap { Prefix(IPAddress(.ipv4, 172 << 24 | (16 << 16) + $0 << 8), 24) }

  /// fd00::/8, this host's 40-bit global id (RFC 4193), and a subnet that follows from the network's name; subnet 0 is the
  /// default network's.
  private static func ulaCandidates(_ network: String) -> [Prefix] {
    let globalID = UInt128(StableHash.of("wirehook \(MachineID.read())") >> 24)
    let start = StableHash.of(network) & 0xffff
    return (UInt64(0)..<256).compactMap { offset in
      let subnet = UInt128((start &+ offset) & 0xffff)
      return subnet == 0 ? nil : Prefix(IPAddress(.ipv6, 0xfd << 120 | globalID << 80 | subnet << 64), 64)
    }
  }
}
