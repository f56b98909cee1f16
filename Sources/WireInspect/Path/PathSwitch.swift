import WireConfig
import WireCore
import WireEngine
import WirePlan
import WireView

/// A bridge of Open vSwitch: what its daemon says that it does with the packet.
extension PathWalk {
  mutating func useSwitchPort(
    of container: WiredContainer, _ interface: AttachedInterface, _ port: LinkFacts
  ) throws(Interruption) {
    let name = source.host.name
    if let database = interface.switchPort?.database, let why = source.silentDatabases[database] {
      return note(name, .bridge, "Open vSwitch does not say what is on \(interface.bridge): \(why)")
    }
    guard let row = source.switchPorts[port.name], row.bridge == interface.bridge.description else {
      throw stop(
        name, .bridge, "\(port.name) is not a port of Open vSwitch bridge \(interface.bridge)", "wirehook repair")
    }
    guard row.vlan == interface.vlan else {
      let (now, then) = (row.vlan.map { "VLAN \($0)" } ?? "no VLAN", interface.vlan.map { "VLAN \($0)" } ?? "no VLAN")
      throw stop(
        name, .bridge, "\(port.name) is in \(now) of \(row.bridge), and was put into \(then)",
        row.vsctl(
          interface.vlan.flatMap { $0.tag }.map { "set port \(port.name) tag=\($0)" } ?? "clear port \(port.name) tag"))
    }
    guard row.number != nil else {
      throw stop(
        name, .bridge, "ovs-vswitchd has not set up \(port.name)" + (row.error.map { ": \($0)" } ?? ""),
        "wirehook repair \(container.attachment.container.owner)")
    }
    pass(
      name, .bridge, "\(port.name) is a port of \(row.bridge) (Open vSwitch)" + (row.vlan.map { ", VLAN \($0)" } ?? ""))
  }

  /// What the switch has learned of who is meant.
  mutating func learned(_ port: PathPort) {
    guard let mac = port.mac, case .said(let row) = source.learned(mac, on: port.bridge, vlan: port.tag(source)) else {
      return
    }
    guard let row else { return pass(source.host.name, .fdb, "\(port.bridge) has not learned where \(mac) is") }
    let text = "\(port.bridge) has learned \(mac) behind \(row.port)"
    if row.port == port.name { pass(source.host.name, .fdb, text) } else { note(source.host.name, .fdb, text) }
  }

  /// Asks the switch for the way of a frame; `to`: the port that it must come out of; nil: any.
  mutating func follow(_ frame: SwitchFrame, to: String?) throws(Interruption) {
    let name = source.host.name
    let trace: SwitchTrace
    switch source.trace(frame) {
    case .silent(let why): return note(name, .switch, "\(frame.bridge) was not asked (ofproto/trace): \(why)")
    case .said(let said): trace = said
    }
    guard !trace.isDropped, to.map(trace.outputs.contains) ?? true else {
      let judgement = SwitchJudgement(frame, trace, to, source.switchPorts[frame.port])
      throw stop(name, .switch, judgement.text, judgement.remedy)
    }
    let flow = trace.rules.first.map { "flow \($0.shown): " } ?? ""
    let how = trace.remarks.first { !$0.hasPrefix("tunneling from") }.map { ", \($0)" } ?? ""
    pass(name, .switch, "\(frame.bridge) \(flow)out by \(exits(trace, to))\(how)")
  }

  private func exits(_ trace: SwitchTrace, _ to: String?) -> String {
    let tunnels = trace.tunnels.map { "the tunnel to \($0)" }
    // In userspace a tunnel's packets are shown where they leave the bridge below it, too.
    if let to { return ([to] + tunnels).joined(separator: " and ") }
    if let tunnel = tunnels.first, trace.outputs.count <= 1 { return tunnel }
    let shown = trace.outputs.prefix(8) + (trace.outputs.count > 8 ? ["\(trace.outputs.count - 8) more"] : [])
    return (tunnels + shown).joined(separator: ", ")
  }
}

extension PathPort {
  /// The tag that the switch learns its MAC with.
  fileprivate func tag(_ source: some PathSource) -> UInt16? {
    source.switchPorts[name].flatMap { port in port.vlan.map { $0.tag } ?? 0 }
  }
}

extension SwitchTrace.Rule {
  var shown: String {
    "table=\(table)" + (priority.map { " priority=\($0)" } ?? "") + (match.isEmpty ? "" : " \(match)")
  }
}

/// Why a frame does not come out of the port that it is meant for, and what mends that.
struct SwitchJudgement {
  let text: String
  let remedy: String?

  init(_ frame: SwitchFrame, _ trace: SwitchTrace, _ to: String?, _ port: SwitchPortFacts?) {
    let bridge = trace.rules.last?.bridge ?? frame.bridge
    let rule = trace.rules.last { trace.isDropped || $0.bridge == frame.bridge }
    let remark = trace.remarks.last.map { " (\($0))" } ?? ""
    let outputs = trace.outputs.prefix(8) + trace.tunnels.map { "the tunnel to \($0)" }
    let fate =
      trace.isDropped ? "drops it" : "sends it out by \(outputs.joined(separator: ", ")), not by \(to ?? "any port")"
    guard let rule else {
      text = "\(bridge) \(fate)\(remark)"
      remedy = nil
      return
    }
    if rule.priority == nil {
      text = "\(rule.bridge) \(fate): no flow of table \(rule.table) matches it\(remark)"
      remedy = port?.ofctl("add-flow", on: rule.bridge, "'table=\(rule.table),priority=0,actions=NORMAL'")
      return
    }
    text = "\(rule.bridge) \(fate): flow \(rule.shown) actions=\(rule.actions.joined(separator: ","))\(remark)"
    remedy = port.flatMap { Self.remedy(rule, frame, trace, to, $0) }
  }

  private static func remedy(
    _ rule: SwitchTrace.Rule, _ frame: SwitchFrame, _ trace: SwitchTrace, _ to: String?, _ port: SwitchPortFacts
  ) -> String? {
    if trace.remarks.contains(where: { $0.contains("between protected ports") }) {
      return port.vsctl("set port \(frame.port) protected=false")
    }
    if let to, trace.remarks.contains(where: { $0.contains("OFPPC_NO_FWD") }) {
      return port.ofctl("mod-port", on: rule.bridge, "\(to) forward")
    }
    guard !rule.actions.contains("NORMAL") else { return port.appctl("fdb/flush \(rule.bridge)") }
    let match = rule.match.isEmpty ? "" : ",\(rule.match)"
    return port.ofctl(
      "--strict del-flows", on: rule.bridge, "'table=\(rule.table),priority=\(rule.priority ?? 0)\(match)'")
  }
}
