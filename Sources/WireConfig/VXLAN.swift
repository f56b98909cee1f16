package import WireCore
internal import WireJSON

/// Tunnels to the same network on other hosts (RFC 7348).
package struct VXLAN: Sendable, Hashable {
  /// The network identifier of the frames.
  package enum Identifier: Sendable, Hashable, CustomStringConvertible {
    /// This VNI.
    case number(UInt32)
    /// What OpenFlow flows set (`options:key=flow`); with the NORMAL action of a bridge without flows, 0.
    case flow

    /// As `options:key` of Open vSwitch has it.
    package var description: String { if case .number(let number) = self { "\(number)" } else { "flow" } }
  }

  package var identifier: Identifier
  /// The host's address that tunnels leave by; nil: as the route to the remote says.
  package var local: IPAddress?
  /// The other hosts; on a Linux bridge, also one multicast group.
  package var remotes: [IPAddress]
  /// The UDP port.
  package var port = standardPort

  /// IANA's.
  package static let standardPort: UInt16 = 4789

  package init(_ identifier: Identifier, local: IPAddress? = nil, remotes: [IPAddress]) {
    self.identifier = identifier
    self.local = local
    self.remotes = remotes
  }

  /// What a tunnel takes from the MTU of the way to the other host: the outer IP header, UDP (8), VXLAN (8) and the inner
  /// Ethernet header (14).
  package var overhead: UInt32 { remotes.contains { $0.family == .ipv6 } ? 70 : 50 }
}

extension VXLAN {
  package static let keys = ["id", "key", "local", "remotes", "port"]

  init(_ reader: JSONReader, driver: Network.Driver) throws(WireError) {
    try reader.allowOnly(Self.keys)
    var remotes: [IPAddress] = []
    for element in try reader.required("remotes").elements(limit: 256) {
      let remote = try element.parsed("another host's address") { IPAddress($0) }
      guard !remote.isAny, !remote.isLoopback else { throw element.expected("another host's address") }
      guard !remotes.contains(remote) else { throw element.refused("the remote is named twice") }
      remotes.append(remote)
    }
    guard Set(remotes.map { $0.family }).count <= 1 else {
      throw try reader.required("remotes").expected("addresses of one family")
    }
    self.init(try Self.identifier(reader, driver), remotes: remotes)
    if let given = reader["port"] { port = UInt16(try given.integer(in: 1...65535)) }
    if let given = reader["local"] {
      let family = remotes.first?.family
      local = try given.parsed("an address of this host, of the same family as the remotes") { text in
        IPAddress(text).flatMap { $0.isAny || $0.isMulticast || family.map($0.isNot) ?? false ? nil : $0 }
      }
    }
    try checkMulticast(reader, driver)
  }

  private static func identifier(_ reader: JSONReader, _ driver: Network.Driver) throws(WireError) -> Identifier {
    switch (reader["id"], reader["key"]) {
    case (let id?, nil): return .number(UInt32(try id.integer(in: 0...0xff_ffff)))
    case (nil, let key?):
      guard case .string("flow") = key.value else { throw key.expected("\"flow\"", hint: "a number goes into \"id\"") }
      guard driver == .ovs else { throw key.refused("only Open vSwitch has flows", hint: "give an \"id\"") }
      return .flow
    default: throw reader.expected("either \"id\", or \"key\": \"flow\"")
    }
  }

  /// A group is heard on one link, which the kernel must be told: the one that has the local address.
  private func checkMulticast(_ reader: JSONReader, _ driver: Network.Driver) throws(WireError) {
    guard remotes.contains(where: { $0.isMulticast }) else { return }
    let given = try reader.required("remotes")
    guard driver == .bridge else {
      throw given.refused("Open vSwitch has no multicast tunnels", hint: "name each remote")
    }
    guard remotes.count == 1 else { throw given.refused("a multicast group stands alone") }
    guard local != nil else {
      throw given.refused("a multicast group needs \"local\"", hint: "give the host's address on that network")
    }
  }
}

extension IPAddress {
  fileprivate func isNot(_ family: Family) -> Bool { self.family != family }
}
