package import WireCore
import WireLinux
import WireNFTables
import WireNetlink
import WirePlan
import WireState

/// What containers that are gone have left on this host, and the way back from it.
package enum Garbage {
  /// One thing that is left.
  package struct Finding: Sendable, Hashable {
    package enum Kind: String, Sendable { case container, link, element }
    package let kind: Kind
    /// The container's id, the link's name, or the element as nft(8) would name its set.
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
    // Nobody can record a new attach meanwhile, so what is in the kernel and in no record belongs to nobody.
    try host.locks.lock(.store, until: host.deadline)
    defer { host.locks.unlock(.store) }
    do throws(WireError) {
      findings += try orphanLinks(dryRun, on: host)
      findings += try orphanElements(dryRun, on: host)
    } catch {
      failure = failure ?? error
    }
    if let failure { throw failure }
    return findings
  }

  private static func describe(_ record: ContainerRecord) -> String {
    do throws(WireError) {
      let attachment = try Records.attachment(record)
      let links = attachment.interfaces.map {
        "\($0.hostLink) \($0.addresses.map { "\($0.address)" }.joined(separator: " "))"
      }
      return (links + attachment.ports.map { $0.mapping.description }).joined(separator: ", ")
    } catch {
      return "recorded, but nothing of it was made"
    }
  }

  private static func orphanLinks(_ dryRun: Bool, on host: borrowing Host) throws(WireError) -> [Finding] {
    let links: [Link]
    do throws(NetlinkError) {
      links = try host.route.links(until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "listing the host's links")
    }
    var orphans: [(name: InterfaceName, alias: String)] = []
    for link in links {
      guard let alias = link.alias, LinkNames.isContainers(alias: alias), let name = InterfaceName(link.name) else {
        continue
      }
      let owner = try host.read { () throws(StateError) in try host.store.owner(ofLink: name) }
      if owner == nil { orphans.append((name, alias)) }
    }
    if !dryRun { _ = try Undo.removeOwn(orphans.map { $0.name }, on: host) }
    return orphans.map { Finding(kind: .link, name: $0.name.description, detail: $0.alias) }
  }

  private static func orphanElements(_ dryRun: Bool, on host: borrowing Host) throws(WireError) -> [Finding] {
    let firewall = try Firewall()
    let present = try firewall.elements(of: SetName.ofContainers, on: host)
    guard !present.isEmpty else { return [] }
    var recorded: Set<Element> = []
    for record in try host.read({ () throws(StateError) in try host.store.containers() }) where !record.document.isEmpty
    {
      recorded.formUnion(Elements.of(Step.all(of: try Records.attachment(record))))
    }
    let orphans = present.filter { !recorded.contains($0) }
    if !dryRun { try firewall.remove(orphans, on: host) }
    return orphans.map { Finding(kind: .element, name: "inet wirehook \($0.set.rawValue)", detail: $0.description) }
  }
}

extension SetName {
  /// The sets whose elements belong to single containers; the others' belong to networks.
  fileprivate static let ofContainers: [SetName] = [
    .ports4, .ports6, .lports4, .lports6, .loports4, .loports6, .snat4, .snat6, .noreturn4, .noreturn6, .restricted4,
    .restricted6, .allow4, .allow6,
  ]
}
