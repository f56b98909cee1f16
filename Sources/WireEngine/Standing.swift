import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// What is recorded when an attach begins, read at one go: each look into the database has its price.
struct Standing: Sendable {
  /// The record of this very container.
  var own: ContainerRecord?
  /// The record of whoever has the network namespace.
  var holder: ContainerRecord?
  /// The networks that were set up.
  var networks: [NetworkMarker]

  static func read(_ id: String, _ netns: NamespaceIdentity, on host: borrowing Host) throws(WireError) -> Standing {
    try host.read { () throws(StateError) in
      try host.store.snapshot { () throws(StateError) in
        Standing(
          own: try host.store.container(id: id), holder: try host.store.container(netns: netns),
          networks: try host.store.markers())
      }
    }
  }

  func network(_ name: String) -> NetworkMarker? { networks.first { $0.name == name } }

  /// Whether this very namespace is wired already: a hook that is called twice has nothing to do the second time.
  func isAttached(_ netns: NamespaceIdentity, on host: borrowing Host) throws(WireError) -> Bool {
    guard let own, own.status == .attached, own.netns == netns else { return false }
    let attachment = try Records.attachment(own)
    return attachment.interfaces.allSatisfy { host.route.index(of: $0.hostLink) != nil }
  }

  /// The other container whose namespace this is, if it lives.
  func owner(besides id: String, on host: borrowing Host) throws(WireError) -> String? {
    guard let holder, holder.id != id, try !Collector.isGone(holder, on: host) else { return nil }
    return holder.id
  }

  /// The interfaces that an attach of this container, cut off before its end, may have left in this very namespace: they
  /// are no reason to refuse it, for they go with the host ends that `takeBackOwn` removes.
  func leftInside(_ netns: NamespaceIdentity) throws(WireError) -> Set<String> {
    guard let own, own.netns == netns else { return [] }
    return Set(try Records.attachment(own).interfaces.map { $0.name.description })
  }

  /// Takes back what an earlier life of this container left: a poststop that never came. The caller has its lock.
  func takeBackOwn(on host: borrowing Host) throws(WireError) {
    if let own { try Collector.release(own, on: host) }
  }
}

/// How an attach ends.
enum Outcome {
  /// Everything stands.
  static func complete(_ id: String, on host: borrowing Host) throws(WireError) {
    try host.change { () throws(StateError) in _ = try host.store.updateStatus(.attached, of: id) }
  }

  /// Forgets a reservation that failed: where the commit itself reported an error it may stand all the same.
  static func forget(_ id: String, on host: borrowing Host) {
    do throws(WireError) {
      try host.change { () throws(StateError) in _ = try host.store.removeContainer(id: id) }
    } catch {
      host.log.write(.error, "forgetting the failed attach of \(id): \(error)")
    }
  }

  /// Takes a failed attach back. What cannot be taken back stays recorded, so that gc finds it; the first error is the
  /// one that the caller reports.
  static func cancel(_ attachment: Attachment, isInhabited: Bool = false, on host: borrowing Host) {
    do throws(WireError) {
      try Undo.takeBack(attachment, isInhabited: isInhabited, on: host)
      try host.change { () throws(StateError) in _ = try host.store.removeContainer(id: attachment.container.id) }
      try NetworkInstaller.forgetUnused(after: attachment, on: host)
    } catch {
      host.log.write(.error, "taking back the failed attach of \(attachment.container.id): \(error)")
    }
  }
}
