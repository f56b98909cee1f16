package import WireCore
package import WireLinux
package import WireNFTables
import WireState

/// Our firewall tables as the engine changes it: one transaction a change, and a table that somebody flushed is
/// built again, whole.
package struct Firewall: ~Copyable {
  let socket: FirewallSocket

  /// The socket's number, for whoever keeps it open a while.
  var descriptor: Int32 { socket.descriptor }

  package init() throws(WireError) {
    do throws(NFTablesError) {
      socket = try FirewallSocket()
    } catch {
      throw Hints.explain(error, while: "opening nf_tables")
    }
  }

  /// Adds elements. Where the table is gone, it is built with all that the records want, which includes them: another
  /// firewall's `nft flush ruleset` is healed by the next container that starts.
  package borrowing func add(_ part: FirewallPart, on host: borrowing Host) throws(WireError) {
    guard !part.isEmpty else { return }
    do throws(NFTablesError) {
      return try socket.add(part.elements, guarding: part.guards, deadline: host.deadline.moment)
    } catch {
      guard error.kind == .missing else { throw Hints.explain(error, while: "publishing in the firewall") }
    }
    try rebuild(part, on: host)
  }

  /// Takes a part away; what is gone already is fine.
  package borrowing func remove(_ part: FirewallPart, on host: borrowing Host) throws(WireError) {
    guard !part.isEmpty else { return }
    do throws(NFTablesError) {
      try socket.remove(part.elements, guarding: part.guards, deadline: host.deadline.moment)
    } catch {
      throw Hints.explain(error, while: "taking ports back from the firewall")
    }
  }

  /// Whether it stands, or is not needed.
  package borrowing func isAdmittedBesideDocker(
    _ bridge: InterfaceName, until deadline: Deadline
  ) throws(WireError) -> Bool {
    do throws(NFTablesError) {
      guard try socket.hasForwardAccept(bridge: bridge, deadline: deadline.moment) else { return false }
    } catch {
      throw Hints.explain(error, while: "looking for bridge \(bridge) in chain DOCKER-USER")
    }
    return try legacy("looking for bridge \(bridge)") { () throws(SystemError) in
      try LegacyDockerUser.accepts(bridge, until: deadline)
    }
  }

  /// The accept in DOCKER-USER for what is published to one container on Docker's own bridge.
  package borrowing func admit(
    _ target: IPAddress, on bridge: InterfaceName, until deadline: Deadline
  ) throws(WireError) {
    do throws(NFTablesError) {
      try socket.ensurePublishedAccept(target, bridge: bridge, deadline: deadline.moment)
    } catch {
      throw Hints.explain(error, while: "admitting what is published to \(target) in chain DOCKER-USER")
    }
    try legacy("admitting what is published to \(target)") { () throws(SystemError) in
      try LegacyDockerUser.admit(target, on: bridge, until: deadline)
    }
  }

  package borrowing func isAdmitted(
    _ target: IPAddress, on bridge: InterfaceName, until deadline: Deadline
  ) throws(WireError) -> Bool {
    do throws(NFTablesError) {
      guard try socket.hasPublishedAccept(target, bridge: bridge, deadline: deadline.moment) else { return false }
    } catch {
      throw Hints.explain(error, while: "looking for \(target) in chain DOCKER-USER")
    }
    return try legacy("looking for \(target)") { () throws(SystemError) in
      try LegacyDockerUser.accepts(target, on: bridge, until: deadline)
    }
  }

  package borrowing func dropAccept(
    of target: IPAddress, on bridge: InterfaceName, until deadline: Deadline
  ) throws(WireError) {
    do throws(NFTablesError) {
      try socket.removePublishedAccept(target, bridge: bridge, deadline: deadline.moment)
    } catch {
      throw Hints.explain(error, while: "taking \(target) out of chain DOCKER-USER")
    }
    try legacy("taking \(target) out") { () throws(SystemError) in
      try LegacyDockerUser.remove(target, on: bridge, until: deadline)
    }
  }

  /// Takes that accept away again.
  package borrowing func dropBesideDocker(_ bridge: InterfaceName, until deadline: Deadline) throws(WireError) {
    do throws(NFTablesError) {
      try socket.removeForwardAccept(bridge: bridge, deadline: deadline.moment)
    } catch {
      throw Hints.explain(error, while: "taking bridge \(bridge) out of chain DOCKER-USER")
    }
    try legacy("taking bridge \(bridge) out") { () throws(SystemError) in
      try LegacyDockerUser.remove(bridge, until: deadline)
    }
  }

  /// Those of the tables that are wanted which do not stand with every set and rule of this version.
  package borrowing func damaged(on host: borrowing Host) throws(WireError) -> [FirewallTable] {
    let wanted = Set(try Records.firewall(on: host).elements.map { $0.set.table }).union([.inet])
    var damaged: [FirewallTable] = []
    do throws(NFTablesError) {
      for table in FirewallTable.allCases where wanted.contains(table) {
        if try !socket.isIntact(table, deadline: host.deadline.moment) { damaged.append(table) }
      }
    } catch {
      throw Hints.explain(error, while: "reading the firewall table")
    }
    return damaged
  }

  /// What of a part is not there, in words.
  package borrowing func missing(of part: FirewallPart, on host: borrowing Host) throws(WireError) -> [String] {
    guard !part.isEmpty else { return [] }
    do throws(NFTablesError) {
      let elements = try socket.missing(of: part.elements, deadline: host.deadline.moment)
      let guards = part.guards.isEmpty ? [] : try socket.guards(deadline: host.deadline.moment)
      return elements.map { "element \($0) of \($0.set.table) \($0.set.rawValue) is missing" }
        + part.guards.filter { !guards.contains($0) }.map { "chain ingress-\($0) of inet wirehook is missing" }
    } catch {
      throw Hints.explain(error, while: "reading the firewall table")
    }
  }

  /// Replaces the tables with whole ones that hold everything that is recorded, in one transaction each.
  package borrowing func restore(on host: borrowing Host) throws(WireError) {
    let wanted = try Records.firewall(on: host)
    do throws(NFTablesError) {
      try build(wanted, on: host) { (part) throws(NFTablesError) in
        try socket.rebuild(elements: part.elements, guarding: part.guards, deadline: host.deadline.moment)
      }
    } catch {
      throw Hints.explain(error, while: "restoring the firewall table inet wirehook")
    }
  }

  /// What the sets hold; nothing where the table is not there.
  package borrowing func elements(of sets: [SetName], on host: borrowing Host) throws(WireError) -> [Element] {
    var elements: [Element] = []
    for set in sets {
      do throws(NFTablesError) {
        elements += try socket.elements(of: set, deadline: host.deadline.moment)
      } catch {
        guard error.kind == .missing else { throw Hints.explain(error, while: "reading the firewall table") }
      }
    }
    return elements
  }

  /// What the table holds for single containers; the rest belongs to networks.
  package borrowing func ofContainers(on host: borrowing Host) throws(WireError) -> FirewallPart {
    var part = FirewallPart()
    part.elements = try elements(of: SetName.ofContainers, on: host)
    do throws(NFTablesError) {
      part.guards = try socket.guards(deadline: host.deadline.moment)
    } catch {
      guard error.kind == .missing else { throw Hints.explain(error, while: "reading the firewall table") }
    }
    return part
  }

  /// Builds the table with everything that is recorded, and `part`, in one transaction. Where another process has built
  /// it meanwhile, the part is added.
  package borrowing func rebuild(_ part: FirewallPart, on host: borrowing Host) throws(WireError) {
    var wanted = try Records.firewall(on: host)
    wanted.formUnion(part)
    do throws(NFTablesError) {
      try build(wanted, on: host) { (part) throws(NFTablesError) in
        try socket.build(elements: part.elements, guarding: part.guards, deadline: host.deadline.moment)
      }
    } catch {
      throw Hints.explain(error, while: "building the firewall table inet wirehook")
    }
    host.log.write(.info, "built the firewall table inet wirehook with \(wanted.elements.count) elements")
  }

  /// Where the kernel cannot filter on bridges, everything else is built all the same: containers without a network would
  /// be no safer.
  private borrowing func build(
    _ wanted: FirewallPart, on host: borrowing Host, _ body: (FirewallPart) throws(NFTablesError) -> Void
  ) throws(NFTablesError) {
    do throws(NFTablesError) {
      try body(wanted)
    } catch {
      var rest = wanted
      rest.elements.removeAll { $0.set.table == .bridge }
      guard error.kind == .unsupported, rest.elements.count < wanted.elements.count else { throw error }
      try body(rest)
      host.log.write(
        .warning, "containers are not held to their own addresses (antispoof): \(error.reason); CONFIG_NF_TABLES_BRIDGE"
      )
    }
  }

  /// Where Docker's FORWARD policy drops what it does not know: the accept that Docker documents for this.
  package borrowing func admitBesideDocker(_ bridge: InterfaceName, until deadline: Deadline) throws(WireError) {
    do throws(NFTablesError) {
      try socket.ensureForwardAccept(bridge: bridge, deadline: deadline.moment)
    } catch {
      throw Hints.explain(error, while: "admitting bridge \(bridge) in chain DOCKER-USER")
    }
    try legacy("admitting bridge \(bridge)") { () throws(SystemError) in
      try LegacyDockerUser.admit(bridge, until: deadline)
    }
  }

  /// The same chain where Docker uses iptables-legacy.
  private borrowing func legacy<Result>(
    _ what: String, _ body: () throws(SystemError) -> Result
  ) throws(WireError) -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw Hints.explain(error, while: "\(what) in chain DOCKER-USER of iptables-legacy")
    }
  }
}

extension SetName {
  /// The maps that published ports are in.
  static let ports: [SetName] = [.ports4, .ports6, .lports4, .lports6, .loports4, .loports6]

  /// The sets whose elements belong to single containers.
  fileprivate static let ofContainers: [SetName] =
    ports + [.snat4, .snat6, .noreturn4, .noreturn6, .restricted4, .restricted6, .allow4, .allow6]
    + FirewallTable.bridge.sets
}
