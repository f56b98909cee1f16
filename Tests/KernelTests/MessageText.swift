import CMnl
import Glibc
import WireCore

@testable import WireNetlink

/// Writes a batch down for a reviewer: a line for each message's type, flags and fixed header, then one line an attribute
/// with its name, its length and its value.
enum MessageText {
  ///
  /// Of a batch for another bus than `route` it knows the requests to ethtool: `family` is their message type.
  static func of(_ batch: borrowing Batch, ethtoolFamily family: Int? = nil) throws -> String {
    var text = ""
    let shapes = family.map { [$0: ethtool] } ?? shapes
    var rest = RawSpan(_unsafeBytes: batch.bytes)
    while rest.byteCount > 0 {
      let header = try rest.value(as: nlmsghdr.self)
      let length = Int(header.nlmsg_len)
      text += try message(header, shapes[Int(header.nlmsg_type)], rest.extracting(MemoryLayout<nlmsghdr>.size..<length))
      rest = rest.extracting(droppingFirst: (length + 3) & ~3)
    }
    return text
  }

  private static func message(_ header: nlmsghdr, _ shape: Shape?, _ bytes: RawSpan) throws -> String {
    guard let shape else { return "type \(header.nlmsg_type)\n" }
    let known = [(NLM_F_CREATE, "CREATE"), (NLM_F_EXCL, "EXCL"), (NLM_F_APPEND, "APPEND"), (NLM_F_ACK, "ACK")]
    let flags = known.filter { flag, _ in header.nlmsg_flags & UInt16(flag) != 0 }
    var line = ([shape.name] + flags.map(\.1)).joined(separator: " ")
    var offset = 0
    for (field, size) in shape.header {
      let value = try number(bytes, offset, size)
      if value != 0, field != "" { line += "  \(field) \(value)" }
      offset += size
    }
    return try line + "\n" + attributes(bytes, from: offset, shape.attributes, "  ")
  }

  private static func attributes(
    _ bytes: RawSpan, from offset: Int = 0, _ known: [Int: Attribute], _ indent: String
  ) throws -> String {
    var text = ""
    var linkKind = ""
    try forEachAttribute(in: bytes, from: offset) { (type, value) throws(NetlinkError) in
      let attribute = known[type] ?? Attribute("type \(type)", .bytes)
      text += "\(indent)\(attribute.name)  "
      switch attribute.kind {
      case .text:
        text += "\(value.byteCount)  \"\(value.text)\"\n"
        linkKind = value.text
      case .number: text += "\(value.byteCount)  \(try number(value, 0, value.byteCount))\n"
      case .address: text += "\(value.byteCount)  \(try value.address)\n"
      case .bytes: text += "\(value.byteCount)  \(hex(value))\n"
      case .nest(let inner): text += "nest\n" + nested(value, 0, inner, indent)
      case .linkData: text += "nest\n" + nested(value, 0, linkData[linkKind] ?? [:], indent)
      case .peer: text += "nest\n" + nested(value, MemoryLayout<ifinfomsg>.size, link, indent)
      }
    }
    return text
  }

  private static func nested(
    _ value: RawSpan, _ offset: Int, _ known: [Int: Attribute], _ indent: String
  ) -> String {
    do { return try attributes(value, from: offset, known, indent + "  ") } catch { return "\(indent)  \(error)\n" }
  }

  private static func number(_ bytes: RawSpan, _ offset: Int, _ size: Int) throws(NetlinkError) -> UInt64 {
    switch size {
    case 1: UInt64(try bytes.value(at: offset, as: UInt8.self))
    case 2: UInt64(try bytes.value(at: offset, as: UInt16.self))
    case 4: UInt64(try bytes.value(at: offset, as: UInt32.self))
    default: try bytes.value(at: offset, as: UInt64.self)
    }
  }

  private static func hex(_ bytes: RawSpan) -> String {
    bytes.array.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined(separator: " ")
  }
}

private struct Attribute: Sendable {
  indirect enum Kind: Sendable {
    case text
    case number
    case address
    case bytes
    case nest([Int: Attribute])
    /// `IFLA_INFO_DATA`: what it holds depends on the link's kind, which stands before it.
    case linkData
    /// `VETH_INFO_PEER`: a fixed header, then attributes of a link.
    case peer
  }

  var name: String
  var kind: Kind

  init(_ name: String, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }
}

private struct Shape: Sendable {
  var name: String
  var header: [(String, Int)]
  var attributes: [Int: Attribute]
}

