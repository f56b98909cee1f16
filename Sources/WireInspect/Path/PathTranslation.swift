import WireCore
import WireNFTables
import WireView

/// Who rewrites the destination of what comes in, or of what a place itself sends: ours, and everybody else.
extension PathWalk {
  /// The priority of our own chains (`dstnat` and -100); of those that have the same the first to be loaded decides, which
  /// nobody can be asked.
  private static var ownPriority: Int32 { -100 }

  mutating func translate(_ hook: FilterChain.Hook, in facts: PlaceFacts, from input: LinkFacts?) {
    var bases: [(table: FilterTable, chain: FilterChain)] = []
    for table in facts.translations where table.kind.sees(packet.family) {
      bases += table.chains.filter { $0.hook == hook }.map { (table, $0) }
    }
    bases.sort { $0.chain.priority < $1.chain.priority }
    if search(bases.filter { $0.chain.priority < Self.ownPriority }, in: facts, from: input) { return }
    let called = packet
    if facts.name == source.host.name { rewriteDestination(fromHost: hook == .output) }
    let rest = bases.filter { $0.chain.priority >= Self.ownPriority }
    guard packet != called else {
      _ = search(rest, in: facts, from: input)
      return
    }
    // Ours stands; who has the same priority and a rule for it may have been first.
    for base in rest where base.chain.priority == Self.ownPriority {
      var search = DestinationSearch(called, from: input, isLocal: facts.has(called.destination))
      guard search.look(at: base.chain, in: base.table), let rival = search.findings.last else { continue }
      note(
        facts.name, .nat, "\(rival.place) rewrites it as well: whichever of the two tables was loaded first decides",
        rival.command)
    }
  }

  /// Whether somebody's chain rewrites it.
  private mutating func search(
    _ bases: [(table: FilterTable, chain: FilterChain)], in facts: PlaceFacts, from input: LinkFacts?
  ) -> Bool {
    for base in bases {
      var search = DestinationSearch(packet, from: input, isLocal: facts.has(packet.destination))
      let isDone = search.look(at: base.chain, in: base.table)
      for maybe in search.findings where !maybe.isCertain {
        note(facts.name, .nat, "\(maybe.place) may rewrite \(end(packet.destination, packet.port))")
      }
      guard isDone, let found = search.findings.last else { continue }
      rewrite(found, in: facts, from: input)
      return true
    }
    return false
  }

  private mutating func rewrite(_ finding: DestinationSearch.Finding, in facts: PlaceFacts, from input: LinkFacts?) {
    let called = (address: packet.destination, port: packet.port)
    switch finding.rewrite {
    case .unknown: return
    case .to(let address, let port):
      packet.destination = address ?? packet.destination
      packet.port = packet.port == nil ? nil : port ?? packet.port
    case .redirect(let port):
      let mine = input.flatMap { facts.addresses(of: $0.index).first { $0.family == packet.family } }
      packet.destination = input == nil ? .loopback(packet.family) : mine?.address ?? packet.destination
      packet.port = packet.port == nil ? nil : port ?? packet.port
    }
    pass(
      facts.name, .nat,
      "\(finding.place): \(end(called.address, called.port)) becomes \(end(packet.destination, packet.port))")
    translation.called = called
    packet.isTranslated = true
  }
}

extension DestinationSearch.Finding {
  /// The command that takes the rule away.
  var command: String? { handle.map { "nft delete rule \(table.family) \(name) \(chain) handle \($0)" } }
}
