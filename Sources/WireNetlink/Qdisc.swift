internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// A queueing discipline of a link (tc(8)).
package struct Qdisc: Sendable, Hashable {
  /// `tbf`, `ingress`, `noqueue`.
  package var kind: String
  /// Whether it is the link's root: what leaves passes it.
  package var isRoot: Bool
  /// Of a token bucket.
  package var rate: Rate?
}

extension NetlinkSocket {
  /// The disciplines of one link. As `tc qdisc show dev LINK`.
  package func qdiscs(of link: UInt32, until deadline: Deadline) throws(NetlinkError) -> [Qdisc] {
    var batch = Batch()
    batch.append(RTM_GETQDISC, flags: NLM_F_DUMP, tcmsg())
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in
      let header = try message.value(as: tcmsg.self)
      guard UInt32(bitPattern: header.tcm_ifindex) == link else { return nil }
      return try Qdisc(message: message, header)
    }
  }
}

extension Qdisc {
  fileprivate init(message: RawSpan, _ header: tcmsg) throws(NetlinkError) {
    var qdisc = Qdisc(kind: "", isRoot: header.tcm_parent == UInt32(TC_H_ROOT))
    try forEachAttribute(in: message, from: MemoryLayout<tcmsg>.size) { (type, value) throws(NetlinkError) in
      switch type {
      case TCA_KIND: qdisc.kind = value.text
      // The kind comes first, and says what the options are.
      case TCA_OPTIONS where qdisc.kind == "tbf": try qdisc.read(tokenBucket: value)
      default: break
      }
    }
    self = qdisc
  }

  /// A rate of 4 GiB a second or more stands in an attribute of its own.
  private mutating func read(tokenBucket options: RawSpan) throws(NetlinkError) {
    var bytes: UInt64 = 0
    try forEachAttribute(in: options) { (type, value) throws(NetlinkError) in
      switch type {
      case TCA_TBF_PARMS: bytes = max(bytes, UInt64(try value.value(as: tc_tbf_qopt.self).rate.rate))
      case TCA_TBF_RATE64: bytes = try value.value(as: UInt64.self)
      default: break
      }
    }
    let (bits, overflow) = bytes.multipliedReportingOverflow(by: 8)
    rate = overflow ? nil : Rate(bitsPerSecond: bits)
  }
}
