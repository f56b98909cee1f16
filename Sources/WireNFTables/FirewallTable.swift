internal import CNftnl
internal import Glibc

/// Our tables. Both are called `wirehook`; the second is there only where a network holds its containers to their own
/// addresses.
package enum FirewallTable: Sendable, Hashable, CaseIterable, CustomStringConvertible {
  /// NAT and filter of what is routed.
  case inet
  /// The check of who sends what, at the ports of Linux bridges.
  case bridge

  static let name = "wirehook"

  /// As nft(8) calls it.
  package var description: String { "\(self == .inet ? "inet" : "bridge") \(Self.name)" }

  /// NFPROTO_INET or NFPROTO_BRIDGE.
  var family: UInt8 { UInt8(self == .inet ? NFPROTO_INET : NFPROTO_BRIDGE) }

  /// Counts up with every change of a set, chain or rule: a table of another version is replaced.
  var version: UInt32 { 1 }

  var chains: [Chain] { self == .inet ? Ruleset.chains : AntispoofRuleset.chains }
  package var sets: [SetName] { SetName.allCases.filter { $0.table == self } }
}
