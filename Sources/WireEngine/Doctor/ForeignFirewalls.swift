package import WireCore
import WireLinux
import WireNFTables
import WireNetlink
package import WirePlan

/// Other firewalls that drop what our networks live on. A packet passes when every table lets it: an accept of ours
/// undoes nobody's drop.
package enum ForeignFirewalls {
  /// What the kernel's tables, of nf_tables and of iptables-legacy, drop of the networks' traffic: of published ports, of
  /// the way out, and of the answers. On a host without another firewall four short dumps and two files.
  package static func findings(_ setups: [NetworkSetup], on host: borrowing Host) throws(WireError) -> [ForeignDrop] {
    try findings(setups, host.route, until: host.deadline)
  }

  static func findings(
    _ setups: [NetworkSetup], _ route: borrowing NetlinkSocket, until deadline: Deadline
  ) throws(WireError) -> [ForeignDrop] {
    let tables = try read([.prerouting, .input, .forward, .output, .postrouting], until: deadline)
    guard !tables.isEmpty else { return [] }
    var uplinks: [Family: Traveller.Interface] = [:]
    for family in Family.allCases { uplinks[family] = try uplink(family, route, until: deadline) }
    var found: [ForeignDrop] = []
    for setup in setups {
      let index = route.index(of: setup.link)
      // In Docker's chain we are admitted when the network is set up.
      let tables = index == nil ? tables.map { $0.admitting(setup.link) } : tables
      found += drops(of: setup, index: index, outside: { uplinks[$0] ?? .any }, in: tables)
    }
    return found
  }

  /// Everybody's tables at these hooks.
  static func read(
    _ hooks: Set<FilterChain.Hook>, until deadline: Deadline
  ) throws(WireError) -> [FilterTable] {
    let tables: [FilterTable]
    do throws(NFTablesError) {
      tables = try FirewallSocket().filters(at: hooks, deadline: deadline.moment)
    } catch {
      throw Hints.explain(error, while: "reading the host's firewalls")
    }
    do throws(SystemError) {
      return tables + (try LegacyFilters.read())
    } catch {
      throw Hints.explain(error, while: "reading the tables of iptables-legacy")
    }
  }

  /// The link by which strangers come.
  static func uplink(
    _ family: Family, _ route: borrowing NetlinkSocket, until deadline: Deadline
  ) throws(WireError) -> Traveller.Interface {
    do throws(NetlinkError) {
      guard let index = try route.uplink(family, until: deadline),
        let link = try route.link(.index(index), until: deadline)
      else { return .any }
      return .named(link.name, index: index)
    } catch {
      throw Hints.explain(error, while: "looking for the default route")
    }
  }

  /// One finding for each chain that drops, whichever of the network's packets; the certain ones first.
  static func drops(
    of setup: NetworkSetup, index: UInt32?, outside: (Family) -> Traveller.Interface, in tables: [FilterTable]
  ) -> [ForeignDrop] {
    var found: [ForeignDrop] = []
    for table in tables {
      for base in table.chains {
        var ends: [ForeignDrop.End] = []
        for family in setup.families where table.kind.sees(family) {
          for (traveller, direction) in travellers(of: setup, index, family, outside(family), at: base, in: table.kind)
          {
            switch Traversal.result(of: traveller, at: base, in: table) {
            case .passes: break
            case .drops(let place): ends.append(ForeignDrop.End(place: place, isCertain: true, direction: direction))
            case .mayDrop(let place): ends.append(ForeignDrop.End(place: place, isCertain: false, direction: direction))
            }
          }
        }
        found += ForeignDrop.all(setup.link, table, base, ends)
      }
    }
    return found.sorted { ($0.isCertain ? 0 : 1, $0.text) < ($1.isCertain ? 0 : 1, $1.text) }
  }

  /// The packets of a network that pass a hook, each with the side on which its bridge is.
  private static func travellers(
    of setup: NetworkSetup, _ index: UInt32?, _ family: Family, _ outside: Traveller.Interface, at base: FilterChain,
    in kind: FilterTable.Kind
  ) -> [(Traveller, ForeignDrop.Direction)] {
    // What the host itself sends to a published port leaves by lo, for the hooks, also after DNAT.
    guard let hook = base.hook, hook != .output || kind == .bridge else { return [] }
    // TCP stands for all: who admits ICMP alone drops what a published port is for.
    var model = Traveller(family: family, hook: hook, transport: TransportProtocol.tcp.number)
    let bridge = Traveller.Interface.named(setup.link.description, index: index)
    let (inside, beyond) = kind == .bridge ? (Traveller.Interface.port, .any) : (bridge, outside)
    if kind == .bridge { model.bridge = setup.link.description }
    var calls = model
    var replies = model
    calls.isTranslated = true
    (replies.isTranslated, replies.isAnswer) = (true, true)
    if hook != .input { calls.output = inside }
    if hook == .forward || hook == .prerouting { calls.input = beyond }
    if hook != .output { replies.input = inside }
    if hook == .forward || hook == .postrouting { replies.output = beyond }
    var all: [(Traveller, ForeignDrop.Direction)] = []
    // What has the bridge on neither side says nothing about the bridge.
    if hook != .input, hook != .prerouting { all.append((calls, .toBridge)) }
    if hook != .output, hook != .postrouting { all.append((replies, .fromBridge)) }
    guard hook == .forward || hook == .prerouting || hook == .postrouting, !setup.isInternal else { return all }
    var leaving = replies
    (leaving.isTranslated, leaving.isAnswer) = (false, false)
    var returning = calls
    (returning.isTranslated, returning.isAnswer) = (false, true)
    if hook != .postrouting { all.append((leaving, .fromBridge)) }
    if hook != .prerouting { all.append((returning, .toBridge)) }
    return all
  }
}

extension FilterTable {
  /// The table as it is with the accepts of ours in DOCKER-USER.
  fileprivate func admitting(_ link: InterfaceName) -> FilterTable {
    guard let place = chains.firstIndex(where: { $0.name == "DOCKER-USER" }) else { return self }
    let accepts = [FilterField.iifname, .oifname].map { field in
      FilterRule(handle: nil, [.equals(field, Array(link.description.utf8) + [0], isInverted: false)], .accept)
    }
    var table = self
    let rules = chains[place].rules
    let end = rules.firstIndex { $0.conditions.isEmpty && $0.outcome == .returns } ?? rules.endIndex
    table.chains[place].rules.insert(contentsOf: accepts, at: end)
    return table
  }
}
