import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// Makes a new port usable for its first frame, and tells the neighbours who has its addresses.
enum Announcer {
  /// A bridge port forwards only once the kernel's link watch has seen its carrier; a container's first ARP request would
  /// be lost, and repeated after a second. To ask for the host end makes the kernel look at once (Linux 6.10 and later).
  ///
  /// Then each announced interface is given the MAC address that it has: the kernel sends a gratuitous ARP (RFC 5227) and
  /// an unsolicited neighbour advertisement (RFC 4861 7.2.6) for each address, by `arp_notify` and `ndisc_notify`. What it
  /// sends when the link comes up is too early. Not by a packet socket: closing one waits for a grace period, 16 ms.
  ///
  /// A frame that is lost costs a neighbour some patience and nobody a start, so an error is only logged.
  static func announce(_ attachment: Attachment, on host: borrowing Host, in side: borrowing ContainerSide) {
    do throws(NetlinkError) {
      var hostEnds = Batch()
      for interface in attachment.interfaces {
        let link = try host.route.link(.name(interface.hostLink), until: host.deadline)
        // ovs-vswitchd writes a link's flags back when it lets go of an earlier one of that name: on a busy host only now.
        if interface.switchPort != nil, let link, !link.isUp {
          hostEnds.setLink(.index(link.index), .switchPort)
        }
      }
      if !hostEnds.isEmpty { try host.route.send(hostEnds, until: host.deadline) }
      var batch = Batch()
      for interface in attachment.interfaces where interface.announced && !interface.addresses.isEmpty {
        batch.setLink(.name(interface.name), LinkSettings(mac: interface.mac))
      }
      if !batch.isEmpty { try side.route.send(batch, until: host.deadline) }
    } catch {
      host.log.write(.debug, "announcing addresses: \(error)")
    }
  }
}