private let linkHeader = [("family", 1), ("", 1), ("", 2), ("index", 4), ("flags", 4), ("change", 4)]
private let addressHeader = [("family", 1), ("length", 1), ("flags", 1), ("scope", 1), ("index", 4)]
private let routeHeader = [
  ("family", 1), ("length", 1), ("source", 1), ("tos", 1), ("table", 1), ("protocol", 1), ("scope", 1), ("type", 1),
  ("flags", 4),
]
private let ruleHeader = [
  ("family", 1), ("to", 1), ("from", 1), ("tos", 1), ("table", 1), ("", 1), ("", 1), ("action", 1), ("flags", 4),
]
private let neighborHeader = [("family", 1), ("", 1), ("", 2), ("index", 4), ("state", 2), ("flags", 1), ("", 1)]
private let queueHeader = [("family", 1), ("", 1), ("", 2), ("index", 4), ("handle", 4), ("parent", 4), ("info", 4)]

private let shapes: [Int: Shape] = [
  RTM_NEWLINK: Shape(name: "RTM_NEWLINK", header: linkHeader, attributes: link),
  RTM_SETLINK: Shape(name: "RTM_SETLINK", header: linkHeader, attributes: bridgeLink),
  RTM_DELLINK: Shape(name: "RTM_DELLINK", header: linkHeader, attributes: bridgeLink),
  RTM_NEWADDR: Shape(name: "RTM_NEWADDR", header: addressHeader, attributes: address),
  RTM_DELADDR: Shape(name: "RTM_DELADDR", header: addressHeader, attributes: address),
  RTM_NEWROUTE: Shape(name: "RTM_NEWROUTE", header: routeHeader, attributes: route),
  RTM_DELROUTE: Shape(name: "RTM_DELROUTE", header: routeHeader, attributes: route),
  RTM_NEWRULE: Shape(name: "RTM_NEWRULE", header: ruleHeader, attributes: rule),
  RTM_NEWNEIGH: Shape(name: "RTM_NEWNEIGH", header: neighborHeader, attributes: neighbor),
  RTM_DELNEIGH: Shape(name: "RTM_DELNEIGH", header: neighborHeader, attributes: neighbor),
  RTM_NEWQDISC: Shape(name: "RTM_NEWQDISC", header: queueHeader, attributes: qdisc),
  RTM_NEWTFILTER: Shape(name: "RTM_NEWTFILTER", header: queueHeader, attributes: filter),
]

