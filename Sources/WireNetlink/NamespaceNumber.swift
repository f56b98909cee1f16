internal import CMnl
package import WireLinux

extension NetlinkSocket {
  /// The number that the socket's namespace knows another one by, as links name it (`Link.peerNamespace`); nil where no
  /// link or route has needed one yet. As `ip netns list-id`.
  package func number(
    of namespace: borrowing NetworkNamespace, until deadline: Deadline
  ) throws(NetlinkError) -> UInt32? {
    var batch = Batch()
    let descriptor = UInt32(bitPattern: namespace.raw)
    // struct rtgenmsg is a single byte; the kernel counts it as a whole word.
    batch.append(RTM_GETNSID, UInt32(0)) { $0.put(NETNSA_FD, descriptor) }
    let number = try ask(batch, absent: [], until: deadline) { (message) throws(NetlinkError) in
      var number: UInt32?
      try forEachAttribute(in: message, from: 4) { (type, value) throws(NetlinkError) in
        if type == NETNSA_NSID { number = try value.uint32 }
      }
      return number
    }
    // NETNSA_NSID_NOT_ASSIGNED is -1.
    guard let found = number ?? nil, found != UInt32.max else { return nil }
    return found
  }
}
