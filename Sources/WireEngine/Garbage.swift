package import WireCore
import WireLinux
import WireNFTables
import WireNetlink
import WireOVSDB
import WirePlan
import WireState

/// What containers that are gone have left on this host, and the way back from it.
package enum Garbage {
  /// One thing that is left.
  package struct Finding: Sendable, Hashable {
    package enum Kind: String, Sendable {
      case container, link, element, port, flows
      /// A container that lives and was not recorded: it is, now.
      case adopted
    }
    package let kind: Kind
    /// The container's id, the link's or the Open vSwitch port's name, the cookie of flows, or the element as nft(8) would name
    /// its set.
    package let name: String
    /// What it is, for people.
    package let detail: String
  }

  /// Finds everything, and unless `dryRun` takes it back. What resists is an error after all the rest is done.
  package static func collect(dryRun: Bool, on host: borrowing Host) throws(WireError) -> [Finding] {
    var findings: [Finding] = []
    let records = try host.read { () throws(StateError) in try host.store.containers() }
    var failure: WireError?
    for record in records where try Collector.isGone(record, on: host) {
      findings.append(Finding(kind: .container, name: record.id, detail: describe(record)))
      guard !dryRun else { continue }
      do throws(WireError) { _ = try Collector.releaseIfGone(record.id, on: host) } catch { failure = failure ?? error }
    }
    // Asked before anybody is held up: a database that hangs takes all of the time.
    var ports: [DatabaseAddress: [AttachedPort]] = [:]
    do throws(WireError) { ports = try SwitchGarbage.look(on: host) } catch { failure = failure ?? error }
    var flows: [SwitchSenders.Place: Set<UInt64>] = [:]
    do throws(WireError) { flows = try SwitchGarbage.lookForFlows(besides: ports, on: host) } catch {
      failure = failure ?? error
    }
    do throws(WireError) {
      var adopted: [Attachment] = []
      findings += try unrecorded(dryRun, &adopted, on: host)
      findings += try SwitchGarbage.collect(ports, dryRun: dryRun, besides: adopted, on: host)
      let recorded = try (adopted + Records.attachments(on: host)).flatMap { $0.interfaces }.map { $0.hostLink }
      findings += try SwitchSenders.collect(flows, dryRun: dryRun, recorded: recorded, on: host)
    } catch {
      failure = failure ?? error
    }
    if let failure { throw failure }
    return findings
  }

  /// Nobody can record a new attach meanwhile, so what is in the kernel and in no record belongs to nobody.
  private static func unrecorded(
    _ dryRun: Bool, _ adopted: inout [Attachment], on host: borrowing Host
  ) throws(WireError) -> [Finding] {
    try host.locks.lock(.store, until: host.deadline)
    defer { host.locks.unlock(.store) }
    let links = try unrecordedLinks(dryRun, &adopted, on: host)
    return try links + orphanElements(dryRun, besides: adopted, on: host)
  }

  private static func describe(_ record: ContainerRecord) -> String {
    do throws(WireError) {
      return describe(try Records.attachment(record))
    } catch {
      return "recorded, but nothing of it was made"
    }
  }

  /// `wh355frwo77llu 10.210.0.2, 8080:80/tcp`.
  private static func describe(_ attachment: Attachment) -> String {
    let links = attachment.interfaces.map { interface in
      ([interface.hostLink.description] + interface.addresses.map { "\($0.address)" }).joined(separator: " ")
    }
    return (links + attachment.ports.map { $0.mapping.description }).joined(separator: ", ")
  }

  /// Host ends in no record: of a container that lives, it is recorded anew; of one that is gone, the link goes.
  private static func unrecordedLinks(
    _ dryRun: Bool, _ adopted: inout [Attachment], on host: borrowing Host
  ) throws(WireError) -> [Finding] {
    let links: [Link]
    do throws(NetlinkError) {
      links = try host.route.links(until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "listing the host's links")
    }
    var unrecorded: [Link] = []
    for link in links {
      guard let alias = link.alias, LinkNames.isContainers(alias: alias), let name = InterfaceName(link.name) else {
        continue
      }
      let owner = try host.read { () throws(StateError) in try host.store.owner(ofLink: name) }
      if owner == nil { unrecorded.append(link) }
    }
    guard !unrecorded.isEmpty else { return [] }
    let inhabitants = try Adoption.inhabitants(on: host)
    var findings: [Finding] = []
    var orphans: [InterfaceName] = []
    for link in unrecorded {
      if let attachment = try Adoption.adopt(link, among: inhabitants, dryRun: dryRun, on: host) {
        adopted.append(attachment)
        findings.append(Finding(kind: .adopted, name: attachment.container.id, detail: describe(attachment)))
      } else if let name = InterfaceName(link.name) {
        orphans.append(name)
        findings.append(Finding(kind: .link, name: link.name, detail: link.alias ?? ""))
      }
    }
    if !dryRun { _ = try Undo.removeOwn(orphans, on: host) }
    return findings
  }

  private static func orphanElements(
    _ dryRun: Bool, besides adopted: [Attachment], on host: borrowing Host
  ) throws(WireError) -> [Finding] {
    let firewall = try Firewall()
    let present = try firewall.ofContainers(on: host)
    guard !present.isEmpty else { return [] }
    let recorded = FirewallPart(try (adopted + Records.attachments(on: host)).flatMap { Step.all(of: $0) })
    let known = Set(recorded.elements)
    var orphans = FirewallPart()
    orphans.elements = present.elements.filter { !known.contains($0) }
    orphans.guards = present.guards.filter { !recorded.guards.contains($0) }
    if !dryRun { try firewall.remove(orphans, on: host) }
    return orphans.elements.map {
      Finding(kind: .element, name: "\($0.set.table) \($0.set.rawValue)", detail: $0.description)
    } + orphans.guards.map { Finding(kind: .element, name: "inet wirehook", detail: "the guard of host end \($0)") }
  }
}
