internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

extension Batch {
  /// Sends a tunnel's broadcasts, and what it knows no MAC of, to `remote` as well. One that is listed already is fine.
  /// As `bridge fdb append 00:00:00:00:00:00 dev LINK dst REMOTE`.
  package mutating func appendFlood(_ link: UInt32, to remote: IPAddress) {
    append(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_APPEND, ndmsg(floodOf: link)) { $0.put(floodTo: remote) }
  }

  /// Takes a remote off the list. The kernel says nothing where it is not on it, and `ENOENT` where the list is empty.
  /// As `bridge fdb del 00:00:00:00:00:00 dev LINK dst REMOTE`.
  package mutating func deleteFlood(_ link: UInt32, to remote: IPAddress) {
    append(RTM_DELNEIGH, ndmsg(floodOf: link)) { $0.put(floodTo: remote) }
  }
}

extension NetlinkSocket {
  /// The remotes, and the multicast group, that a tunnel sends to when it knows no better. As the lines of
  /// `bridge fdb show dev LINK` that begin with 00:00:00:00:00:00.
  package func floodDestinations(of link: UInt32, until deadline: Deadline) throws(NetlinkError) -> [IPAddress] {
    checkStrictly()
    var header = ndmsg()
    header.ndm_family = UInt8(AF_BRIDGE)
    header.ndm_ifindex = Int32(truncatingIfNeeded: link)
    var batch = Batch()
    batch.append(RTM_GETNEIGH, flags: NLM_F_DUMP, header)
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in
      try IPAddress(floodOf: link, message: message)
    }
  }
}

extension IPAddress {
  /// Reads an `RTM_NEWNEIGH` of `AF_BRIDGE`: where a link sends what it knows no MAC of; nil for any other entry.
  init?(floodOf link: UInt32, message: RawSpan) throws(NetlinkError) {
    let header = try message.value(as: ndmsg.self)
    // Kernels before 5.0 list the entries of all links.
    guard header.ndm_ifindex == Int32(truncatingIfNeeded: link) else { return nil }
    var destination: IPAddress?
    var mac: MACAddress?
    try forEachAttribute(in: message, from: MemoryLayout<ndmsg>.size) { (type, value) throws(NetlinkError) in
      switch type {
      case NDA_LLADDR: mac = MACAddress(bytes: value.array)
      case NDA_DST: destination = try value.address
      default: break
      }
    }
    guard mac == MACAddress(0), let destination else { return nil }
    self = destination
  }
}

extension ndmsg {
  /// An entry of the tunnel's own forwarding database (`NTF_SELF`), not of its bridge's, that does not age.
  fileprivate init(floodOf link: UInt32) {
    self.init()
    ndm_family = UInt8(AF_BRIDGE)
    ndm_ifindex = Int32(truncatingIfNeeded: link)
    ndm_state = UInt16(NUD_PERMANENT | NUD_NOARP)
    ndm_flags = UInt8(NTF_SELF)
  }
}

extension MessageBuilder {
  /// The MAC of all zeros stands for every one that has no entry.
  fileprivate mutating func put(floodTo remote: IPAddress) {
    put(NDA_LLADDR, MACAddress(0))
    put(NDA_DST, remote)
  }
}
