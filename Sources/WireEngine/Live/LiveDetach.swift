package import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// Takes networks of wirehook's from a container that runs.
package enum LiveDetach {
  /// Takes all of it away, or one network's interface; the names of the interfaces that are gone. `force`: what resists is
  /// logged, and the container is forgotten all the same.
  package static func detach(
    _ text: String, network: String?, force: Bool, on host: borrowing Host
  ) throws(WireError) -> [InterfaceName] {
    let id = try self.id(text, on: host)
    try host.locks.lock(.container(id), until: host.deadline)
    guard let record = try host.read({ () throws(StateError) in try host.store.container(id: id) }) else {
      throw WireError("container \(text.quoted)", "it was detached meanwhile", hint: "see: wirehook ls")
    }
    guard !record.document.isEmpty else {
      try Collector.release(record, on: host)
      return []
    }
    let attachment = try Records.attachment(record)
    let going = attachment.interfaces.filter { network == nil || $0.network == network }
    guard !going.isEmpty || network == nil else {
      let on = attachment.interfaces.map { $0.network }.joined(separator: ", ")
      throw WireError(
        "detaching \(record.owner.quoted) from \(network ?? "")", "it is not on that network", hint: "it is on \(on)")
    }
    try removeRules(going, of: attachment, record, on: host)
    if going.count < attachment.interfaces.count {
      try remove(going, of: attachment, on: host)
    } else {
      do throws(WireError) {
        try Collector.release(record, on: host)
      } catch {
        guard force else { throw error }
        host.log.write(.warning, "forgot container \(id) though not all of it is gone: \(error)")
        try host.change { () throws(StateError) in _ = try host.store.removeContainer(id: id) }
      }
    }
    host.log.write(.info, "detached running container \(id)")
    return attachment.isWiredByOthers ? [] : going.map { $0.name }
  }

  /// What is recorded, whether or not it lives; a pid or a file is looked into.
  private static func id(_ text: String, on host: borrowing Host) throws(WireError) -> String {
    do throws(WireError) {
      let id = try Checker.records(text, on: host).first?.id
      if let id { return id }
    } catch {
      guard let target = try? LiveTarget.find(text, on: host) else { throw error }
      let record = try host.read { () throws(StateError) in try host.store.container(id: target.identity.id) }
      guard record != nil else { throw error }
      return target.identity.id
    }
    throw WireError("container \(text.quoted)", "nothing of that id or name is wired", hint: "see: wirehook ls")
  }

  private static func remove(
    _ going: [AttachedInterface], of attachment: Attachment, on host: borrowing Host
  ) throws(WireError) {
    var (part, rest) = (attachment, attachment)
    let names = going.map { $0.name }
    let addresses = Set(going.flatMap { $0.addresses.map { $0.address } })
    part.interfaces = going
    part.ports = attachment.ports.filter { port in port.targets.contains { addresses.contains($0) } }
    rest.interfaces.removeAll { names.contains($0.name) }
    rest.ports.removeAll { port in part.ports.contains(port) }
    try LiveRecord.takeBack(part, besides: rest, on: host)
    try LiveRecord.set(rest, insteadOf: attachment, on: host)
    try NetworkInstaller.forgetUnused(after: part, on: host)
  }

  /// Rules do not go with a link. A container that is gone has none any more.
  private static func removeRules(
    _ going: [AttachedInterface], of attachment: Attachment, _ record: ContainerRecord, on host: borrowing Host
  ) throws(WireError) {
    var part = attachment
    part.interfaces = going
    var batch = Batch()
    for case .rule(let from, let table) in Step.all(of: part) {
      batch.deleteRule(Rule(from.family, from: Prefix(host: from), table: table, priority: table))
    }
    guard !batch.isEmpty, Collector.lives(record),
      let namespace = try? ContainerNamespace.open(record, attachment.container, home: host.namespace.identity),
      let side = try? ContainerSide(namespace, home: host.namespace)
    else { return }
    do throws(NetlinkError) {
      // A rule that somebody else took away is none any more.
      _ = try side.route.attempt(batch, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "taking routing rules out of the container")
    }
  }
}
