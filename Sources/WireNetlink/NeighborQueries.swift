internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// What a host knows of a neighbour on one of its links (ip-neighbour(8)).
package struct NeighborEntry: Sendable, Hashable {
  package var link: UInt32
  package var address: IPAddress
  /// Nil while nobody has answered.
  package var mac: MACAddress?
  /// Nobody answered when it was asked for (`NUD_FAILED`).
  package var hasFailed: Bool

  package init(link: UInt32, address: IPAddress, mac: MACAddress?, hasFailed: Bool) {
    self.link = link
    self.address = address
    self.mac = mac
    self.hasFailed = hasFailed
  }
}

extension NetlinkSocket {
  /// The neighbours of one family. As `ip neigh show`.
  package func neighbors(_ family: Family, until deadline: Deadline) throws(NetlinkError) -> [NeighborEntry] {
    checkStrictly()
    var header = ndmsg()
    header.ndm_family = family.number
    var batch = Batch()
    batch.append(RTM_GETNEIGH, flags: NLM_F_DUMP, header)
    return try dump(batch, until: deadline) { (message) throws(NetlinkError) in try NeighborEntry(message: message) }
  }
}

extension NeighborEntry {
  /// Reads an `RTM_NEWNEIGH`; nil for what is none of a host's neighbours.
  init?(message: RawSpan) throws(NetlinkError) {
    let header = try message.value(as: ndmsg.self)
    guard Family(number: header.ndm_family) != nil, header.ndm_state & UInt16(NUD_NOARP) == 0 else { return nil }
    var address: IPAddress?
    var mac: MACAddress?
    try forEachAttribute(in: message, from: MemoryLayout<ndmsg>.size) { (type, value) throws(NetlinkError) in
      switch type {
      case NDA_DST: address = try value.address
      case NDA_LLADDR: mac = value.byteCount == 6 ? MACAddress(bytes: value.array) : nil
      default: break
      }
    }
    guard let address else { return nil }
    self.init(
      link: UInt32(truncatingIfNeeded: header.ndm_ifindex), address: address, mac: mac,
      hasFailed: header.ndm_state & UInt16(NUD_FAILED) != 0)
  }
}
