import WireCore
import WireLinux
import WireNetlink
import WireOVSDB
import WirePlan

/// How bridge, ports and flows in Open vSwitch are not what was recorded, and what makes them so again.
extension OVSDriver {
  func differences(of setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> [String] {
    let database = setup.databaseAddress(on: host)
    do throws(OVSDBError) {
      let look = try host.switches.at(database, until: host.deadline).look(
        at: setup.bridge.description, container: nil, until: host.deadline)
      guard look.bridge != nil else { return ["bridge \(setup.bridge) is not in \(database)"] }
      let ports = try host.switches.ports(database, until: host.deadline)
      var texts: [String] = []
      if let vlan = setup.vlan, ports.port(setup.link)?.port.vlan != .access(vlan) {
        texts.append("port \(setup.link) of bridge \(setup.bridge) is not in VLAN \(vlan)")
      }
      return texts + OVSTunnels.differences(of: setup, ports)
    } catch {
      return ["Open vSwitch cannot be asked: \(error)"]
    }
  }

  func differences(
    of interface: AttachedInterface, _ hostEnd: Link, on host: borrowing Host
  ) throws(WireError) -> [String] {
    guard let switchPort = interface.switchPort else { return [] }
    var texts: [String] = []
    if hostEnd.usesARP { texts.append("host end \(hostEnd.name) of \(interface.name) speaks ARP") }
    do throws(OVSDBError) {
      let found = try host.switches.ports(switchPort.database, until: host.deadline).port(interface.hostLink)
      texts += differences(of: interface, found)
      if let found { texts += try SwitchSenders.differences(of: interface, found, on: host) }
    } catch {
      texts.append("Open vSwitch cannot be asked: \(error)")
    }
    return texts
  }

  /// How a port in the database is not what was recorded.
  private func differences(of interface: AttachedInterface, _ port: AttachedPort?) -> [String] {
    let subject = "host end \(interface.hostLink) of \(interface.name)"
    guard let port, port.bridge == interface.bridge.description else {
      return ["\(subject) is no port of bridge \(interface.bridge)"]
    }
    var texts: [String] = []
    if port.port.vlan != interface.vlan {
      texts.append("\(subject) is \(place(port.port.vlan)), and not \(place(interface.vlan))")
    }
    if port.port.externalIDs[.network] != interface.network || port.port.externalIDs[.container] == nil {
      texts.append("\(subject) has lost its marks in Open vSwitch")
    }
    if port.port.isProtected != interface.isolated { texts.append("\(subject) has another isolation") }
    if let error = port.error { texts.append("\(subject): Open vSwitch says: \(error)") }
    return texts
  }

  private func place(_ vlan: VLANMembership?) -> String { vlan.map { "in VLAN \($0)" } ?? "in no VLAN" }

  func replug(_ attachment: Attachment, on host: borrowing Host) throws(WireError) {
    let interfaces = attachment.interfaces.filter { $0.switchPort != nil }
    var batch = Batch()
    for interface in interfaces { batch.setLink(.name(interface.hostLink), .switchPort) }
    do throws(NetlinkError) {
      try host.route.send(batch, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "silencing host ends")
    }
    let what = "repairing container \(attachment.container.owner.quoted)"
    host.switches.forgetPorts()
    guard try !holdsSenders(interfaces, what, on: host) else { return }
    let steps = Step.all(of: attachment).enumerated().map { NumberedStep(index: $0, step: $1) }
    try SwitchPorts(steps.filter { $0.step.place == .switch }, what, failAt: nil, on: host).settle(on: host)
  }

  /// Where all of the ports are right, only sets who may send what by them: a port that is taken out and put back loses frames.
  private func holdsSenders(
    _ interfaces: [AttachedInterface], _ what: String, on host: borrowing Host
  ) throws(WireError) -> Bool {
    var rows: [InterfaceRow] = []
    do throws(OVSDBError) {
      for interface in interfaces {
        guard let database = interface.switchPort?.database else { continue }
        let found = try host.switches.ports(database, until: host.deadline).port(interface.hostLink)
        guard differences(of: interface, found).isEmpty else { return false }
        rows += found?.interfaces ?? []
      }
    } catch {
      throw Hints.explain(error, while: what)
    }
    for interface in interfaces {
      guard let check = interface.switchSenderCheck else { continue }
      let deadline = host.deadline.leavingTimeToUndo
      try SwitchSenders.set([check], rows, SwitchSenders.connect([check], what, until: deadline), what, until: deadline)
    }
    host.switches.forgetPorts()
    return true
  }
}
