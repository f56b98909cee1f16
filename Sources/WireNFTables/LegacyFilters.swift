internal import CLinux
internal import CNftnl
internal import Glibc
import WireCore
package import WireLinux

/// Table `filter` of iptables-legacy, read only. A table that is not there is not made by looking.
package enum LegacyFilters {
  /// As `iptables-legacy -S` and `ip6tables-legacy -S`.
  package static func read() throws(SystemError) -> [FilterTable] {
    var tables: [FilterTable] = []
    for family in Family.allCases where try LegacyDockerUser.hasFilterTable(family) {
      var table = clinux_legacy_table()
      guard clinux_legacy_read(family == .ipv4 ? AF_INET : AF_INET6, &table) == 0 else {
        throw SystemError("getsockopt", errno, reason: "the tables of iptables-legacy cannot be read")
      }
      defer { free(table.entries) }
      let bytes = Array(UnsafeRawBufferPointer(start: table.entries, count: Int(table.size)))
      tables.append(FilterTable(.legacy(family), "filter", chains: LegacyEntries(table, bytes).chains()))
    }
    return tables
  }
}

/// The entries of such a table: one behind the other, a chain's head an entry with the target ERROR.
private struct LegacyEntries {
  let table: clinux_legacy_table
  let bytes: [UInt8]
  /// The chain that begins at an offset, as jumps name it.
  private var names: [Int: String] = [:]

  init(_ table: clinux_legacy_table, _ bytes: [UInt8]) {
    self.table = table
    self.bytes = bytes
    for (hook, start, _) in hooks { names[start] = Self.builtIn[Int(hook.rawValue)] }
    forEach(from: 0) { offset, next in
      let target = self.target(offset)
      if target.name == "ERROR" { names[next] = self.bytes.text(at: target.data, 30) }
      return true
    }
  }

  private static let builtIn = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]

  private var hooks: [(hook: FilterChain.Hook, start: Int, policy: Int)] {
    [
      (.input, Int(table.begins.1), Int(table.policies.1)), (.forward, Int(table.begins.2), Int(table.policies.2)),
      (.output, Int(table.begins.3), Int(table.policies.3)),
    ]
  }

  func chains() -> [FilterChain] {
    var chains = hooks.map { hook, start, policy in
      var drops = false
      if case .drop = outcome(policy) { drops = true }
      return FilterChain(
        names[start] ?? "", hook: hook, drops: drops, rules: rules(from: start) { $0 < policy })
    }
    let starts = Set(hooks.map(\.start))
    for (start, name) in names.sorted(by: { $0.key < $1.key }) where !starts.contains(start) {
      // Behind a chain's rules stands one that returns, of which iptables shows nothing.
      chains.append(FilterChain(name, rules: rules(from: start) { target($0).name != "ERROR" }.dropLast()))
    }
    return chains
  }

  private func rules(from start: Int, while isIn: (Int) -> Bool) -> [FilterRule] {
    var rules: [FilterRule] = []
    forEach(from: start) { offset, _ in
      guard isIn(offset) else { return false }
      rules.append(FilterRule(handle: nil, conditions(offset), outcome(offset)))
      return true
    }
    return rules
  }

  /// Hands each entry's offset and the next one's to `body`, until it says no or an entry is not what it should be.
  private func forEach(from start: Int, _ body: (Int, Int) -> Bool) {
    var offset = start
    while offset + Int(table.entry) <= bytes.count {
      let next = offset + Int(bytes.half(at: offset + Int(table.next_offset)))
      guard next > offset, next <= bytes.count, body(offset, next) else { return }
      offset = next
    }
  }

  /// The target's name, and where its own data begin behind `struct xt_entry_target`.
  private func target(_ offset: Int) -> (name: String, data: Int) {
    let place = offset + Int(bytes.half(at: offset + Int(table.target_offset)))
    return (bytes.text(at: place + 2, 29), place + 32)
  }

  private func outcome(_ offset: Int) -> FilterOutcome {
    let target = target(offset)
    guard target.name.isEmpty else { return XtablesTarget.outcome(name: target.name) }
    let verdict = Int(Int32(bitPattern: bytes.word(at: target.data)))
    switch verdict {
    case -Int(NF_ACCEPT) - 1: return .accept
    case -Int(NF_DROP) - 1: return .drop
    case -Int(NF_REPEAT) - 1: return .returns
    case _ where verdict < 0: return .unknown("a verdict")
    default: break
    }
    // A rule without a target jumps to the one behind it.
    guard verdict != offset + Int(bytes.half(at: offset + Int(table.next_offset))) else { return .goesOn }
    guard let name = names[verdict] else { return .unknown("a jump") }
    return bytes.half(at: offset + Int(table.flags)) & UInt32(table.goes_to) != 0 ? .goto(name) : .jump(name)
  }

  private func conditions(_ offset: Int) -> [FilterCondition] {
    // IPT_INV_VIA_IN, _VIA_OUT, _SRCIP, _DSTIP, _PROTO: the same bits in both families.
    let inverted = bytes[offset + Int(table.inverted)]
    var conditions: [FilterCondition] = []
    for (field, name, mask, bit) in [
      (FilterField.iifname, table.in, table.in_mask, UInt8(1)), (.oifname, table.out, table.out_mask, 2),
    ] {
      let length = bytes[offset + Int(mask)..<offset + Int(mask) + 16].prefix { $0 != 0 }.count
      guard length > 0 else { continue }
      let value = Array(bytes[offset + Int(name)..<offset + Int(name) + length])
      conditions.append(.equals(field, value, isInverted: inverted & bit != 0))
    }
    // Addresses and their masks stand before the names.
    if bytes[offset..<offset + Int(table.in)].contains(where: { $0 != 0 }) {
      conditions.append(inverted & 0x18 == 0 ? .narrows : .unknown("a condition on what a packet is not"))
    }
    let transport = bytes.half(at: offset + Int(table.protocol))
    if transport != 0 {
      conditions.append(.equals(.transport, [UInt8(truncatingIfNeeded: transport)], isInverted: inverted & 0x40 != 0))
    }
    return conditions + matches(offset)
  }

  /// `struct xt_entry_match`: its size, its name, then the match's own data.
  private func matches(_ offset: Int) -> [FilterCondition] {
    let end = offset + Int(bytes.half(at: offset + Int(table.target_offset)))
    var place = offset + Int(table.entry)
    var conditions: [FilterCondition] = []
    while place + 32 <= end, end <= bytes.count {
      let size = Int(bytes.half(at: place))
      guard size >= 32, place + size <= end else { break }
      let info = Array(bytes[place + 32..<place + size])
      conditions += XtablesMatch.conditions(name: bytes.text(at: place + 2, 29), info: info)
      place += size
    }
    return conditions
  }
}
