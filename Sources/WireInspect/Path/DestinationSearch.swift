import WireCore
import WireNFTables

/// What somebody else's chains make of a packet's destination, decided without a packet.
struct DestinationSearch {
  /// The rule that rewrites it, or may.
  struct Finding: Hashable {
    var table: FilterTable.Kind
    var name: String
    var chain: String
    var handle: UInt64?
    var rewrite: DestinationRewrite
    /// Else it depends on what is not known here.
    var isCertain: Bool

    /// `table ip nat chain DOCKER, rule with handle 12`
    var place: String {
      "table \(table.family) \(name) chain \(chain)" + (handle.map { ", rule with handle \($0)" } ?? "")
    }
  }

  let packet: PathPacket
  let input: LinkFacts?
  let isLocal: Bool
  private(set) var findings: [Finding] = []
  private var steps = 0

  init(_ packet: PathPacket, from input: LinkFacts?, isLocal: Bool) {
    self.packet = packet
    self.input = input
    self.isLocal = isLocal
  }

  private static let limit = 50_000
  /// The kernel's own limit of nested jumps (NFT_JUMP_STACK_SIZE).
  private static let depth = 16

  private enum Flow { case goesOn, ends }

  /// Looks through a base chain; true where a rule rewrites it for certain.
  mutating func look(at chain: FilterChain, in table: FilterTable) -> Bool {
    _ = through(chain, in: table, isCertain: true, depth: 0)
    return findings.last?.isCertain ?? false
  }

  private mutating func through(_ chain: FilterChain, in table: FilterTable, isCertain: Bool, depth: Int) -> Flow {
    guard depth <= Self.depth else { return .goesOn }
    for rule in chain.rules {
      steps += 1
      guard steps < Self.limit else { return .ends }
      let match = match(rule.conditions, in: table)
      guard match != .never else { continue }
      let isSure = isCertain && match == .always
      if let rewrite = rule.rewrite {
        findings.append(
          Finding(
            table: table.kind, name: table.name, chain: chain.name, handle: rule.handle, rewrite: rewrite,
            isCertain: isSure && rewrite != .unknown))
        if isSure { return .ends }
        continue
      }
      switch rule.outcome {
      case .goesOn, .unknown, .lookedUp: continue
      case .accept, .drop, .reject: if isSure { return .ends }
      case .returns: if match == .always { return .goesOn }
      case .jump(let name), .goto(let name):
        guard let target = table.chain(name) else { continue }
        let flow = through(target, in: table, isCertain: isSure, depth: depth + 1)
        if isSure, flow == .ends { return .ends }
        if match == .always, case .goto = rule.outcome { return .goesOn }
      }
    }
    return .goesOn
  }

  private enum Match { case always, never, sometimes }

  private func match(_ conditions: [FilterCondition], in table: FilterTable) -> Match {
    var result = Match.always
    for condition in conditions {
      switch match(condition, in: table) {
      case .never: return .never
      case .sometimes: result = .sometimes
      case .always: break
      }
    }
    return result
  }

  private func match(_ condition: FilterCondition, in table: FilterTable) -> Match {
    switch condition {
    case .narrows, .unknown: return .sometimes
    case .equals(let field, let value, let isInverted): return Self.match(equals(field, value), isInverted)
    // A packet that opens a connection: 8 is new.
    case .states(let mask, let isInverted): return Self.match(mask & 8 != 0, isInverted)
    case .isWithin(_, let range, let isInverted):
      return Self.match(packet.port.map { range.contains(UInt32($0)) } ?? false, isInverted)
    case .isIn(let field, let set, let isInverted):
      guard let set = table.sets[set], !set.hasRanges else { return .sometimes }
      let all = set.elements.map { equals(field, $0.key) }
      if all.contains(true) { return Self.match(true, isInverted) }
      return all.contains(nil) ? .sometimes : Self.match(false, isInverted)
    }
  }

  private static func match(_ holds: Bool?, _ isInverted: Bool) -> Match {
    guard let holds else { return .sometimes }
    return holds != isInverted ? .always : .never
  }

  /// Nil: that is not known of the packet.
  private func equals(_ field: FilterField, _ value: [UInt8]) -> Bool? {
    switch field {
    case .iifname: Self.begins(input?.name ?? "", value)
    case .iif: Self.number(value) == input?.index ?? 0
    case .oifname, .oif: nil
    case .state(let mask): Self.number(value).map { 8 & mask == $0 }
    case .status, .inputBridge, .outputBridge: nil
    case .networkProtocol: value.first == (packet.family == .ipv4 ? 2 : 10)
    case .etherType: value == (packet.family == .ipv4 ? [0x08, 0x00] : [0x86, 0xdd])
    case .transport: value.first == packet.protocolNumber
    case .destinationPort: packet.port.map { value == [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] } ?? false
    case .sourceAddress: packet.source.map { $0.bytes.starts(with: value) }
    case .destinationAddress: packet.destination.bytes.starts(with: value)
    case .destinationType: value == FilterField.local ? isLocal : nil
    }
  }

  /// The kernel compares as many bytes of the name, with its NULs behind it, as the rule has.
  private static func begins(_ name: String, _ value: [UInt8]) -> Bool {
    (Array(name.utf8) + [UInt8](repeating: 0, count: max(0, 16 - name.utf8.count))).starts(with: value)
  }

  /// Four bytes in the host's order.
  private static func number(_ value: [UInt8]) -> UInt32? {
    guard value.count == 4 else { return nil }
    return value.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
  }
}
