import WireCore
import WireLinux
import WireOVSDB
import WirePlan

/// Who may send what by a port of Open vSwitch: flows of ours (`SenderFlows`), known by their cookies.
enum SwitchSenders {
  /// A way to the flows of one bridge; nil where no port of it is checked. ovs-vswitchd accepts it while it takes up the ports.
  static func connect(
    _ checks: [SwitchSenderCheck], _ what: String, until deadline: Deadline
  ) throws(WireError) -> FlowTable? {
    guard let first = checks.first else { return nil }
    do throws(OVSDBError) {
      return try FlowTable(managementSocket(first.database, first.bridge), until: deadline)
    } catch {
      throw explain(error, first.bridge, while: holding(what))
    }
  }

  /// Sets the flows of ports that ovs-vswitchd has taken up, all of one bridge, in one change. What stands of them or was left by
  /// others with their numbers is replaced.
  static func set(
    _ checks: [SwitchSenderCheck], _ interfaces: [InterfaceRow], _ table: FlowTable?, _ what: String,
    until deadline: Deadline
  ) throws(WireError) {
    guard let table, let first = checks.first else { return }
    var changes: [FlowChange] = []
    for check in checks {
      let row = interfaces.first { $0.name == check.check.hostLink.description }
      guard let flows = SenderFlows(check.check, port: row?.ofport) else {
        throw WireError(
          holding(what), "port \(check.check.hostLink) has no number in OpenFlow", hint: "ovs-vswitchd's log says more")
      }
      changes += flows.changes
    }
    do throws(OVSDBError) { try table.apply(changes, until: deadline) } catch {
      throw explain(error, first.bridge, while: holding(what))
    }
  }

  private static func holding(_ what: String) -> String { "\(what): holding it to its own addresses in Open vSwitch" }

  /// Takes the flows of an attachment out. Where ovs-vswitchd does not run there are none; where it hangs nobody waits long for
  /// it, and `gc` finds them later: a number that a port had is no other port's for an hour.
  static func remove(_ attachment: Attachment, on host: borrowing Host) throws(WireError) {
    let checks = attachment.isWiredByOthers ? [] : attachment.interfaces.compactMap { $0.switchSenderCheck }
    for bridge in Set(checks.map { Place($0) }) {
      let links = checks.filter { Place($0) == bridge }.map { $0.check.hostLink }
      do throws(OVSDBError) {
        try remove(links.map { .of($0) }, at: bridge, until: patience(host))
      } catch {
        guard !meansNone(error) else { continue }
        let what = "taking the flows of \(attachment.container.owner.quoted) off bridge \(bridge.bridge)"
        guard error.kind == .timeout || error.kind == .closed else { throw explain(error, bridge.bridge, while: what) }
        host.log.write(.warning, "\(what): \(error); wirehook gc does it later")
      }
    }
  }

  /// How the flows of an interface, whose port was found, are not what they should be.
  static func differences(
    of interface: AttachedInterface, _ port: AttachedPort, on host: borrowing Host
  ) throws(OVSDBError) -> [String] {
    guard let check = interface.switchSenderCheck else { return [] }
    let link = interface.hostLink
    let row = port.interfaces.first { $0.name == link.description }
    guard let wanted = SenderFlows(check.check, port: row?.ofport)?.flows else { return [] }
    let all = try host.switches.flows(check.database, interface.bridge, until: host.deadline)
    let cookie = FlowCookies.cookie(of: link)
    let present = Set(all.filter { $0.cookie == cookie })
    guard present != Set(wanted) else { return [] }
    let missing = wanted.filter { !present.contains($0) }.count
    let what = missing > 0 ? "\(missing) of \(wanted.count) flows are missing" : "flows were added under its cookie"
    return [
      "host end \(link) of \(interface.name) is not held to its own addresses: \(what) on bridge \(interface.bridge)"
    ]
  }

  // MARK: What is left

  /// A bridge of one of the databases.
  struct Place: Hashable {
    let database: DatabaseAddress
    let bridge: InterfaceName

    init(_ database: DatabaseAddress, _ bridge: InterfaceName) {
      self.database = database
      self.bridge = bridge
    }

