internal import CNftnl
internal import Glibc
internal import WireCore

/// The chains of `bridge wirehook`: what a container sends, before its bridge has learnt anything from it. Like those of
/// the other table they are the same on every host; a container is elements of the sets.
///
/// Each frame's MAC address is that of the container; so is the address of the packet in it, of an ARP message's sender
/// and of a neighbour that is advertised. A frame with one 802.1Q tag is judged by what is in it, as the kernel takes the
/// tag off before.
///
/// nft prints a field as it was written only where it knows the protocol from the same rule, and versions of it differ in
/// what they know of ICMPv6. A listing must load again, so IPv4 and ARP are asked for in each rule, and IPv6 addresses are
/// bytes to nft everywhere (`@nh,64,128`).
enum AntispoofRuleset {
  static let chains: [Chain] = [antispoof, arp, ipv4, ipv6, advertised, ipv6Address]

  private static let antispoof = Chain(
    name: .antispoof,
    hook: Chain.Hook(type: "filter", number: UInt32(NF_BR_PRE_ROUTING), priority: NF_BR_PRI_FILTER_BRIDGED.rawValue),
    rules: [
      Rule(.isNotIn(.antispoof, .iifname), .verdict(.accept)),
      Rule(.isNotIn(.ethers, .iifname, .etherSource), .counter, .verdict(.drop), comment: "another's MAC address"),
      Rule(.carries(.ipv4), .verdict(.goto(.ipv4Sender))),
      Rule(.carries(.ipv6), .verdict(.goto(.ipv6Sender))),
      Rule(.carries(.arp), .verdict(.goto(.arpSender))),
      // What is in a second tag nobody here can read.
      Rule(.carries(.vlan), .counter, .verdict(.drop), comment: "tag within a tag"),
      Rule(.carries(.serviceVLAN), .counter, .verdict(.drop), comment: "tag within a tag"),
    ])

  /// A probe for an address that nobody has yet comes from 0.0.0.0 (RFC 5227 2.1.1), as does a client of DHCP.
  private static let arp = Chain(
    name: .arpSender,
    rules: [
      Rule(
        .carries(.arp), .resolvesIPv4, .isIn(.ethers, .iifname, .arpEtherSource),
        .isIn(.sources4, .iifname, .arpSource),
        .verdict(.accept)),
      Rule(
        .carries(.arp), .resolvesIPv4, .isIn(.ethers, .iifname, .arpEtherSource), .isNobody(.arpSource),
        .verdict(.accept)),
      Rule(
        .carries(.arp), .resolvesIPv4, .isIn(.ethers, .iifname, .arpEtherSource), .isIn(.free4, .iifname),
        .verdict(.accept)),
      Rule(.counter, .verdict(.drop), comment: "ARP for another"),
    ])

  private static let ipv4 = Chain(
    name: .ipv4Sender,
    rules: [
      Rule(.carries(.ipv4), .isIn(.sources4, .iifname, .packetSource(.ipv4)), .verdict(.accept)),
      Rule(.carries(.ipv4), .isNobody(.packetSource(.ipv4)), .verdict(.accept)),
      Rule(.isIn(.free4, .iifname), .verdict(.accept)),
      Rule(.counter, .verdict(.drop), comment: "another's IPv4 address"),
    ])

  /// An advertisement in fragments passes, and nobody heeds it (RFC 6980 5).
  private static let ipv6 = Chain(
    name: .ipv6Sender,
    rules: [
      Rule(.icmpv6(routerAdvertisement), .counter, .verdict(.drop), comment: "router advertisement"),
      Rule(.isIn(.free6, .iifname), .verdict(.accept)),
      Rule(.icmpv6(neighborAdvertisement), .verdict(.goto(.advertised))),
      Rule(.verdict(.goto(.ipv6Address))),
    ])

  private static let advertised = Chain(
    name: .advertised,
    rules: [
      Rule(
        .isNotIn(.sources6, .iifname, .advertisedTarget), .counter, .verdict(.drop),
        comment: "neighbour advertisement for another"),
      Rule(.verdict(.goto(.ipv6Address))),
    ])

  /// From `::` come duplicate address detection and the first multicast reports (RFC 4862 5.4.2, RFC 3810 5.2.13).
  private static let ipv6Address = Chain(
    name: .ipv6Address,
    rules: [
      Rule(.isIn(.sources6, .iifname, .packetSource(.ipv6)), .verdict(.accept)),
      Rule(.isNobody(.packetSource(.ipv6)), .verdict(.accept)),
      Rule(.counter, .verdict(.drop), comment: "another's IPv6 address"),
    ])

  /// RFC 4861 4.2 and 4.4.
  private static let routerAdvertisement: UInt8 = 134
  private static let neighborAdvertisement: UInt8 = 136
}
