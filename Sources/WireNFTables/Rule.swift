internal import CNftnl
internal import Glibc
internal import WireCore

/// The chains of our tables.
enum ChainName: String, CaseIterable, Sendable {
  case guardLoopback = "guard"
  case martian
  case prerouting = "pre"
  case output = "out"
  case postrouting = "post"
  case segment
  case forward
  case published
  case restricted
  case input
  case antispoof
  case arpSender = "arp-sender"
  case ipv4Sender = "ipv4-sender"
  case ipv6Sender = "ipv6-sender"
  case ipv6Address = "ipv6-address"
  case advertised
}

/// A chain, and where it hangs; without a hook, others go to it.
struct Chain: Sendable {
  struct Hook: Sendable {
    let type: String
    let number: UInt32
    let priority: Int32
  }

  let name: ChainName
  var hook: Hook?
  let rules: [Rule]
}

/// A rule as nft would write it from left to right.
struct Rule: Sendable {
  var expressions: [Expression] = []
  /// The members of the anonymous sets that the expressions look up, by their position in the rule.
  var anonymousSets: [AnonymousSet] = []
  var comment: String?

  init(_ parts: Part..., comment: String? = nil) {
    self.comment = comment
    for part in parts { part.append(to: &self) }
  }
}

/// A set without a name, as `{ tcp, udp }` in a rule.
struct AnonymousSet: Sendable {
  /// The kernel puts a number in.
  static let name = "__set%d"

  let type: DataType
  let members: [[UInt8]]
}

/// A piece of a rule: one match or statement as nft writes it.
enum Part: Sendable {
  /// `iif != "lo"`; the loopback link has index 1 in every namespace.
  case notFromLoopback
  /// `meta iifkind "bridge"`
  case fromKind(String)
  /// `oifname @segments`, `ip saddr . oifname @home4`: with `!=` where `isInverted`.
  case isIn(SetName, [KeyField], isInverted: Bool)
  /// `ip daddr 127.0.0.0/8`, `ip6 daddr ::1`
  case loopback(Family, KeyField, isInverted: Bool)
  /// `fib daddr type local`
  case toThisHost
  /// `meta l4proto { tcp, udp, sctp }`
  case hasPorts
  /// In a bridge's chain: `ether type arp`.
  case carries(EtherType)
  /// `arp htype 1 arp ptype ip arp hlen 6 arp plen 4`: the fields that follow are where the kernel reads them.
  case resolvesIPv4
  /// `ip saddr 0.0.0.0`, `ip6 saddr ::`: nobody's.
  case isNobody(KeyField)
  /// `icmpv6 type 134`, whatever extension headers stand before it.
  case icmpv6(UInt8)
  /// `icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert }`
  case neighborDiscovery
  /// `ct state established,related`
  case established
  /// `ct status dnat`
  case translated
  /// `dnat ip to … map @ports4`
  case dnat(SetName, [KeyField], Family)
  /// `snat ip to ip saddr map @snat4`
  case snat(SetName, Family)
  case masquerade
  case counter
  case verdict(Verdict)

  static func isIn(_ set: SetName, _ fields: KeyField...) -> Part { .isIn(set, fields, isInverted: false) }
  static func isNotIn(_ set: SetName, _ fields: KeyField...) -> Part { .isIn(set, fields, isInverted: true) }
  static func loopback(_ family: Family, _ field: KeyField) -> Part { .loopback(family, field, isInverted: false) }
}

/// What a key is made of, in the order of its set's type.
enum KeyField: Sendable {
  case iifname, oifname
  case source(Family), destination(Family)
  case transport
  case destinationPort
  /// The port that the client called, before DNAT.
  case originalPort
  /// The sender of a bridged frame; of the packet in it, where its protocol is known; of an ARP message in it.
  case etherSource, packetSource(Family), arpEtherSource, arpSource
  /// Whose address a neighbour advertisement tells (RFC 4861 4.4).
  case advertisedTarget

  var type: DataType {
    switch self {
    case .iifname, .oifname: .interfaceName
    case .source(let family), .destination(let family): family == .ipv4 ? .ipv4Address : .ipv6Address
    case .transport: .transportProtocol
    case .destinationPort, .originalPort: .port
    case .etherSource, .arpEtherSource: .etherAddress
    case .packetSource(let family): family == .ipv4 ? .ipv4Address : .integer
    case .arpSource: .ipv4Address
    case .advertisedTarget: .integer
    }
  }

  /// The family that a packet must have for the field to mean anything.
  var family: Family? {
    switch self {
    case .source(let family), .destination(let family): family
    default: nil
    }
  }

  /// The offset of an address in its network header (RFC 791, RFC 8200).
  private var addressOffset: UInt32 {
    switch self {
    case .source(.ipv4), .packetSource(.ipv4): 12
    case .destination(.ipv4): 16
    case .source(.ipv6), .packetSource(.ipv6): 8
    default: 24
    }
  }

  /// `bytes`: how much of an address; all of it if not said.
  func load(into register: Register, bytes: Int? = nil) -> Expression {
    switch self {
    case .iifname: .meta(NFT_META_IIFNAME, into: register)
    case .oifname: .meta(NFT_META_OIFNAME, into: register)
    case .source, .destination, .packetSource:
      .payload(
        base: NFT_PAYLOAD_NETWORK_HEADER, offset: addressOffset, length: UInt32(bytes ?? type.length), into: register)
    case .transport: .meta(NFT_META_L4PROTO, into: register)
    case .destinationPort: .payload(base: NFT_PAYLOAD_TRANSPORT_HEADER, offset: 2, length: 2, into: register)
    case .etherSource: .payload(base: NFT_PAYLOAD_LL_HEADER, offset: 6, length: 6, into: register)
    // RFC 826, of Ethernet and IPv4: eight bytes of types, then the sender's addresses.
    case .arpEtherSource: .payload(base: NFT_PAYLOAD_NETWORK_HEADER, offset: 8, length: 6, into: register)
    case .arpSource: .payload(base: NFT_PAYLOAD_NETWORK_HEADER, offset: 14, length: 4, into: register)
    case .advertisedTarget: .payload(base: NFT_PAYLOAD_TRANSPORT_HEADER, offset: 8, length: 16, into: register)
    case .originalPort: .ct(NFT_CT_PROTO_DST, direction: UInt8(IP_CT_DIR_ORIGINAL.rawValue), into: register)
    }
  }
}
