package import WireCore
package import WireLinux

/// A tunnel of a bridge, whoever made it, as far as it decides how large a packet may be.
package struct TunnelInterface: Sendable, Hashable {
  /// Interface types with what each takes of the way's MTU besides the outer IP header, in bytes; the inner Ethernet header is
  /// among it (ovs-vswitchd.conf.db(5), Interface). Geneve's without options, GRE's with a key.
  static let overheads: [(type: String, bytes: UInt32)] = [
    ("vxlan", 30), ("geneve", 30), ("gre", 22), ("ip6gre", 22), ("stt", 54),
  ]

  /// The other end; nil: the flows say it, packet by packet.
  package let remote: IPAddress?
  /// What the tunnel takes of the MTU of the way to the other end, in bytes.
  package let overhead: UInt32

  init(type: String, bytes: UInt32, options: StringMap) {
    remote = options["remote_ip"].flatMap { IPAddress($0) }
    overhead = bytes + (remote?.family == .ipv6 || type == "ip6gre" ? 40 : 20)
  }
}

extension OpenVSwitch {
  /// The tunnels of a bridge. One question where the switch has none at all, two where it has.
  package func tunnels(of bridge: String, until deadline: Deadline) throws(OVSDBError) -> [TunnelInterface] {
    let what = "a question about the tunnels of bridge \(bridge.quoted)"
    let answer = try ask(
      TunnelInterface.overheads.map { overhead in
        .select(
          .interface, where: [.init("type", .equal, .string(overhead.type))], columns: ["_uuid", "options"])
      }, for: what, until: deadline)
    var tunnels: [(uuid: OVSUUID, tunnel: TunnelInterface)] = []
    for (index, (type, bytes)) in TunnelInterface.overheads.enumerated() {
      for row in try answer.rows(index) {
        tunnels.append((try row.uuid(), .init(type: type, bytes: bytes, options: try row.map("options"))))
      }
    }
    guard !tunnels.isEmpty else { return [] }

    let ports = tunnels.map { tunnel in
      OVSDBOperation.select(
        .port, where: [.init("interfaces", .includes, .set([.uuid(tunnel.uuid)]))], columns: ["_uuid"])
    }
    let owners = try ask(
      [.select(.bridge, where: [.named(bridge)], columns: ["ports"])] + ports, for: what, until: deadline)
    let own = Set(try owners.rows(0).first?.uuids("ports") ?? [])
    var found: [TunnelInterface] = []
    for (index, tunnel) in tunnels.enumerated() {
      if let port = try owners.rows(index + 1).first?.uuid(), own.contains(port) { found.append(tunnel.tunnel) }
    }
    return found
  }
}
