internal import WireCore

/// The maps and sets of our tables. Everything that belongs to one container or one network is an element of these;
/// no rule is ever added for one.
package enum SetName: String, CaseIterable, Sendable, Hashable {
  /// Published on every address of the host: protocol, host port → container address, container port.
  case ports4, ports6
  /// Published on one address of the host: that address, protocol, host port → container address, container port.
  case lports4, lports6
  /// The same for 127.0.0.0/8 and ::1; looked up for the host's own packets only, so that nothing from the wire gets there.
  case loports4, loports6
  /// Bridges that carry our containers, other people's included.
  case segments
  /// Bridges that are ours: those we filter.
  case bridges
  /// Bridge, subnet on it: a packet of that subnet which goes out of that bridge does not leave its segment.
  case home4, home6
  /// Subnets that are masqueraded towards outside.
  case masq4, masq6
  /// Container → the host's address that it leaves with.
  case snat4, snat6
  /// Subnet → the host's address that it leaves with.
  case netsnat4, netsnat6
  /// Containers whose answers would not come back through this host: callers of their published ports are masqueraded.
  case noreturn4, noreturn6
  /// Bridges without a way out.
  case `internal`
  /// Bridges on which everything that routes there is reachable.
  case exposed
  /// Bridges that let in the containers of each other.
  case open
  /// Pairs of bridges between which packets pass; a bridge with itself: its containers reach each other.
  case intra
  /// Published ports that only some may call: container, protocol, host port.
  case restricted4, restricted6
  /// Who may: container, protocol, host port, source.
  case allow4, allow6
  /// In `bridge wirehook`: host ends whose container is held to its own addresses.
  case antispoof
  /// Host end, and the MAC address that it may send from.
  case ethers
  /// Host end, and the addresses that it may send from.
  case sources4, sources6
  /// Host ends whose container chooses its addresses of this family itself; it is held to its MAC address.
  case free4, free6
}

extension SetName {
  /// The table that holds it.
  package var table: FirewallTable {
    switch self {
    case .antispoof, .ethers, .sources4, .sources6, .free4, .free6: .bridge
    default: .inet
    }
  }
}

/// The data types of nft, as it numbers them (`enum datatypes` in its datatype.h: fixed, they stand in saved rulesets).
enum DataType: UInt32, Sendable {
  /// Bytes that nft knows no better: of 128 bits here.
  case integer = 4
  case ipv4Address = 7
  case ipv6Address = 8
  case etherAddress = 9
  case transportProtocol = 12
  case port = 13
  case icmpv6Type = 29
  case interfaceName = 41

  /// In bytes.
  var length: Int {
    switch self {
    case .ipv4Address: 4
    case .ipv6Address, .integer: 16
    case .etherAddress: 6
    case .transportProtocol, .icmpv6Type: 1
    case .port: 2
    case .interfaceName: InterfaceName.limit + 1
    }
  }

  /// In a concatenation each field fills whole 32-bit registers.
  var paddedLength: Int { (length + 3) & ~3 }
}

/// What a set or map holds.
struct SetDefinition: Sendable {
  let key: [DataType]
  var data: [DataType] = []
  var isInterval = false
  /// For a key whose type does not say its length: nft's own note of what it is made of.
  var keyTypeOf: [UInt8]?
  let comment: String

  var isMap: Bool { !data.isEmpty }
  /// A concatenation with intervals keeps both ends in one element; a single field has an element for each end.
  var hasKeyEnds: Bool { isInterval && key.count > 1 }
  var keyLength: Int { Self.length(of: key) }
  var dataLength: Int { Self.length(of: data) }

  private static func length(of fields: [DataType]) -> Int {
    fields.count == 1 ? fields[0].length : fields.reduce(0) { $0 + $1.paddedLength }
  }
}

