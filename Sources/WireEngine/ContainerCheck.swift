import WireCore
import WireLinux
import WireNFTables
import WireNetlink
import WirePlan
import WireState

/// Compares one container's plan with the kernel, step by step.
struct ContainerCheck {
  let attachment: Attachment
  private let steps: [Step]

  init(_ attachment: Attachment) {
    self.attachment = attachment
    steps = Step.all(of: attachment)
  }

  func differences(_ record: ContainerRecord, on host: borrowing Host) throws(WireError) -> [Difference] {
    var texts: [String] = []
    if attachment.isWiredByOthers {
      texts += try ForeignContainer.differences(of: attachment, record, on: host)
    } else {
      texts += try wiring(record, on: host)
    }
    texts += try Firewall().missing(of: FirewallPart(steps), on: host)
    return texts.map { Difference(subject: "container \(attachment.container.owner)", text: $0) }
  }

  private func wiring(_ record: ContainerRecord, on host: borrowing Host) throws(WireError) -> [String] {
    var texts: [String] = []
    for interface in attachment.interfaces { texts += try hostEnd(interface, on: host) }
    // Where the host end is gone so is its peer: what is missing inside says nothing more.
    if texts.isEmpty {
      texts += try limits(on: host)
      if let namespace = try? ContainerNamespace.open(record, attachment.container, home: host.namespace.identity),
        let side = try? ContainerSide(namespace, home: host.namespace)
      {
        texts += try inside(side, until: host.deadline)
        texts += try ContainerSettings.differences(steps, side, on: host)
      }
    }
    return texts
  }

  private func hostEnd(_ interface: AttachedInterface, on host: borrowing Host) throws(WireError) -> [String] {
    let name = interface.hostLink
    let found: Link?
    do throws(NetlinkError) { found = try host.route.link(.name(name), until: host.deadline) } catch {
      throw explain(error)
    }
    guard let link = found else { return ["host end \(name) of \(interface.name) is gone"] }
    var texts = try interface.driver.driver.differences(of: interface, link, on: host)
    if !link.isUp { texts.append("host end \(name) of \(interface.name) is down") }
    return texts
  }

  private func limits(on host: borrowing Host) throws(WireError) -> [String] {
    var texts: [String] = []
    do throws(NetlinkError) {
      for step in steps { if let text = try Shaping.difference(step, on: host) { texts.append(text) } }
    } catch {
      throw explain(error)
    }
    return texts
  }

  private func inside(_ side: borrowing ContainerSide, until deadline: Deadline) throws(WireError) -> [String] {
    var texts: [String] = []
    do throws(NetlinkError) {
      for step in steps where step.place == .container {
        if try !stands(step, side, until: deadline) { texts.append("\(step.text) is missing") }
      }
    } catch {
      throw explain(error)
    }
    return texts
  }

  private func explain(_ error: NetlinkError) -> WireError {
    Hints.explain(error, while: "looking at container \(attachment.container.owner)")
  }

  private func stands(
    _ step: Step, _ side: borrowing ContainerSide, until deadline: Deadline
  ) throws(NetlinkError) -> Bool {
    switch step {
    case .ownEgressLimit(let name, let rate, _):
      return try Shaping.holdsBack(name, to: rate, side.route, until: deadline)
    case .checksumsInSoftware(let name): return side.route.offloadsTXChecksums(name) != true
    case .linkUp(let name): return try side.route.link(.name(name), until: deadline)?.isUp ?? false
    case .address(let prefix, let name):
      guard let index = side.route.index(of: name) else { return false }
      return try side.route.addresses(of: index, until: deadline).contains { $0.prefix == prefix }
    case .route(let route):
      let index = side.route.index(of: route.link)
      return try side.route.routes(route.family, table: route.table ?? Route.mainTable, until: deadline).contains {
        $0.destination == route.destination && $0.gateway == route.via && $0.link == index
      }
    case .rule(let from, let table):
      return try side.route.rules(from.family, until: deadline).contains {
        $0.from == Prefix(host: from) && $0.table == table
      }
    default: return true
    }
  }
}

extension Step {
  /// What the step makes in the container, for a difference.
  fileprivate var text: String {
    switch self {
    case .ownEgressLimit(let name, let rate, _): "the limit of what \(name) sends, \(rate),"
    case .checksumsInSoftware(let name): "what completes the checksums of \(name) (ethtool -K \(name) tx off)"
    case .linkUp(let name): "link \(name), up,"
    case .address(let prefix, let name): "address \(prefix) of \(name)"
    case .route(let route):
      "route \(route.destination.map { "\($0)" } ?? "default (\(route.family.name))")"
        + (route.via.map { " via \($0)" } ?? "") + " dev \(route.link)"
        + (route.table.map { " table \($0)" } ?? "")
    case .rule(let from, let table): "rule from \(from) lookup \(table)"
    default: "a step"
    }
  }
}
