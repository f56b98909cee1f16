internal import Glibc
import WireConfig
package import WireCore
import WireLinux
import WireNetlink
package import WirePlan
import WireState

/// Publishes ports of a container that runs, and takes them back.
package enum Publishing {
  package struct Published: Sendable {
    package var ports: [PublishedPort]
    /// What the reader should know of them.
    package var notes: [String]
  }

  /// Publishes `ports` (Docker's `-p` grammar) on the first interface that has an address, or on the one named; what is
  /// new. A container that Docker, Podman or a person wired on a bridge of this host is recorded for it.
  package static func publish(
    _ target: LiveTarget, _ ports: [String], interface: String?, allow: [String], on host: borrowing Host
  ) throws(WireError) -> Published {
    try FirewalldSettings.admitPublishing(until: host.deadline)
    let id = target.identity.id
    try host.locks.lock(.container(id), until: host.deadline)
    let found = try host.read { () throws(StateError) in try host.store.container(id: id) }
    let before: Attachment
    if let record = found, record.status == .attached, Collector.lives(record) {
      before = try Records.attachment(record)
    } else {
      if let found { try Collector.release(found, on: host) }
      before = try recordForeign(target, on: host)
    }
    let isNew = before.isWiredByOthers && before.ports.isEmpty
    do throws(WireError) {
      let after = try plan(before, ports, interface: interface, allow: allow, on: host)
      do throws(WireError) {
        try apply(after, insteadOf: before, on: host)
      } catch {
        cancel(after, backTo: before, on: host)
        throw error
      }
      let new = after.ports.filter { !before.ports.contains($0) }
      host.log.write(
        .info, "published \(new.map { $0.mapping.description }.joined(separator: ", ")) of container \(id)")
      return Published(ports: new, notes: after.isWiredByOthers ? ForeignContainer.notes(after, new) : [])
    } catch {
      if isNew { forget(before, on: host) }
      throw error
    }
  }

  /// Takes published ports back: `8080`, `8080/udp`, `127.0.0.1:8080`, or none for all; what is gone.
  package static func unpublish(
    _ target: LiveTarget, _ texts: [String], on host: borrowing Host
  ) throws(WireError) -> [PublishedPort] {
    let id = target.identity.id
    try host.locks.lock(.container(id), until: host.deadline)
    guard let record = try host.read({ () throws(StateError) in try host.store.container(id: id) }),
      !record.document.isEmpty
    else {
      throw WireError("container \(target.identity.owner.quoted)", "wirehook publishes nothing of it")
    }
    let before = try Records.attachment(record)
    var gone = texts.isEmpty ? before.ports : []
    for text in texts { gone += try PublishedPortName(text).matches(in: before) }
    var after = before
    after.ports.removeAll { gone.contains($0) }
    if after.isWiredByOthers, after.ports.isEmpty {
      try Collector.release(record, on: host)
    } else {
      try change(before, to: after, on: host)
    }
    host.log.write(
      .info, "unpublished \(gone.map { $0.mapping.description }.joined(separator: ", ")) of container \(id)")
    return gone
  }

  /// Makes the one attachment's ports into the other's, and records it. Adding comes first, so that what both have never
  /// is missing.
  static func change(_ before: Attachment, to after: Attachment, on host: borrowing Host) throws(WireError) {
    try apply(after, insteadOf: before, on: host)
    let kept = Set(Step.all(of: after))
    let gone = Step.all(of: before).filter { !kept.contains($0) }
    let firewall = try Firewall()
    try firewall.remove(FirewallPart(gone), on: host)
    try Flows.forget(gone, until: host.deadline)
    try dropAccepts(of: before, besides: after, firewall, on: host)
    try LiveRecord.set(after, insteadOf: before, on: host)
    if before.isWiredByOthers { try NetworkInstaller.forgetUnused(after: before, on: host) }
  }

  /// Where packets of published ports go, for containers that somebody else wired.
  private static func accepts(of attachment: Attachment) -> [(IPAddress, InterfaceName)] {
    guard attachment.isWiredByOthers else { return [] }
    let targets = Set(attachment.ports.flatMap { $0.targets })
    return attachment.interfaces.flatMap { interface in
      interface.addresses.map { $0.address }.filter { targets.contains($0) }.map { ($0, interface.bridge) }
    }
  }

  /// Takes back what `apply` has in Docker's chain for an attachment that goes, less what another one needs.
  static func dropAccepts(
    of attachment: Attachment, besides kept: Attachment? = nil, _ firewall: borrowing Firewall, on host: borrowing Host
  ) throws(WireError) {
    let needed = kept.map { accepts(of: $0) } ?? []
    for (target, bridge) in accepts(of: attachment) where !needed.contains(where: { $0 == (target, bridge) }) {
      try firewall.dropAccept(of: target, on: bridge, until: host.deadline)
    }
  }

  private static func apply(
    _ after: Attachment, insteadOf before: Attachment, on host: borrowing Host
  ) throws(WireError) {
    if after.isWiredByOthers {
      for interface in after.interfaces {
        _ = try NetworkInstaller.install(NetworkSetup(publishingTo: interface), on: host)
      }
    }
    let old = Set(Step.all(of: before))
    let new = Step.all(of: after).filter { !old.contains($0) }
    let firewall = try Firewall()
    for (target, bridge) in accepts(of: after) { try firewall.admit(target, on: bridge, until: host.deadline) }
    try firewall.add(FirewallPart(new), on: host)
    try setPortFlags(new, on: host)
    // A flow that was there before its rule goes on past it: forgotten, its next datagram meets the rule.
    try Flows.forget(new, until: host.deadline)
  }

  private static func setPortFlags(_ steps: [Step], on host: borrowing Host) throws(WireError) {
    var batch = Batch()
    for case .portFlags(let link, let hairpin, let isolated) in steps {
      var settings = LinkSettings()
      settings.port = BridgePortSettings(hairpin: hairpin ? true : nil, isIsolated: isolated ? true : nil)
      batch.setLink(.name(link), settings)
    }
    guard !batch.isEmpty else { return }
    do throws(NetlinkError) {
      try host.route.send(batch, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "letting a container call its own published port")
    }
  }

  private static func cancel(_ after: Attachment, backTo before: Attachment, on host: borrowing Host) {
    do throws(WireError) {
      let kept = Set(Step.all(of: before))
      let firewall = try Firewall()
      try firewall.remove(FirewallPart(Step.all(of: after).filter { !kept.contains($0) }), on: host)
      try dropAccepts(of: after, besides: before, firewall, on: host)
      try LiveRecord.set(before, insteadOf: after, on: host)
    } catch {
      host.log.write(.error, "taking back what failed of \(before.container.id): \(error)")
    }
  }

  /// A container of somebody else's of which nothing is published after all.
  private static func forget(_ attachment: Attachment, on host: borrowing Host) {
    do throws(WireError) {
      try host.change { () throws(StateError) in _ = try host.store.removeContainer(id: attachment.container.id) }
      try NetworkInstaller.forgetUnused(after: attachment, on: host)
    } catch {
      host.log.write(.error, "forgetting container \(attachment.container.id): \(error)")
    }
  }
}