extension SetName {
  var definition: SetDefinition {
    switch self {
    case .ports4: Self.ports([], .ipv4Address, "published on every address of the host")
    case .ports6: Self.ports([], .ipv6Address, "published on every address of the host")
    case .lports4: Self.ports([.ipv4Address], .ipv4Address, "published on one address of the host")
    case .lports6: Self.ports([.ipv6Address], .ipv6Address, "published on one address of the host")
    case .loports4: Self.ports([.ipv4Address], .ipv4Address, "published on 127.0.0.0/8, for the host itself")
    case .loports6: Self.ports([.ipv6Address], .ipv6Address, "published on ::1, for the host itself")
    case .segments: SetDefinition(key: [.interfaceName], comment: "bridges that carry our containers")
    case .bridges: SetDefinition(key: [.interfaceName], comment: "our bridges: those that we filter")
    case .home4: Self.homes(.ipv4Address)
    case .home6: Self.homes(.ipv6Address)
    case .masq4: Self.masqueraded(.ipv4Address)
    case .masq6: Self.masqueraded(.ipv6Address)
    case .snat4: Self.sources(.ipv4Address, "containers and the address they leave with")
    case .snat6: Self.sources(.ipv6Address, "containers and the address they leave with")
    case .netsnat4: Self.sources(.ipv4Address, isInterval: true, "subnets and the address they leave with")
    case .netsnat6: Self.sources(.ipv6Address, isInterval: true, "subnets and the address they leave with")
    case .noreturn4: SetDefinition(key: [.ipv4Address], comment: "containers without a way back through this host")
    case .noreturn6: SetDefinition(key: [.ipv6Address], comment: "containers without a way back through this host")
    case .internal: SetDefinition(key: [.interfaceName], comment: "bridges without a way out")
    case .exposed: SetDefinition(key: [.interfaceName], comment: "bridges on which everything is reachable")
    case .open: SetDefinition(key: [.interfaceName], comment: "bridges that reach each other")
    case .intra:
      SetDefinition(key: [.interfaceName, .interfaceName], comment: "bridges whose containers reach each other")
    case .restricted4: Self.restricted(.ipv4Address)
    case .restricted6: Self.restricted(.ipv6Address)
    case .allow4: Self.allowed(.ipv4Address)
    case .allow6: Self.allowed(.ipv6Address)
    case .antispoof: SetDefinition(key: [.interfaceName], comment: "host ends held to their own addresses")
    case .ethers: Self.senders(.etherAddress)
    case .sources4: Self.senders(.ipv4Address)
    case .sources6:
      SetDefinition(
        key: [.interfaceName, .integer], keyTypeOf: UserData.typeOfNameAndRaw128,
        comment: "host ends and what they may send from")
    case .free4, .free6: SetDefinition(key: [.interfaceName], comment: "host ends held to their MAC address alone")
    }
  }

  private static func ports(_ host: [DataType], _ address: DataType, _ comment: String) -> SetDefinition {
    SetDefinition(key: host + [.transportProtocol, .port], data: [address, .port], comment: comment)
  }

  private static func homes(_ address: DataType) -> SetDefinition {
    SetDefinition(key: [.interfaceName, address], isInterval: true, comment: "bridges and the subnets on them")
  }

  private static func masqueraded(_ address: DataType) -> SetDefinition {
    SetDefinition(key: [address], isInterval: true, comment: "subnets masqueraded towards outside")
  }

  private static func sources(_ address: DataType, isInterval: Bool = false, _ comment: String) -> SetDefinition {
    SetDefinition(key: [address], data: [address], isInterval: isInterval, comment: comment)
  }

  private static func senders(_ address: DataType) -> SetDefinition {
    SetDefinition(key: [.interfaceName, address], comment: "host ends and what they may send from")
  }

  private static func restricted(_ address: DataType) -> SetDefinition {
    SetDefinition(key: [address, .transportProtocol, .port], comment: "published ports that only some may call")
  }

  private static func allowed(_ address: DataType) -> SetDefinition {
    SetDefinition(
      key: [address, .transportProtocol, .port, address], isInterval: true, comment: "who may call restricted ports")
  }
}
