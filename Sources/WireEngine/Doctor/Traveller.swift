import WireCore
import WireNFTables

/// A kind of packet at one hook of the kernel, as far as a firewall's rules can be decided for it.
struct Traveller: Sendable, Hashable {
  enum Interface: Sendable, Hashable {
    /// Not on this side: a packet of the host's own comes from nowhere.
    case none
    case named(String, index: UInt32?)
    /// Any host end of a container's: their names all begin with "wh".
    case port
    /// Some link or other.
    case any
  }

  var family: Family
  var hook: FilterChain.Hook
  var input = Interface.none
  var output = Interface.none
  /// Not the first packet of its connection.
  var isAnswer = false
  /// Of a connection to a published port, after DNAT.
  var isTranslated = false
  /// The number of its transport protocol, and the port that it goes to; nil: any.
  var transport: UInt8?
  var port: UInt16?
  /// In the bridge family: the bridge that the ports on either side belong to.
  var bridge: String?

  /// Whether what is asked of a packet is so.
  enum Match: Sendable { case always, never, sometimes, unknown }

  /// All conditions of a rule together: one that fails decides, and one that narrows makes it a rule about some packets.
  func match(_ conditions: [FilterCondition], in table: FilterTable) -> Match {
    var result = Match.always
    for condition in conditions {
      switch match(condition, in: table) {
      case .never: return .never
      case .sometimes: result = .sometimes
      case .unknown where result == .always: result = .unknown
      case .always, .unknown: break
      }
    }
    return result
  }

  private func match(_ condition: FilterCondition, in table: FilterTable) -> Match {
    switch condition {
    case .narrows: return .sometimes
    case .unknown: return .unknown
    case .equals(let field, let value, let isInverted): return equals(field, value).inverted(isInverted)
    case .states(let mask, let isInverted):
      let bits = connectionState | (isTranslated ? 1 << 7 : 0)
      return (bits & mask != 0 ? Match.always : .never).inverted(isInverted)
    case .isWithin(_, let range, let isInverted):
      guard let port else { return .sometimes }
      return (range.contains(UInt32(port)) ? Match.always : .never).inverted(isInverted)
    case .isIn(let field, let set, let isInverted):
      guard let set = table.sets[set] else { return .unknown }
      let matches = set.elements.map { equals(field, $0.key) }
      if matches.contains(.always) { return Match.always.inverted(isInverted) }
      if set.hasRanges { return isInverted ? .unknown : .sometimes }
      return matches.contains(.sometimes) ? .sometimes : Match.never.inverted(isInverted)
    }
  }

  /// Bits as `ct state` has them: 2 established, 8 new.
  private var connectionState: UInt32 { isAnswer ? 2 : 8 }

  func equals(_ field: FilterField, _ value: [UInt8]) -> Match {
    switch field {
    case .iifname: equals(input, name: value)
    case .oifname: equals(output, name: value)
    case .iif: equals(input, index: value.hostNumber)
    case .oif: equals(output, index: value.hostNumber)
    case .state(let mask): connectionState & mask == value.hostNumber ? .always : .never
    // Only DNAT is known of the status: IPS_DST_NAT.
    case .status(let mask) where mask == 1 << 5:
      (isTranslated ? UInt32(1 << 5) : 0) == value.hostNumber ? .always : .never
    case .status: .sometimes
    case .networkProtocol: value.first == (family == .ipv4 ? 2 : 10) ? .always : .never
    case .etherType: value == (family == .ipv4 ? [0x08, 0x00] : [0x86, 0xdd]) ? .always : .never
    case .transport: transport.map { value.first == $0 ? .always : .never } ?? .sometimes
    case .destinationPort:
      port.map { value == [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] ? .always : .never } ?? .sometimes
    case .sourceAddress, .destinationAddress, .destinationType: .sometimes
    case .inputBridge, .outputBridge: bridge.map { Self.begins($0, value) ? .always : .never } ?? .sometimes
    }
  }

  private func equals(_ interface: Interface, name: [UInt8]) -> Match {
    switch interface {
    case .none: Self.begins("", name) ? .always : .never
    case .named(let own, _): Self.begins(own, name) ? .always : .never
    case .port where name.count <= 2: Self.begins("wh", name) ? .always : .never
    case .port: name.starts(with: "wh".utf8) ? .sometimes : .never
    case .any: .sometimes
    }
  }

  private func equals(_ interface: Interface, index: UInt32) -> Match {
    switch interface {
    case .none: index == 0 ? .always : .never
    case .named(_, let own?): own == index ? .always : .never
    case .named(_, nil): .never
    case .any, .port: .sometimes
    }
  }

  /// The kernel compares as many bytes of the name, with its NULs behind it, as the rule has.
  private static func begins(_ name: String, _ value: [UInt8]) -> Bool {
    let padded = Array(name.utf8) + [UInt8](repeating: 0, count: max(0, 16 - name.utf8.count))
    return padded.starts(with: value)
  }
}

extension Traveller.Match {
  func inverted(_ isInverted: Bool) -> Self {
    switch self {
    case .always where isInverted: .never
    case .never where isInverted: .always
    default: self
    }
  }
}

extension [UInt8] {
  /// A number of four bytes in the host's order; of any other length one that nothing equals.
  fileprivate var hostNumber: UInt32 {
    guard count == 4 else { return .max }
    return withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
  }
}
