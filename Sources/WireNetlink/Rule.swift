internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// A rule that chooses a routing table (ip-rule(8)).
package struct Rule: Sendable, Hashable {
  package var family: Family
  /// The smaller, the earlier.
  package var priority: UInt32
  /// The sources that it is for; nil: all.
  package var from: Prefix?
  package var table: UInt32

  package init(_ family: Family, from: Prefix?, table: UInt32, priority: UInt32) {
    self.family = family
    self.from = from
    self.table = table
    self.priority = priority
  }
}

extension Batch {
  /// As `ip rule add from PREFIX lookup TABLE priority N`.
  package mutating func addRule(_ rule: Rule) {
    append(RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL, fib_rule_hdr(rule)) { $0.put(rule) }
  }

  /// As `ip rule del …` with the same words.
  package mutating func deleteRule(_ rule: Rule) {
    append(RTM_DELRULE, fib_rule_hdr(rule)) { $0.put(rule) }
  }
}

extension NetlinkSocket {
  /// The rules of a family, by priority; those that do something else than to look a table up are left out. As `ip rule`.
  package func rules(_ family: Family, until deadline: Deadline) throws(NetlinkError) -> [Rule] {
    var batch = Batch()
    var header = fib_rule_hdr()
    header.family = family.number
    batch.append(RTM_GETRULE, flags: NLM_F_DUMP, header)
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in try Rule(message: message) }
  }
}

extension fib_rule_hdr {
  fileprivate init(_ rule: Rule) {
    self.init()
    family = rule.family.number
    src_len = UInt8(rule.from?.length ?? 0)
    table = UInt8(rule.table < 256 ? rule.table : UInt32(RT_TABLE_UNSPEC.rawValue))
    action = UInt8(FR_ACT_TO_TBL)
  }
}

extension MessageBuilder {
  fileprivate mutating func put(_ rule: Rule) {
    put(FRA_PRIORITY, rule.priority)
    if let from = rule.from { put(FRA_SRC, from.first) }
    if rule.table >= 256 { put(FRA_TABLE, rule.table) }
  }
}

extension Rule {
  init?(message: RawSpan) throws(NetlinkError) {
    let header = try message.value(as: fib_rule_hdr.self)
    guard let family = Family(number: header.family), Int(header.action) == FR_ACT_TO_TBL else { return nil }
    var rule = Rule(family, from: nil, table: UInt32(header.table), priority: 0)
    try forEachAttribute(in: message, from: MemoryLayout<fib_rule_hdr>.size) { (type, value) throws(NetlinkError) in
      switch type {
      case FRA_PRIORITY: rule.priority = try value.uint32
      case FRA_TABLE: rule.table = try value.uint32
      case FRA_SRC: rule.from = Prefix(try value.address, Int(header.src_len))
      default: break
      }
    }
    self = rule
  }
}
