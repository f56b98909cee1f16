package import WireCore
import WireLinux
import WireNFTables
import WireNetlink
import WirePlan
import WireState

/// Puts back what was recorded and is not so any more: what a flush, a deleted bridge or a person took away.
package enum Repairer {
  /// Repairs one container with its networks, or everything, and returns what still differs afterwards.
  package static func repair(_ id: String?, on host: borrowing Host) throws(WireError) -> [Difference] {
    let records = try Checker.records(id, on: host)
    let networks = try Checker.networks(of: id == nil ? nil : records, on: host)
    // The units of systemd run this on hosts that may never have a container of ours: those stay without our table.
    if records.isEmpty, networks.isEmpty { return [] }
    let firewall = try Firewall()
    if try !firewall.damaged(on: host).isEmpty { try firewall.restore(on: host) }
    for marker in networks {
      let setup = try Records.network(marker)
      if try !NetworkCheck(setup, marker).differences(on: host).isEmpty {
        try NetworkInstaller.repair(setup, on: host)
      }
    }
    for record in records where record.status == .attached {
      guard try !Collector.isGone(record, on: host) else { continue }
      try repair(record, on: host)
    }
    return try Checker.check(id, on: host)
  }

  private static func repair(_ record: ContainerRecord, on host: borrowing Host) throws(WireError) {
    try host.locks.lock(.container(record.id), until: host.deadline)
    defer { host.locks.unlock(.container(record.id)) }
    // Somebody may have detached it, or started it again, while this one waited for the lock.
    guard try host.read({ () throws(StateError) in try host.store.container(id: record.id) }) == record else { return }
    let attachment = try Records.attachment(record)
    guard try !ContainerCheck(attachment).differences(record, on: host).isEmpty else { return }
    if attachment.isWiredByOthers { return try ForeignContainer.follow(attachment, record, on: host) }
    guard let namespace = try ContainerNamespace.open(record, attachment.container, home: host.namespace.identity)
    else { return }
    let side = try ContainerSide(namespace, home: host.namespace)
    let steps = Step.all(of: attachment)
    if attachment.interfaces.allSatisfy({ host.route.index(of: $0.hostLink) != nil }) {
      try Firewall().add(FirewallPart(steps), on: host)
      for driver in attachment.drivers { try driver.replug(attachment, on: host) }
      let what = "repairing container \(record.owner.quoted)"
      try Shaping(what: what, failAt: nil).restore(steps, on: host)
      let inside = InsideContainer(what: what, failAt: nil)
      try inside.set(Self.numbered(steps, .settings), on: host, in: side)
      try inside.restore(steps, on: host, in: side)
      try FileEditor.apply(Self.numbered(steps, .files), what, failAt: nil, log: host.log)
    } else {
      // A pair is gone as a whole. What is left of the others goes too, so that the plan can be applied from its start.
      try SwitchPorts.remove(attachment, waiting: true, on: host)
      _ = try Undo.removeOwn(attachment.interfaces.flatMap { [$0.hostLink] + ($0.shaper.map { [$0] } ?? []) }, on: host)
      var links: [InterfaceName: UInt32] = [:]
      for interface in attachment.interfaces { links[interface.bridge] = host.route.index(of: interface.bridge) }
      try Executor(links: links, isInhabited: true).apply(steps, of: attachment.container, on: host, in: side)
    }
  }

  private static func numbered(_ steps: [Step], _ place: Step.Place) -> [NumberedStep] {
    steps.enumerated().filter { $0.element.place == place }.map { NumberedStep(index: $0.offset, step: $0.element) }
  }
}