    init(_ check: SwitchSenderCheck) { self.init(check.database, check.bridge) }
  }

  /// Our flows on these bridges. One that does not answer is an error only if it is `needed`.
  static func look(
    at places: Set<Place>, needed: Set<Place>, on host: borrowing Host
  ) throws(WireError) -> [Place: Set<UInt64>] {
    var found: [Place: Set<UInt64>] = [:]
    for place in places {
      do throws(OVSDBError) {
        found[place] = Set(
          try host.switches.flows(place.database, place.bridge, until: patience(host)).map { $0.cookie })
      } catch {
        guard needed.contains(place), !meansNone(error) else { continue }
        throw explain(error, place.bridge, while: "looking for flows that are left in Open vSwitch")
      }
    }
    return found
  }

  /// Of the cookies that were seen, finds those of no host end on record, and unless `dryRun` removes their flows. No lock is
  /// needed: a record comes before the flows and goes after them.
  static func collect(
    _ seen: [Place: Set<UInt64>], dryRun: Bool, recorded: [InterfaceName], on host: borrowing Host
  ) throws(WireError) -> [Garbage.Finding] {
    let known = Set(recorded.map { FlowCookies.cookie(of: $0) })
    var findings: [Garbage.Finding] = []
    for (place, cookies) in seen {
      let orphans = cookies.subtracting(known).sorted()
      findings += orphans.map {
        Garbage.Finding(
          kind: .flows, name: "0x" + String($0, radix: 16),
          detail: "bridge \(place.bridge), of a container that is gone")
      }
      guard !dryRun, !orphans.isEmpty else { continue }
      do throws(OVSDBError) {
        let cookies = orphans.map { FlowCookies(value: $0) }
        try remove(cookies, at: place, until: host.deadline)
      } catch {
        throw explain(error, place.bridge, while: "taking out flows that are left in Open vSwitch")
      }
    }
    return findings
  }

  private static func remove(_ cookies: [FlowCookies], at place: Place, until deadline: Deadline) throws(OVSDBError) {
    let socket = try managementSocket(place.database, place.bridge)
    try FlowTable(socket, until: deadline).apply(cookies.map { .remove($0) }, until: deadline)
  }

  /// The planner has refused databases without one.
  static func managementSocket(
    _ database: DatabaseAddress, _ bridge: InterfaceName
  ) throws(OVSDBError) -> DatabaseAddress {
    guard let socket = database.managementSocket(of: bridge) else {
      throw OVSDBError(database, "looking for the socket of bridge \(bridge)", .missing)
    }
    return socket
  }

  /// Nobody is there who could have flows.
  private static func meansNone(_ error: OVSDBError) -> Bool {
    switch error.kind {
    case .missing, .refused: true
    default: false
    }
  }

  private static func patience(_ host: borrowing Host) -> Deadline {
    .after(milliseconds: min(1000, Int(host.deadline.remaining) / 2))
  }

  private static func explain(_ error: OVSDBError, _ bridge: InterfaceName, while what: String) -> WireError {
    WireError(what, error.description, hint: hint(error, bridge))
  }

  /// What helps against what a bridge's management socket refused.
  static func hint(_ error: OVSDBError, _ bridge: InterfaceName) -> String? {
    let off = "or set \"antispoof\": false in the network's file"
    switch error.kind {
    case .missing, .notASocket, .refused: return "start ovs-vswitchd (systemctl start openvswitch-switch), \(off)"
    case .timeout, .closed: return "see whether ovs-vswitchd runs: systemctl status openvswitch-switch"
    case .openFlowVersion: return "allow it: ovs-vsctl add bridge \(bridge) protocols OpenFlow14, \(off)"
    default: return Hints.hint(error)
    }
  }
}

extension SenderFlows {
  /// nil: the port has no number that a frame could come in by.
  fileprivate init?(_ check: SenderCheck, port: Int64?) {
    // The numbers above are reserved (OFPP_MAX).
    guard let port = port.flatMap({ UInt16(exactly: $0) }), (1...0xfeff).contains(port) else { return nil }
    self.init(link: check.hostLink, port: port, mac: check.mac, addresses: check.addresses, free: check.free)
  }
}
