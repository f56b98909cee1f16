package import WireCore
internal import WireJSON

/// A subnet of a network, and which of its addresses are given out.
package struct Subnet: Sendable, Equatable {
  /// Without host bits.
  package var prefix: Prefix
  /// nil only where the network is not managed and names none.
  package var gateway: IPAddress?
  /// Addresses are given out of this part; nil: out of all of the subnet.
  package var range: Prefix?
  /// Addresses that are never given out.
  package var exclude: [ClosedRange<IPAddress>]

  package init(prefix: Prefix, gateway: IPAddress?, range: Prefix? = nil, exclude: [ClosedRange<IPAddress>] = []) {
    self.prefix = prefix
    self.gateway = gateway
    self.range = range
    self.exclude = exclude
  }

  /// The first address that a link can have: after the network's own, save in a subnet of two (RFC 3021, RFC 6164).
  package static func firstUsable(of prefix: Prefix) -> IPAddress {
    prefix.length >= prefix.family.bitCount - 1 ? prefix.first : prefix.first.next ?? prefix.first
  }
}

extension Subnet {
  /// The keys of an element of `subnets`.
  package static let keys = ["subnet", "gateway", "range", "exclude"]

  /// The subnets of a network file; a network that we manage has at least one.
  static func list(_ network: JSONReader, managed: Bool) throws(WireError) -> [Subnet] {
    guard let reader = managed ? try network.required("subnets") : network["subnets"] else { return [] }
    var result: [Subnet] = []
    for element in try reader.elements(limit: 64) {
      let subnet = try Subnet(element, managed: managed)
      if let other = result.first(where: { $0.prefix.overlaps(subnet.prefix) }) {
        throw try element.required("subnet").refused("the subnet overlaps \(other.prefix) of this network")
      }
      result.append(subnet)
    }
    guard !managed || !result.isEmpty else { throw reader.expected("at least one subnet") }
    return result
  }

  private init(_ reader: JSONReader, managed: Bool) throws(WireError) {
    try reader.allowOnly(Self.keys)
    let prefix = try Self.prefix(reader.required("subnet"))
    self.init(prefix: prefix, gateway: managed ? Self.firstUsable(of: prefix) : nil)
    if let given = reader["gateway"] { gateway = try Self.gateway(given, in: prefix) }
    if let given = reader["range"] {
      range = try given.parsed("a prefix inside \(prefix)") {
        Prefix($0).flatMap { prefix.contains($0) ? $0.network : nil }
      }
    }
    for element in try reader["exclude"]?.elements() ?? [] {
      exclude.append(
        try element.parsed("an address or a prefix inside \(prefix)") { text in
          guard let part = AllowList.source(text), prefix.contains(part) else { return nil }
          return part.first...part.last
        })
    }
  }

  private static func prefix(_ reader: JSONReader) throws(WireError) -> Prefix {
    let prefix = try reader.parsed("a prefix such as 10.210.4.0/22 or fd42:210:4::/64") { Prefix($0) }
    guard prefix == prefix.network else {
      throw reader.expected("a subnet without host bits", hint: "did you mean \"\(prefix.network)\"?")
    }
    guard (1..<prefix.family.bitCount).contains(prefix.length), !prefix.first.isMulticast, !prefix.first.isLoopback
    else {
      throw reader.expected("a subnet of unicast addresses with room for a gateway and a container")
    }
    return prefix
  }

  private static func gateway(_ reader: JSONReader, in prefix: Prefix) throws(WireError) -> IPAddress {
    let address = try reader.parsed("an address inside \(prefix)") { text in
      IPAddress(text).flatMap { prefix.contains($0) ? $0 : nil }
    }
    let isNetworksOwn = prefix.length < prefix.family.bitCount - 1 && address == prefix.first
    guard !isNetworksOwn, address != prefix.broadcast else {
      throw reader.refused("this is the \(isNetworksOwn ? "network's own" : "broadcast") address of \(prefix)")
    }
    return address
  }
}
