package import WireCore
import WireNFTables

/// A chain of somebody's that drops what a network of ours lives on, and the command that admits it there.
package struct ForeignDrop: Sendable, Hashable {
  /// Which way the packets go, seen from the host.
  enum Direction: Sendable, Hashable, Comparable { case fromBridge, toBridge }

  package let bridge: InterfaceName
  /// `ip filter`, `ip filter of iptables-legacy`.
  package let table: String
  package let chain: String
  /// Whether everything is dropped; else what the rules do not say in terms that are understood here.
  package let isCertain: Bool
  /// `policy drop`, `rule with handle 12`.
  package let reason: String
  /// A line for a shell. It adds one rule for each direction that needs it.
  package let command: String
  let directions: [Direction]

  /// `table ip filter chain FORWARD drops what goes to and comes from bridge wh-front (policy drop)`.
  package var text: String {
    let ways =
      directions.count > 1
      ? "what comes from and goes to" : directions.first == .toBridge ? "what goes to" : "what comes from"
    return "table \(table) chain \(chain) \(isCertain ? "drops" : "may drop") \(ways) bridge \(bridge) (\(reason))"
  }

  /// Where one kind of packet ends.
  struct End {
    let place: Traversal.Place
    let isCertain: Bool
    let direction: Direction
  }

  /// The ends in one base chain as findings, one for each chain that drops: at the first of its rules that does, for
  /// what is admitted there is not asked about further on. A chain that drops for certain is not also named as a maybe.
  static func all(
    _ bridge: InterfaceName, _ table: FilterTable, _ base: FilterChain, _ ends: [End]
  ) -> [ForeignDrop] {
    let certain = ends.filter(\.isCertain)
    let byChain = Dictionary(grouping: certain.isEmpty ? ends : certain, by: \.place.chain)
    return byChain.values.compactMap { ends in
      guard let first = ends.min(by: { $0.place.position < $1.place.position }) else { return nil }
      return ForeignDrop(
        bridge, table, first.place, base: base, isCertain: first.isCertain, Set(ends.map(\.direction)).sorted())
    }
  }

  private init(
    _ bridge: InterfaceName, _ table: FilterTable, _ place: Traversal.Place, base: FilterChain, isCertain: Bool,
    _ directions: [Direction]
  ) {
    let isLegacy = if case .legacy = table.kind { true } else { false }
    self.bridge = bridge
    self.table = "\(table.kind.family) \(table.name)\(isLegacy ? " of iptables-legacy" : "")"
    chain = place.chain
    self.isCertain = isCertain
    self.directions = directions
    switch place.culprit {
    case .policy: reason = "policy drop"
    case .rule(_, let handle?): reason = "rule with handle \(handle)"
    case .rule(let number, nil): reason = "rule \(number)"
    }
    command = AdmittingCommand(table: table, place: place, base: base, bridge: bridge, directions: directions).text
  }
}

/// The command that admits a bridge where a chain drops it: right before the rule that drops, so that everything that
/// stands before it keeps its say.
struct AdmittingCommand {
  let table: FilterTable
  let place: Traversal.Place
  let base: FilterChain
  let bridge: InterfaceName
  let directions: [ForeignDrop.Direction]

  var text: String {
    // What firewalld writes is gone at its next reload: there it is a matter of zones.
    if table.kind == .inet, table.name == "firewalld" { return "wirehook install firewalld --reload" }
    if let tool = iptables {
      return directions.map { "\(tool) \(position) \($0.option) \(bridge) -j ACCEPT" }.joined(separator: " && ")
    }
    let rules = directions.map { direction in
      // In the bridge family a packet has ports. Those of containers have names of ours.
      "\(nftPosition) \(direction.key) \"\(table.kind == .bridge ? "wh*" : bridge.description)\" accept"
    }
    return "nft '\(rules.joined(separator: "; "))'"
  }

  /// The program that the table belongs to; nil: nft(8) itself.
  private var iptables: String? {
    switch table.kind {
    case .legacy(let family): family == .ipv4 ? "iptables-legacy" : "ip6tables-legacy"
    case .ip, .ip6:
      // The chains that iptables has by itself are the only ones in capitals at a hook.
      ["FORWARD", "INPUT", "OUTPUT"].contains(base.name) && table.name == "filter"
        ? (table.kind == .ip ? "iptables-nft" : "ip6tables-nft") : nil
    case .inet, .bridge: nil
    }
  }

  private var position: String {
    if base.name == "FORWARD", table.chain("DOCKER-USER") != nil { return "-I DOCKER-USER" }
    switch place.culprit {
    case .policy: return "-A \(place.chain)"
    case .rule(let number, _): return "-I \(place.chain) \(number)"
    }
  }

  private var nftPosition: String {
    let chain = "\(table.kind.family) \(table.name) \(place.chain)"
    guard case .rule(_, let handle?) = place.culprit else { return "add rule \(chain)" }
    return "insert rule \(chain) position \(handle)"
  }
}

extension ForeignDrop.Direction {
  fileprivate var option: String { self == .fromBridge ? "-i" : "-o" }
  fileprivate var key: String { self == .fromBridge ? "iifname" : "oifname" }
}

extension Traversal.Place {
  /// The policy comes after every rule.
  fileprivate var position: Int { if case .rule(let number, _) = culprit { number } else { .max } }
}
