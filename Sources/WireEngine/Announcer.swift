import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// Tells the neighbours on each bridge who has the addresses now.
enum Announcer {
  /// Gives each interface the MAC address that it has: the kernel then sends a gratuitous ARP and an unsolicited neighbour
  /// advertisement for each address (`arp_notify` and `ndisc_notify`, ip-sysctl.rst). What it sends when the link comes
  /// up is lost: the bridge port forwards only once the kernel's link watch has seen the carrier. To ask for the host
  /// end makes it look at once (Linux 6.10 and later), so that the container's own first packets pass as well.
  ///
  /// Not by a packet socket: to close one costs a grace period of the kernel's, 16 ms. An announcement that is lost costs
  /// a neighbour some patience and nobody a start, so an error is only logged.
  static func announce(_ attachment: Attachment, on host: borrowing Host, in side: borrowing ContainerSide) {
    var batch = Batch()
    for interface in attachment.interfaces where !interface.addresses.isEmpty {
      batch.setLink(.name(interface.name), LinkSettings(mac: interface.mac))
    }
    guard !batch.isEmpty else { return }
    do throws(NetlinkError) {
      for interface in attachment.interfaces {
        _ = try host.route.link(.name(interface.hostLink), until: host.deadline)
      }
      try side.route.send(batch, until: host.deadline)
    } catch {
      host.log.write(.debug, "announcing addresses: \(error)")
    }
  }
}