private let link: [Int: Attribute] = [
  IFLA_IFNAME: Attribute("IFLA_IFNAME", .text),
  IFLA_ADDRESS: Attribute("IFLA_ADDRESS", .bytes),
  IFLA_MTU: Attribute("IFLA_MTU", .number),
  IFLA_MASTER: Attribute("IFLA_MASTER", .number),
  IFLA_GROUP: Attribute("IFLA_GROUP", .number),
  IFLA_IFALIAS: Attribute("IFLA_IFALIAS", .text),
  IFLA_NET_NS_FD: Attribute("IFLA_NET_NS_FD", .number),
  IFLA_LINKINFO: Attribute(
    "IFLA_LINKINFO",
    .nest([
      IFLA_INFO_KIND: Attribute("IFLA_INFO_KIND", .text),
      IFLA_INFO_DATA: Attribute("IFLA_INFO_DATA", .linkData),
      IFLA_INFO_SLAVE_KIND: Attribute("IFLA_INFO_SLAVE_KIND", .text),
      IFLA_INFO_SLAVE_DATA: Attribute(
        "IFLA_INFO_SLAVE_DATA",
        .nest([
          IFLA_BRPORT_MODE: Attribute("IFLA_BRPORT_MODE", .number),
          IFLA_BRPORT_ISOLATED: Attribute("IFLA_BRPORT_ISOLATED", .number),
        ])),
    ])),
  IFLA_AF_SPEC: Attribute(
    "IFLA_AF_SPEC",
    .nest([
      Int(AF_INET): Attribute(
        "AF_INET",
        .nest([
          IFLA_INET_CONF: Attribute(
            "IFLA_INET_CONF",
            .nest([IPV4_DEVCONF_ROUTE_LOCALNET: Attribute("IPV4_DEVCONF_ROUTE_LOCALNET", .number)]))
        ])),
      Int(AF_INET6): Attribute(
        "AF_INET6", .nest([IFLA_INET6_ADDR_GEN_MODE: Attribute("IFLA_INET6_ADDR_GEN_MODE", .number)])),
    ])),
]
private let linkData: [String: [Int: Attribute]] = [
  "veth": [Int(VETH_INFO_PEER): Attribute("VETH_INFO_PEER", .peer)],
  "bridge": [
    IFLA_BR_FORWARD_DELAY: Attribute("IFLA_BR_FORWARD_DELAY", .number),
    IFLA_BR_MULTI_BOOLOPT: Attribute("IFLA_BR_MULTI_BOOLOPT", .bytes),
    IFLA_BR_VLAN_FILTERING: Attribute("IFLA_BR_VLAN_FILTERING", .number),
  ],
  "vxlan": [
    IFLA_VXLAN_ID: Attribute("IFLA_VXLAN_ID", .number),
    IFLA_VXLAN_GROUP: Attribute("IFLA_VXLAN_GROUP", .address),
    IFLA_VXLAN_GROUP6: Attribute("IFLA_VXLAN_GROUP6", .address),
    IFLA_VXLAN_LINK: Attribute("IFLA_VXLAN_LINK", .number),
    IFLA_VXLAN_LOCAL: Attribute("IFLA_VXLAN_LOCAL", .address),
    IFLA_VXLAN_LOCAL6: Attribute("IFLA_VXLAN_LOCAL6", .address),
    IFLA_VXLAN_LEARNING: Attribute("IFLA_VXLAN_LEARNING", .number),
    IFLA_VXLAN_PORT: Attribute("IFLA_VXLAN_PORT", .bytes),
  ],
]
private let bridgeLink: [Int: Attribute] = [
  IFLA_IFNAME: Attribute("IFLA_IFNAME", .text),
  IFLA_AF_SPEC: Attribute(
    "IFLA_AF_SPEC", .nest([IFLA_BRIDGE_VLAN_INFO: Attribute("IFLA_BRIDGE_VLAN_INFO", .bytes)])),
]
private let address: [Int: Attribute] = [
  IFA_LOCAL: Attribute("IFA_LOCAL", .address), IFA_ADDRESS: Attribute("IFA_ADDRESS", .address),
  IFA_BROADCAST: Attribute("IFA_BROADCAST", .address),
]
private let route: [Int: Attribute] = [
  Int(RTA_DST.rawValue): Attribute("RTA_DST", .address), Int(RTA_GATEWAY.rawValue): Attribute("RTA_GATEWAY", .address),
  Int(RTA_OIF.rawValue): Attribute("RTA_OIF", .number), Int(RTA_PRIORITY.rawValue): Attribute("RTA_PRIORITY", .number),
  Int(RTA_TABLE.rawValue): Attribute("RTA_TABLE", .number),
  Int(RTA_PREFSRC.rawValue): Attribute("RTA_PREFSRC", .address),
]
private let rule: [Int: Attribute] = [
  FRA_PRIORITY: Attribute("FRA_PRIORITY", .number), FRA_SRC: Attribute("FRA_SRC", .address),
  FRA_TABLE: Attribute("FRA_TABLE", .number),
]
private let neighbor: [Int: Attribute] = [
  NDA_LLADDR: Attribute("NDA_LLADDR", .bytes), NDA_DST: Attribute("NDA_DST", .address),
]
private let qdisc: [Int: Attribute] = [
  TCA_KIND: Attribute("TCA_KIND", .text),
  TCA_OPTIONS: Attribute(
    "TCA_OPTIONS",
    .nest([
      TCA_TBF_PARMS: Attribute("TCA_TBF_PARMS", .bytes), TCA_TBF_BURST: Attribute("TCA_TBF_BURST", .number),
      TCA_TBF_RATE64: Attribute("TCA_TBF_RATE64", .number),
    ])),
]
private let filter: [Int: Attribute] = [
  TCA_KIND: Attribute("TCA_KIND", .text),
  TCA_OPTIONS: Attribute(
    "TCA_OPTIONS",
    .nest([
      TCA_U32_SEL: Attribute("TCA_U32_SEL", .bytes),
      TCA_U32_ACT: Attribute(
        "TCA_U32_ACT",
        .nest([
          1: Attribute(
            "1",
            .nest([
              TCA_ACT_KIND: Attribute("TCA_ACT_KIND", .text),
              TCA_ACT_OPTIONS: Attribute(
                "TCA_ACT_OPTIONS", .nest([TCA_MIRRED_PARMS: Attribute("TCA_MIRRED_PARMS", .bytes)])),
            ]))
        ])),
    ])),
]
private let ethtool = Shape(
  name: "ethtool", header: [("command", 1), ("version", 1), ("", 2)],
  attributes: [
    ETHTOOL_A_FEATURES_HEADER: Attribute(
      "ETHTOOL_A_FEATURES_HEADER",
      .nest([
        ETHTOOL_A_HEADER_DEV_NAME: Attribute("ETHTOOL_A_HEADER_DEV_NAME", .text),
        ETHTOOL_A_HEADER_FLAGS: Attribute("ETHTOOL_A_HEADER_FLAGS", .number),
      ])),
    ETHTOOL_A_FEATURES_WANTED: Attribute(
      "ETHTOOL_A_FEATURES_WANTED",
      .nest([
        ETHTOOL_A_BITSET_BITS: Attribute(
          "ETHTOOL_A_BITSET_BITS",
          .nest([
            ETHTOOL_A_BITSET_BITS_BIT: Attribute(
              "ETHTOOL_A_BITSET_BITS_BIT",
              .nest([ETHTOOL_A_BITSET_BIT_NAME: Attribute("ETHTOOL_A_BITSET_BIT_NAME", .text)]))
          ]))
      ])),
  ])
