package import WireCore

/// A firewall's table, anybody's, as far as it decides which packets pass.
package struct FilterTable: Sendable, Hashable {
  /// Which of the kernel's two firewalls holds it, and whose packets it sees.
  package enum Kind: Sendable, Hashable {
    case ip, ip6, inet, bridge
    /// `filter` of iptables-legacy: the kernel keeps it apart from nf_tables.
    case legacy(Family)

    /// As nft(8) and iptables(8) name the family.
    package var family: String {
      switch self {
      case .ip, .legacy(.ipv4): "ip"
      case .ip6, .legacy(.ipv6): "ip6"
      case .inet: "inet"
      case .bridge: "bridge"
      }
    }

    package func sees(_ family: Family) -> Bool {
      switch self {
      case .inet, .bridge: true
      case .ip: family == .ipv4
      case .ip6: family == .ipv6
      case .legacy(let own): own == family
      }
    }
  }

  package let kind: Kind
  package let name: String
  package var chains: [FilterChain]
  /// The contents of the sets that rules look up, by name.
  package var sets: [String: FilterSet] = [:]

  package init(_ kind: Kind, _ name: String, chains: [FilterChain]) {
    self.kind = kind
    self.name = name
    self.chains = chains
  }

  package func chain(_ name: String) -> FilterChain? { chains.first { $0.name == name } }
}

/// A chain: one that a hook of the kernel calls, or one that others jump to.
package struct FilterChain: Sendable, Hashable {
  /// `enum nf_inet_hooks`; the bridge family has the same five.
  package enum Hook: UInt32, Sendable, Hashable {
    case prerouting, input, forward, output, postrouting
  }

  package let name: String
  package let hook: Hook?
  package let priority: Int32
  /// Whether packets that reach its end are dropped; only a base chain's.
  package let drops: Bool
  package var rules: [FilterRule]

  package init(_ name: String, hook: Hook? = nil, priority: Int32 = 0, drops: Bool = false, rules: [FilterRule] = []) {
    self.name = name
    self.hook = hook
    self.priority = priority
    self.drops = drops
    self.rules = rules
  }
}

/// A rule: what a packet must be, and what then happens.
package struct FilterRule: Sendable, Hashable {
  /// What nft(8) names it by; nil in iptables-legacy.
  package let handle: UInt64?
  package let conditions: [FilterCondition]
  package let outcome: FilterOutcome
  /// What it makes of the packet's destination; only read of the chains that rewrite addresses.
  package var rewrite: DestinationRewrite?

  package init(handle: UInt64?, _ conditions: [FilterCondition], _ outcome: FilterOutcome) {
    self.handle = handle
    self.conditions = conditions
    self.outcome = outcome
  }
}

/// What a rule compares, where we know what that is.
package enum FilterField: Sendable, Hashable {
  case iifname, oifname, iif, oif
  /// Bits of `enum ip_conntrack_info` as nft has them: 2 established, 4 related, 8 new; kept are those of the mask.
  case state(mask: UInt32)
  /// Bits of `enum ip_conntrack_status`: 32 after DNAT.
  case status(mask: UInt32)
  case networkProtocol
  /// The same by its EtherType.
  case etherType
  case transport
  case destinationPort
  /// The bridge that a port belongs to, in family `bridge`.
  case inputBridge, outputBridge
  /// Of the network header; a prefix of whole bytes is the beginning of one. Only where addresses are rewritten.
  case sourceAddress, destinationAddress
  /// `RTN_LOCAL` and so on, of the destination (`fib daddr type`). Only there, too.
  case destinationType
}

/// Which of the firewall's chains are read.
enum FilterReading { case filters, translations }

package enum FilterCondition: Sendable, Hashable {
  /// Equal to the bytes, or beginning with them; of numbers all bytes, in the order that the kernel compares.
  case equals(FilterField, [UInt8], isInverted: Bool)
  case isWithin(FilterField, ClosedRange<UInt32>, isInverted: Bool)
  case isIn(FilterField, set: String, isInverted: Bool)
  /// An xtables `conntrack` match on states (XT_CONNTRACK_STATE_BIT).
  case states(UInt32, isInverted: Bool)
  /// Understood: some packets only, by what the traveller does not say (addresses, rates, marks).
  case narrows
  /// Not understood.
  case unknown(String)
}

package indirect enum FilterOutcome: Sendable, Hashable {
  case goesOn
  case accept
  case drop
  case reject
  case returns
  case jump(String)
  case goto(String)
  /// A verdict map: which of its outcomes depends on the field.
  case lookedUp(FilterField, set: String)
  /// Not understood: it may drop.
  case unknown(String)
}

/// What a set or a verdict map holds.
package struct FilterSet: Sendable, Hashable {
  package struct Element: Sendable, Hashable {
    package let key: [UInt8]
    /// Of a verdict map.
    package let outcome: FilterOutcome?
  }
  package var elements: [Element] = []
  /// Whether there are intervals or a catch-all among them, which are not told apart here.
  package var hasRanges = false
}
