import WireCore
import WireLinux
import WireNetlink
import WireOVSDB
import WirePlan
import WireState

/// The Open vSwitch ports of one attach: one transaction for each bridge, sent as soon as the pairs are there.
/// ovs-vswitchd works on them while the rest is made, and is waited for at the end.
struct SwitchPorts {
  private let what: String
  private var pending: [Pending] = []

  /// The number of the step that is made to fail when all has been done.
  private var failing: Int?

  private struct Pending {
    let ovs: OpenVSwitch
    let settling: OpenVSwitch.Settling
    /// Those of the ports that are held to their own addresses.
    let senders: [SwitchSenderCheck]
    var table: FlowTable?
  }

  init(_ steps: [NumberedStep], _ what: String, failAt: Int?, on host: borrowing Host) throws(WireError) {
    self.what = what
    guard !steps.isEmpty else { return }
    let deadline = host.deadline.leavingTimeToUndo
    let senders = steps.compactMap { $0.step.switchSender }
    do throws(OVSDBError) {
      for steps in Self.grouped(steps) {
        let ovs = try host.switches.at(steps[0].database, until: deadline)
        let configuration = try Self.add(steps, ovs, until: deadline)
        let settling = try ovs.beginSettling(configuration, steps.map { $0.port }, until: deadline)
        pending.append(Pending(ovs: ovs, settling: settling, senders: senders.filter { $0.isOfBridge(of: steps[0]) }))
      }
    } catch {
      throw Hints.explain(error, while: "\(what): adding its port to Open vSwitch")
    }
    for index in pending.indices {
      pending[index].table = try SwitchSenders.connect(pending[index].senders, what, until: deadline)
    }
    guard let failed = steps.first(where: { $0.index == failAt }) else { return }
    guard failed.step.switchSender != nil else { throw Self.toldToFail(what, failed.index) }
    failing = failed.index
  }

  /// Waits until ovs-vswitchd has taken every port up, and sets who may send what by it, which needs its number. A port that it
  /// could not take up is an error.
  func settle(on host: borrowing Host) throws(WireError) {
    let deadline = host.deadline.leavingTimeToUndo
    for pending in pending {
      let interfaces: [InterfaceRow]
      do throws(OVSDBError) {
        interfaces = try pending.ovs.finish(pending.settling, until: deadline)
      } catch {
        throw Hints.explain(error, while: "\(what): adding its port to Open vSwitch")
      }
      try SwitchSenders.set(pending.senders, interfaces, pending.table, what, until: deadline)
    }
    host.switches.forgetPorts()
    if let failing { throw Self.toldToFail(what, failing) }
  }

  private static func toldToFail(_ what: String, _ index: Int) -> WireError {
    WireError(what, "step \(index) was told to fail")
  }

  /// Takes the ports of an attachment out, of those that are marked as its own. The devices may be long gone.
  ///
  /// Where no database answers, nothing holds the host's side back for it: a row that comes back with the database is in no
  /// record then, and `gc` finds it. Who goes on to make links of the same names waits for ovs-vswitchd as well: it sets a
  /// link down when it lets go of it.
  static func remove(
    _ attachment: Attachment, waiting: Bool = false, on host: borrowing Host
  ) throws(WireError) {
    let interfaces = attachment.interfaces.filter { $0.switchPort != nil }
    for database in Set(interfaces.compactMap { $0.switchPort?.database }) {
      let names = interfaces.filter { $0.switchPort?.database == database }.map { $0.hostLink.description }
      let deadline = host.deadline.leavingTimeToUndo
      do throws(OVSDBError) {
        let ovs = try host.switches.at(database, until: deadline)
        let removed = try ovs.removePorts(named: names, .container, attachment.container.id, until: deadline)
        if waiting, let removed { _ = try ovs.settle(removed, [], until: deadline) }
      } catch {
        let what = "taking the ports of \(attachment.container.owner) out of Open vSwitch"
        switch error.kind {
        case .missing, .notASocket, .refused, .noDatabase, .noSwitch:
          host.log.write(.warning, "\(what): \(error); wirehook gc does it when the database is back")
        default: throw Hints.explain(error, while: what)
        }
      }
    }
  }

  /// The pair is this container's alone, so a port of its name, whoever put it there, is on a device of ours: what an
  /// earlier life left, or what somebody moved to another bridge.
  private static func add(
    _ steps: [SwitchPortStep], _ ovs: OpenVSwitch, until deadline: Deadline
  ) throws(OVSDBError) -> OpenVSwitch.Configuration {
    let bridge = steps[0].bridge.description
    do throws(OVSDBError) {
      return try ovs.addPorts(steps.map { $0.spec }, to: bridge, until: deadline)
    } catch {
      guard case .portExists = error.kind else { throw error }
      let names = steps.map { $0.port.description }
      let left = try ovs.ports(until: deadline).map { $0.port }.filter { names.contains($0.name) }
      return try ovs.addPorts(steps.map { $0.spec }, to: bridge, replacing: left, until: deadline)
    }
  }

  private static func grouped(_ steps: [NumberedStep]) -> [[SwitchPortStep]] {
    var groups: [[SwitchPortStep]] = []
    for numbered in steps {
      guard case .switchPort(let step) = numbered.step else { continue }
      if let index = groups.firstIndex(where: { $0[0].database == step.database && $0[0].bridge == step.bridge }) {
        groups[index].append(step)
      } else {
        groups.append([step])
      }
    }
    return groups
  }
}

extension LinkSettings {
  /// The flags of a host end that is a port of Open vSwitch.
  static var switchPort: LinkSettings {
    var settings = LinkSettings(isUp: true)
    settings.usesARP = false
    return settings
  }
}

extension Step {
  fileprivate var switchSender: SwitchSenderCheck? {
    guard case .checkSwitchSender(let check) = self else { return nil }
    return check
  }
}

extension SwitchSenderCheck {
  fileprivate func isOfBridge(of step: SwitchPortStep) -> Bool {
    database == step.database && bridge == step.bridge
  }
}

extension SwitchPortStep {
  fileprivate var spec: PortSpec {
    var port = PortSpec(self.port, .system)
    port.vlan = vlan
    port.isProtected = isProtected
    port.isTransient = true
    port.externalIDs = StringMap([.container: container, .network: network, .interface: interface.description])
    port.interfaceExternalIDs = ["attached-mac": mac.description, "iface-id": "\(container).\(interface)"]
    port.policing = egress.map { PortSpec.Policing(limit: $0) }
    switch queueing {
    case .host: port.queueing = .untouched
    case .limited(let rate): port.queueing = .limited(to: rate.bitsPerSecond)
    case nil: break
    }
    return port
  }
}

extension PortSpec.Policing {
  /// A burst of a tenth of a second, as ovs-vswitchd.conf.db(5) advises for TCP, and of one large packet at least.
  fileprivate init(limit: Rate) {
    let rate = UInt32(clamping: max(1, limit.bitsPerSecond / 1000))
    self.init(rate: rate, burst: max(rate / 10, 64 * 8))
  }
}
