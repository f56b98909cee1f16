import WireNFTables

/// A traveller's way through one base chain, decided without a packet.
///
/// Rules cannot be decided in general: what a rule says about some packets only is left out of account where it drops,
/// for somebody meant that, and makes the end uncertain where it accepts.
struct Traversal {
  /// Where a packet ends.
  struct Place: Sendable, Hashable {
    enum Culprit: Sendable, Hashable {
      /// The policy of a base chain.
      case policy
      /// A rule: by its position in the chain, from 1, and its handle.
      case rule(number: Int, handle: UInt64?)
    }
    let chain: String
    let culprit: Culprit
  }

  enum Result: Sendable, Hashable {
    case passes
    case drops(Place)
    case mayDrop(Place)
  }

  static func result(of traveller: Traveller, at chain: FilterChain, in table: FilterTable) -> Result {
    var walk = Traversal(traveller: traveller, table: table)
    switch walk.through(chain, depth: 0) {
    case .accepted: break
    case .dropped(let place): return walk.someLeft ? .mayDrop(place) : .drops(place)
    case .returned where chain.drops:
      let place = Place(chain: chain.name, culprit: .policy)
      return walk.someLeft ? .mayDrop(place) : .drops(place)
    case .returned: break
    }
    return walk.suspect.map { .mayDrop($0) } ?? .passes
  }

  private enum Flow { case accepted, returned, dropped(Place) }

  private let traveller: Traveller
  private let table: FilterTable
  /// Some of the packets may have been accepted, or may have gone another way.
  private var someLeft = false
  /// The first rule that may drop, for all that we understand of it.
  private var suspect: Place?
  /// Rules looked at so far: ends what a chain that jumps about would make too long.
  private var steps = 0

  private init(traveller: Traveller, table: FilterTable) {
    self.traveller = traveller
    self.table = table
  }

  private static let limit = 50_000
  /// The kernel's own limit of nested jumps (NFT_JUMP_STACK_SIZE).
  private static let depth = 16

  private mutating func through(_ chain: FilterChain, depth: Int) -> Flow {
    guard depth <= Self.depth else { return .returned }
    for (index, rule) in chain.rules.enumerated() {
      steps += 1
      guard steps < Self.limit else { return .returned }
      let match = traveller.match(rule.conditions, in: table)
      guard match != .never else { continue }
      let place = Place(chain: chain.name, culprit: .rule(number: index + 1, handle: rule.handle))
      if let end = follow(rule.outcome, match, at: place, depth: depth) { return end }
    }
    return .returned
  }

  /// What becomes of the packets that a rule matches; nil: the next rule's turn.
  private mutating func follow(
    _ outcome: FilterOutcome, _ match: Traveller.Match, at place: Place, depth: Int
  ) -> Flow? {
    switch outcome {
    case .goesOn: return nil
    case .accept: return end(.accepted, match, at: place)
    case .drop, .reject: return end(.dropped(place), match, at: place)
    case .returns: return end(.returned, match, at: place)
    case .unknown:
      if match != .sometimes { suspect = suspect ?? place }
      someLeft = true
      return nil
    case .jump(let name), .goto(let name):
      guard let target = table.chain(name) else { return nil }
      let before = suspect
      let flow = through(target, depth: depth + 1)
      if match == .sometimes { suspect = before }
      if case .returned = flow {
        guard case .goto = outcome else { return nil }
        return end(.returned, match, at: place)
      }
      return end(flow, match, at: place)
    case .lookedUp(let field, let set):
      return lookUp(field, set, match, at: place, depth: depth)
    }
  }

  private mutating func end(_ flow: Flow, _ match: Traveller.Match, at place: Place) -> Flow? {
    if match == .always { return flow }
    if case .dropped = flow {
      if match == .unknown { suspect = suspect ?? place }
    } else {
      someLeft = true
    }
    return nil
  }

  private mutating func lookUp(
    _ field: FilterField, _ name: String, _ match: Traveller.Match, at place: Place, depth: Int
  ) -> Flow? {
    guard let set = table.sets[name], !set.hasRanges else {
      return follow(.unknown("a verdict map"), match, at: place, depth: depth)
    }
    for element in set.elements {
      let found = traveller.equals(field, element.key)
      guard found != .never, let outcome = element.outcome else { continue }
      let both = found == .always ? match : .sometimes
      if let end = follow(outcome, both, at: place, depth: depth) { return end }
      if found == .always { return nil }
    }
    return nil
  }
}
