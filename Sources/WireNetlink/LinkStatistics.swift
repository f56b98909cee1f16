internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// What a link has carried since it was made (`struct rtnl_link_stats64` in if_link.h).
package struct LinkStatistics: Sendable, Hashable {
  package var received: TrafficCounters
  package var sent: TrafficCounters

  package init(received: TrafficCounters, sent: TrafficCounters) {
    self.received = received
    self.sent = sent
  }

  /// As the other end of a veth pair sees it: what the host's end receives, the container has sent.
  package var fromTheOtherEnd: LinkStatistics { LinkStatistics(received: sent, sent: received) }
}

extension NetlinkSocket {
  /// The counters of all links, by name. As `ip -s link show`.
  package func statistics(until deadline: Deadline) throws(NetlinkError) -> [String: LinkStatistics] {
    var batch = Batch()
    batch.append(RTM_GETLINK, flags: NLM_F_DUMP, ifinfomsg()) { _ in }
    let found = try dump(batch, until: deadline) { (message) throws(NetlinkError) in
      var name = ""
      var statistics: LinkStatistics?
      try forEachAttribute(in: message, from: MemoryLayout<ifinfomsg>.size) { (type, value) throws(NetlinkError) in
        switch type {
        case IFLA_IFNAME: name = value.text
        case IFLA_STATS64: statistics = try LinkStatistics(value)
        default: break
        }
      }
      return statistics.map { (name, $0) }
    }
    return Dictionary(found) { first, _ in first }
  }
}

extension LinkStatistics {
  /// Reads the eight counters that the structure has had from its beginning: each kernel adds others behind them.
  init(_ bytes: RawSpan) throws(NetlinkError) {
    var numbers: [UInt64] = []
    for index in 0..<8 { numbers.append(try bytes.value(at: index * 8, as: UInt64.self)) }
    received = TrafficCounters(bytes: numbers[2], packets: numbers[0], errors: numbers[4], drops: numbers[6])
    sent = TrafficCounters(bytes: numbers[3], packets: numbers[1], errors: numbers[5], drops: numbers[7])
  }
}
