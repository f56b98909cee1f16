import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// Changes of one container's record and of what stands for it, as the difference of two attachments.
enum LiveRecord {
  /// Records `after`, and gives up what only `before` held: addresses, links, ports.
  static func set(
    _ after: Attachment, insteadOf before: Attachment, on host: borrowing Host
  ) throws(WireError) {
    let id = before.container.id
    try host.change { () throws(StateError) in
      for interface in before.interfaces where !after.interfaces.contains(where: { $0.name == interface.name }) {
        try host.store.releaseInterface(
          interface.name, links: [interface.hostLink] + (interface.shaper.map { [$0] } ?? []), container: id)
      }
      for port in before.ports where !after.ports.contains(port) {
        for address in port.claimed {
          try host.store.releasePort(
            WireState.HostPort(port.mapping.transport, address, port.mapping.hostPort), container: id)
        }
      }
      try host.store.setDocument(Records.document(after), of: id)
    }
  }

  /// Takes an addition back that failed; what cannot be taken back is logged, for the first error is the one to report.
  static func cancel(_ added: Attachment, backTo before: Attachment, on host: borrowing Host) {
    do throws(WireError) {
      try takeBack(added, besides: before, on: host)
      var after = before
      after.interfaces += added.interfaces
      after.ports += added.ports
      try set(before, insteadOf: after, on: host)
      try NetworkInstaller.forgetUnused(after: added, on: host)
    } catch {
      host.log.write(.error, "taking back what failed of \(before.container.id): \(error)")
    }
  }

  /// Takes back what one part of a container has and the rest does not need.
  static func takeBack(_ part: Attachment, besides rest: Attachment, on host: borrowing Host) throws(WireError) {
    let kept = Set(Step.all(of: rest))
    try SwitchPorts.remove(part, on: host)
    let firewall = try Firewall()
    let gone = Step.all(of: part).filter { !kept.contains($0) }
    try firewall.remove(FirewallPart(gone), on: host)
    try Flows.forget(gone, until: host.deadline)
    _ = try Undo.removeOwn(part.interfaces.flatMap { [$0.hostLink] + ($0.shaper.map { [$0] } ?? []) }, on: host)
    try SwitchSenders.remove(part, on: host)
  }
}

extension PublishedPort {
  /// The addresses of the host that it is claimed on: its own, or the any-address of each family that it serves.
  var claimed: [IPAddress] { mapping.hostAddress.map { [$0] } ?? targets.map { .any($0.family) } }
}
