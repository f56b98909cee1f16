package import WireCore

/// What a container may send by one port of a bridge, as flows: the same that the bridge family's chains check on Linux bridges
/// (`AntispoofRuleset`). Whatever may be sent goes through the table once more, past these flows, so that nothing else of it is
/// overruled.
///
/// What Open vSwitch cannot make sense of has zeros in the place of its fields: with some versions also a packet in front of
/// 300 bytes of padding, which Linux accepts. So zeros as a source never suffice.
package struct SenderFlows: Sendable {
  package let link: InterfaceName
  /// The number of the port in OpenFlow.
  package let port: UInt16
  package let mac: MACAddress
  package let addresses: [IPAddress]
  /// The families in which the container chooses its addresses itself.
  package let free: [Family]

  package init(link: InterfaceName, port: UInt16, mac: MACAddress, addresses: [IPAddress], free: [Family]) {
    self.link = link
    self.port = port
    self.mac = mac
    self.addresses = addresses
    self.free = free
  }

  /// Replaces whatever of ours there is of this host end, and of an earlier one with the number of this port.
  package var changes: [FlowChange] {
    [.remove(.of(link)), .remove(.ours, inPort: port)] + flows.map { .add($0) }
  }

  package var flows: [Flow] {
    advertisements + arp + packets(.ipv4) + packets(.ipv6)
      // Within another tag: nobody here can read what is in it.
      + [EtherType.vlan, .serviceVLAN].map { flow(.foreign, [$0.field], .drop) }
      + [flow(.ownEther, [.etherSource(mac)], accept), flow(.rest, [], .drop)]
  }

  /// From the last that is asked to the first. Those of a user, who rarely has such numbers, come after them.
  private enum Rank: UInt16 {
    case rest = 65500
    case ownEther, foreign, own, foreignAdvertisement, ownAdvertisement, routerAdvertisement
  }

  private var accept: Flow.Outcome { .again(.isChecked) }

  private func flow(_ rank: Rank, _ match: [FlowField], _ outcome: Flow.Outcome) -> Flow {
    let isOfAdvertisement = rank == .ownAdvertisement || rank == .foreignAdvertisement
    let notes: FlowField = isOfAdvertisement ? .lacks(.isChecked, .advertisesItself) : .lacks(.isChecked)
    return Flow(
      cookie: FlowCookies.cookie(of: link), priority: rank.rawValue, [.inPort(port), notes] + match, outcome)
  }

  /// RFC 4861 4.2 and 4.4. One in fragments passes, and nobody heeds it (RFC 6980 5).
  private var advertisements: [Flow] {
    func icmp(_ type: UInt8) -> [FlowField] { [EtherType.ipv6.field, .isICMPv6, .icmpv6Type(type)] }
    let router = flow(.routerAdvertisement, icmp(134), .drop)
    guard !free.contains(.ipv6) else { return [router] }
    let own = addresses.filter { $0.family == .ipv6 }.map { address in
      // Open vSwitch knows a target only with the code 0.
      flow(
        .ownAdvertisement, icmp(136) + [.icmpv6Code(0), .advertisedTarget(address)], .again(.advertisesItself))
    }
    return [router] + own + [flow(.foreignAdvertisement, icmp(136), .drop)]
  }

  /// A probe for an address that nobody has yet comes from 0.0.0.0 (RFC 5227 2.1.1), as does a client of DHCP.
  private var arp: [Flow] {
    let ours = [.etherSource(mac), EtherType.arp.field, .arpEtherSource(mac)]
    let sources = addresses.filter { $0.family == .ipv4 } + [.any(.ipv4)]
    let own = free.contains(.ipv4) ? [ours] : sources.map { ours + [.arpSource($0)] }
    return own.map { flow(.own, $0, accept) } + [flow(.foreign, [EtherType.arp.field], .drop)]
  }

  private func packets(_ family: Family) -> [Flow] {
    let type = (family == .ipv4 ? EtherType.ipv4 : .ipv6).field
    let ours = [.etherSource(mac), type]
    let own =
      free.contains(family)
      ? [ours] : addresses.filter { $0.family == family }.map { ours + [.source($0)] } + [ours + nobody(family)]
    return own.map { flow(.own, $0, accept) } + [flow(.foreign, [type], .drop)]
  }

  /// Who has no address yet speaks to all or to many: a client of DHCP, reports of groups, duplicate address detection (RFC 2131
  /// 4.1, RFC 4862 5.4.2, RFC 3810 5.2.13).
  private func nobody(_ family: Family) -> [FlowField] {
    let address: IPAddress
    let length: Int
    switch family {
    case .ipv4: (address, length) = (IPAddress(.ipv4, 0xe000_0000), 3)
    case .ipv6: (address, length) = (IPAddress(.ipv6, 0xff00 << 112), 8)
    }
    return [.source(.any(family)), .destination(in: Prefix(address, length) ?? Prefix(host: address))]
  }
}

extension EtherType {
  fileprivate var field: FlowField { .etherType(rawValue) }
}
