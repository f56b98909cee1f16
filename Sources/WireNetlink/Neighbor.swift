internal import CMnl
package import WireCore

extension Batch {
  /// Forgets which MAC an address has on a link, for one that is given to somebody else. As `ip neigh del IP dev LINK`;
  /// `ENOENT` where nothing was known.
  package mutating func deleteNeighbor(_ address: IPAddress, link: UInt32) {
    var header = ndmsg()
    header.ndm_family = address.family.number
    header.ndm_ifindex = Int32(truncatingIfNeeded: link)
    append(RTM_DELNEIGH, header) { $0.put(NDA_DST, address) }
  }
}
