internal import CMnl
internal import CNftnl
internal import Glibc
package import WireCore

/// The chain that Docker leaves to the administrator, in `ip filter` and `ip6 filter`. It is called first in FORWARD, whose
/// policy Docker sets to DROP, and nothing in another table undoes a drop. So our bridges are accepted there, by rules of
/// the very shape that iptables-nft writes: `-A DOCKER-USER -i BRIDGE -m comment --comment wirehook -j ACCEPT`.
enum DockerUser {
  static let table = "filter"
  static let chain = "DOCKER-USER"
  static let comment = "wirehook"

  /// Of a rule for what is published to one container.
  static func comment(_ target: IPAddress, _ link: InterfaceName) -> String { "\(comment) \(link) \(target)" }
}

extension FirewallSocket {
  /// Makes sure that DOCKER-USER accepts what comes from `bridge` and what goes to it, in each family that has the chain.
  /// Idempotent. New rules go before the first one that returns unconditionally (Docker's own, at the end), so that what
  /// the administrator drops there stays dropped.
  package borrowing func ensureForwardAccept(bridge: InterfaceName, deadline: Int64) throws(NFTablesError) {
    try changeUserRules(for: "accepting \(bridge) in DOCKER-USER", deadline: deadline) { rules in
      let end = rules.first { $0.returns }?.handle
      return UserRule.Direction.allCases.filter { direction in
        !rules.contains { $0.accepts(bridge, direction) }
      }.map { .insert(bridge, $0, before: end) }
    }
  }

  /// Takes out the accepts of `bridge` that have our comment. Idempotent.
  package borrowing func removeForwardAccept(bridge: InterfaceName, deadline: Int64) throws(NFTablesError) {
    try changeUserRules(for: "removing \(bridge) from DOCKER-USER", deadline: deadline) { rules in
      rules.filter { rule in
        rule.isOurs && UserRule.Direction.allCases.contains { rule.accepts(bridge, $0) }
      }.map { .delete(handle: $0.handle) }
    }
  }

  /// Whether DOCKER-USER accepts `bridge`, both ways and in each family that has the chain.
  package borrowing func hasForwardAccept(bridge: InterfaceName, deadline: Int64) throws(NFTablesError) -> Bool {
    for family in try familiesWithUserChain(deadline: deadline) {
      let rules = try userRules(family, deadline: deadline)
      for direction in UserRule.Direction.allCases where !rules.contains(where: { $0.accepts(bridge, direction) }) {
        return false
      }
    }
    return true
  }

  borrowing func changeUserRules(
    for request: String, of families: [Family] = Family.allCases, deadline: Int64,
    _ changes: ([UserRule]) -> [UserRule.Change]
  ) throws(NFTablesError) {
    for family in try familiesWithUserChain(deadline: deadline) where families.contains(family) {
      var isDone = changes(try userRules(family, deadline: deadline)).isEmpty
      while !isDone {
        // Built on the generation that the rules were read at: two processes at once must not add a rule twice.
        let generation = try generation(deadline: deadline)
        let wanted = changes(try userRules(family, deadline: deadline))
        if wanted.isEmpty { break }
        var buffer = MessageBuffer(capacity: 32 << 10, firstSequence: socket.sequenceForBatch)
        buffer.beginTransaction(generation: generation)
        for change in wanted { buffer.add(change, family) }
        do throws(NFTablesError) {
          try commit(&buffer, for: request, deadline: deadline)
          isDone = true
        } catch {
          if error.kind == .missing, try !familiesWithUserChain(deadline: deadline).contains(family) { break }
          guard error.code == ERESTART, MonotonicClock.milliseconds < deadline else { throw error }
        }
      }
    }
  }

  /// One question for both families at once: on a host without Docker it is all that is asked.
  borrowing func familiesWithUserChain(deadline: Int64) throws(NFTablesError) -> [Family] {
    let first = socket.takeSequence(UInt32(Family.allCases.count))
    var buffer = MessageBuffer(capacity: 512, firstSequence: first)
    for family in Family.allCases {
      buffer.begin(NFTMessage.type(NFT_MSG_GETCHAIN), flags: 0, family: family.protocolFamily)
      buffer.put(Int(NFTA_CHAIN_TABLE.rawValue), DockerUser.table)
      buffer.put(Int(NFTA_CHAIN_NAME.rawValue), DockerUser.chain)
      buffer.end()
    }
    let request = "looking for DOCKER-USER"
    try socket.send(buffer.bytes, for: request)
    var found: [Family] = []
    var failure: NFTablesError?
    var awaited = Family.allCases.count
    try socket.replies(for: request, deadline: deadline) { reply in
      guard let index = Int(exactly: reply.sequence &- first), index < Family.allCases.count else { return true }
      if !reply.isError {
        found.append(Family.allCases[index])
      } else if reply.code != ENOENT {
        failure = NFTablesError(request, code: reply.code, extack: reply.extack)
      }
      awaited -= 1
      return awaited > 0
    }
    if let failure { throw failure }
    return found
  }

  borrowing func userRules(_ family: Family, deadline: Int64) throws(NFTablesError) -> [UserRule] {
    let scope = [
      (Int(NFTA_RULE_TABLE.rawValue), DockerUser.table), (Int(NFTA_RULE_CHAIN.rawValue), DockerUser.chain),
    ]
    return try list(
      NFT_MSG_GETRULE, family.protocolFamily, scope, for: "listing DOCKER-USER", deadline: deadline
    ) { UserRule($0) }
  }
}
