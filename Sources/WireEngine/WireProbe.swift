import WireConfig
import WireCore
import WireLinux
import WirePlan

/// Asks on the wire of a network whether somebody has the addresses that were planned (`"probe": true`).
enum WireProbe {
  /// Whether somebody has one; then the facts of its network say who.
  static func findsHolder(
    of attachment: Attachment, _ chosen: inout NetworkChoice.Chosen, on host: borrowing Host
  ) throws(WireError) -> Bool {
    var found = false
    for (index, interface) in attachment.interfaces.enumerated() where index < chosen.requests.count {
      let network = chosen.requests[index].facts.network
      // A bridge that does not stand yet has nobody on it.
      guard network.probe, !interface.addresses.isEmpty, let link = chosen.links[network.link] else { continue }
      let what = "asking on bridge \(network.bridge) whether somebody has an address"
      do throws(SystemError) {
        let holder = try NeighborProbe.firstHolder(
          of: interface.addresses.map { $0.address }, link: link, until: host.deadline)
        guard let holder else { continue }
        host.log.write(.info, "\(holder.address) on bridge \(network.bridge) is taken by \(holder.mac)")
        chosen.requests[index].facts.occupied[holder.address] = holder.mac
        found = true
      } catch {
        throw Hints.explain(error, while: what)
      }
      if host.deadline.isOver { throw WireError(what, "no time is left", hint: "raise timeout_ms") }
    }
    return found
  }
}
