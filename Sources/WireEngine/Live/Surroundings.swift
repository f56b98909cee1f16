import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// What a running container has of networks when one more is given to it.
struct Surroundings {
  /// What wirehook gave it before; nil: nothing.
  var attachment: Attachment?
  /// The families that have a default route in its namespace.
  private(set) var defaultRoutes: [Family] = []
  /// The names of its links.
  private(set) var links: [String] = []
  /// The first routing table that none of its rules leads to.
  private var firstTable: UInt32 = 5700

  /// Looks into a namespace.
  init(_ attachment: Attachment?, in side: borrowing ContainerSide, until deadline: Deadline) throws(WireError) {
    self.attachment = attachment
    do throws(NetlinkError) {
      links = try side.route.links(until: deadline).map { $0.name }
      for family in Family.allCases {
        if try side.route.routes(family, until: deadline).contains(where: { $0.destination == nil }) {
          defaultRoutes.append(family)
        }
        for rule in try side.route.rules(family, until: deadline) where (5700..<5800).contains(rule.table) {
          firstTable = max(firstTable, rule.table + 1)
        }
      }
    } catch {
      throw Hints.explain(error, while: "looking into the container's network namespace")
    }
  }

  /// Whether nothing but our own view is there: then a plan stands as it is.
  private var isBare: Bool { attachment == nil && defaultRoutes.isEmpty }

  /// Makes a plan one for an interface among others: whoever gives the default route goes on giving it, and answers from
  /// the new addresses leave by the new interface all the same.
  ///
  /// A port that the container has already is refused here: in the book of claims it is the container's own.
  func fit(_ attachment: inout Attachment) throws(PlanFailure) {
    for port in attachment.ports {
      if let there = self.attachment?.ports.first(where: { $0.mapping.collides(with: port.mapping) }) {
        throw .refused(there.takenAlready(by: port))
      }
    }
    guard !isBare else { return }
    for index in attachment.interfaces.indices {
      attachment.interfaces[index].isAmongOthers = self.attachment == nil
      attachment.interfaces[index].defaultRoutes.removeAll { defaultRoutes.contains($0) }
      if !attachment.interfaces[index].gateways.isEmpty {
        attachment.interfaces[index].sourceTable = firstTable + UInt32(index)
      }
    }
  }

  /// What was there and what is new, as one record.
  func merged(_ addition: Attachment) -> Attachment {
    guard var merged = attachment else { return addition }
    merged.interfaces += addition.interfaces
    merged.ports += addition.ports
    return merged
  }

  /// `wirehook.network` with a free name for each interface that is given none: the next `ethN`.
  func naming(_ networks: String) -> String {
    var taken = Set(links)
    return networks.split(separator: ",", omittingEmptySubsequences: false).map { entry in
      let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
      let isOnTheSpot = parts.first == "bridge" || parts.first == "ovs"
      guard parts.count == (isOnTheSpot ? 2 : 1), !entry.isEmpty else { return String(entry) }
      let name = (0..<1000).lazy.map { "eth\($0)" }.first { !taken.contains($0) } ?? "eth0"
      taken.insert(name)
      return "\(entry):\(name)"
    }.joined(separator: ",")
  }
}

extension PortMapping {
  /// Whether both are one host port that only one can have.
  func collides(with other: PortMapping) -> Bool {
    guard transport == other.transport, hostPort == other.hostPort else { return false }
    guard let mine = hostAddress, let others = other.hostAddress else { return true }
    return mine == others || mine.family == others.family && (mine.isAny || others.isAny)
  }
}

extension PublishedPort {
  /// The refusal of another port of the same container that collides with this one.
  func takenAlready(by other: PublishedPort) -> WireError {
    WireError(
      "publishing \(other.mapping)", "the container publishes \(mapping) already",
      hint: "if it does not answer: wirehook repair; to change it, wirehook unpublish it first")
  }
}
