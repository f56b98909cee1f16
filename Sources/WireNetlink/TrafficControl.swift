internal import CMnl
package import WireCore

/// A token bucket: what passes is held to a rate, with bursts of a few milliseconds.
package struct TokenBucket: Sendable, Hashable {
  package let rate: Rate
  /// How many bytes may pass at once.
  package let burst: UInt32
  /// How many bytes may wait before more are dropped.
  package let limit: UInt32

  /// A bucket of 10 ms of the rate, but never smaller than two frames, for what is larger than the bucket never passes;
  /// and a queue of 50 ms, but of ten frames at least.
  package init(rate: Rate, mtu: UInt32) {
    self.rate = rate
    let bytes = rate.bitsPerSecond / 8
    // The Ethernet header and a VLAN tag count as well.
    let frame = UInt64(mtu) + 18
    burst = UInt32(clamping: max(bytes / 100, 2 * frame))
    limit = UInt32(clamping: UInt64(burst) + max(bytes / 20, 10 * frame))
  }
}

/// `TC_H_MAKE` and the like are macros that Swift does not see.
private let rootHandle: UInt32 = 0x1_0000
private let ingressHandle: UInt32 = 0xffff_0000

extension Batch {
  /// Holds what leaves by a link to a rate. As `tc qdisc add dev LINK root handle 1: tbf rate … burst … limit …`.
  package mutating func addTokenBucket(_ bucket: TokenBucket, on link: UInt32) {
    let bytes = bucket.rate.bitsPerSecond / 8
    var options = tc_tbf_qopt()
    options.limit = bucket.limit
    options.rate.rate = UInt32(clamping: bytes)
    // With it the kernel needs no rate table (TCA_TBF_RTAB) to find out.
    options.rate.linklayer = UInt8(TC_LINKLAYER_ETHERNET.rawValue)
    addQdisc(link, parent: UInt32(TC_H_ROOT), handle: rootHandle, kind: "tbf") { message in
      message.put(TCA_TBF_PARMS, plain: options)
      if bytes >= UInt64(UInt32.max) { message.put(TCA_TBF_RATE64, bytes) }
      message.put(TCA_TBF_BURST, bucket.burst)
    }
  }

  /// Sends all that a link receives through another one first, an ifb. As `tc qdisc add dev LINK ingress`, then
  /// `tc filter add dev LINK ingress u32 match u32 0 0 action mirred egress redirect dev TARGET`.
  package mutating func redirectIngress(of link: UInt32, to target: UInt32) {
    addQdisc(link, parent: UInt32(TC_H_INGRESS), handle: ingressHandle, kind: "ingress")
    var header = tcmsg()
    header.tcm_ifindex = Int32(truncatingIfNeeded: link)
    header.tcm_parent = ingressHandle
    // Priority 1 and every protocol (TC_H_MAKE(priority << 16, htons(ETH_P_ALL))).
    header.tcm_info = 1 << 16 | UInt32(UInt16(ETH_P_ALL).bigEndian)
    var action = tc_mirred()
    action.action = Int32(TC_ACT_STOLEN)
    action.eaction = Int32(TCA_EGRESS_REDIR)
    action.ifindex = target
    append(RTM_NEWTFILTER, flags: NLM_F_CREATE | NLM_F_EXCL, header) { message in
      message.put(TCA_KIND, "u32")
      message.nest(TCA_OPTIONS) { message in
        message.put(TCA_U32_SEL, plain: MatchAll())
        message.nest(TCA_U32_ACT) { message in
          message.nest(1) { message in
            message.put(TCA_ACT_KIND, "mirred")
            message.nest(TCA_ACT_OPTIONS) { $0.put(TCA_MIRRED_PARMS, plain: action) }
          }
        }
      }
    }
  }

  /// Takes a link's token bucket away. As `tc qdisc del dev LINK root`.
  package mutating func deleteTokenBucket(on link: UInt32) {
    deleteQdisc(link, parent: UInt32(TC_H_ROOT), handle: 0)
  }

  /// Takes a link's redirection away. As `tc qdisc del dev LINK ingress`.
  package mutating func deleteIngress(of link: UInt32) {
    deleteQdisc(link, parent: UInt32(TC_H_INGRESS), handle: ingressHandle)
  }

  private mutating func addQdisc(
    _ link: UInt32, parent: UInt32, handle: UInt32, kind: String, _ options: ((inout MessageBuilder) -> Void)? = nil
  ) {
    append(RTM_NEWQDISC, flags: NLM_F_CREATE | NLM_F_EXCL, tcmsg(link, parent, handle)) { message in
      message.put(TCA_KIND, kind)
      if let options { message.nest(TCA_OPTIONS, options) }
    }
  }

  private mutating func deleteQdisc(_ link: UInt32, parent: UInt32, handle: UInt32) {
    append(RTM_DELQDISC, tcmsg(link, parent, handle))
  }
}

extension tcmsg {
  fileprivate init(_ link: UInt32, _ parent: UInt32, _ handle: UInt32) {
    self.init()
    tcm_ifindex = Int32(truncatingIfNeeded: link)
    tcm_parent = parent
    tcm_handle = handle
  }
}

/// `struct tc_u32_sel` with one `tc_u32_key` that asks for nothing, so that every packet matches. The kernel's struct ends
/// with an array of keys, which Swift cannot make; so this repeats its layout.
private struct MatchAll: BitwiseCopyable {
  var flags = UInt8(TC_U32_TERMINAL)
  var offsetShift: UInt8 = 0
  var keyCount: UInt8 = 1
  var offsetMask: UInt16 = 0
  var offset: UInt16 = 0
  var offsetOffset: Int16 = 0
  var hashOffset: Int16 = 0
  var hashMask: UInt32 = 0
  var key = tc_u32_key()
}
