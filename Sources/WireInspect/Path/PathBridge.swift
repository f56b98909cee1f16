import WireConfig
import WireCore
import WireEngine
import WireNetlink
import WirePlan
import WireView

/// A bridge of the kernel: the states of its ports, its VLANs, and where it has learned a MAC.
extension PathWalk {
  mutating func crossBridge(from: PathPort, to: PathPort) throws(Interruption) {
    let host = source.host
    guard let bridge = host.link(named: from.bridge), let entry = host.link(named: from.name),
      let exit = host.link(named: to.name), let facts = try look(at: bridge, from: entry, to: exit, to.mac)
    else { return }
    for port in [from, to] { try judge(port, facts) }
    if facts.ports[from.name]?.isIsolated ?? false, facts.ports[to.name]?.isIsolated ?? false {
      throw stop(
        host.name, .bridge, "\(from.name) and \(to.name) are isolated ports of \(bridge.name)",
        "bridge link set dev \(to.name) isolated off")
    }
    if facts.mode.filtersVLANs { try judgeVLANs(from, to, facts) }
    try forward(to, facts)
  }

  /// A container that calls its own published port: where bridges show their packets to the firewall, DNAT turns the frame
  /// round in the bridge, and it leaves by the port that it came in by.
  mutating func turn(back interface: AttachedInterface) throws(Interruption) {
    let host = source.host
    guard interface.driver != .ovs, entry == interface.hostLink.description, packet.isTranslated, !packet.isAnswer,
      host.filtersBridges.contains(packet.family), let bridge = host.link(named: interface.bridge.description),
      let port = host.link(named: interface.hostLink.description),
      let state = try look(at: bridge, from: port, to: port, nil)?.ports[port.name], !state.hairpin
    else { return }
    throw stop(
      host.name, .bridge, "\(port.name) of \(bridge.name) sends nothing back by where it came in (hairpin mode is off)",
      "bridge link set dev \(port.name) hairpin on")
  }

  private func look(
    at bridge: LinkFacts, from entry: LinkFacts, to exit: LinkFacts, _ mac: MACAddress?
  ) throws(Interruption) -> BridgeFacts? {
    do throws(WireError) {
      return try source.look(at: bridge, from: entry, to: exit, mac)
    } catch {
      throw .failed(error)
    }
  }

  /// Whether a port carries anything at all. Where the spanning tree protocol is switched off a port still waits for the
  /// delay that has begun, unless its state is set.
  private mutating func judge(_ port: PathPort, _ facts: BridgeFacts) throws(Interruption) {
    guard let phase = facts.ports[port.name]?.phase, phase != .forwarding else { return }
    let off = facts.mode.usesSTP ? "ip link set \(port.bridge) type bridge stp_state 0 && " : ""
    throw stop(
      source.host.name, .bridge, "\(port.name) of \(port.bridge) is \(phase), by the spanning tree protocol",
      "\(off)bridge link set dev \(port.name) state 3")
  }

  /// The frame's VLAN is that of the port it comes in by, and the other must be a member.
  private mutating func judgeVLANs(_ from: PathPort, _ to: PathPort, _ facts: BridgeFacts) throws(Interruption) {
    let name = source.host.name
    guard let entry = facts.vlans[from.name]?.untagged else {
      throw stop(
        name, .bridge, "\(from.name) is in no VLAN of \(from.bridge) that takes untagged frames (PVID)",
        from.join(from.vlan ?? facts.vlans[to.name]?.untagged ?? 1))
    }
    guard facts.vlans[to.name]?.members.contains(where: { $0.contains(entry) }) ?? false else {
      let remedy = from.vlan.map { $0 != entry ? from.join($0) : to.join(entry) } ?? to.join(entry)
      throw stop(
        name, .bridge, "\(from.name) is in VLAN \(entry) of \(from.bridge), and \(to.name) is not", remedy)
    }
    pass(name, .bridge, "\(from.name) and \(to.name) are in VLAN \(entry)")
  }

  /// By the forwarding table.
  private mutating func forward(_ to: PathPort, _ facts: BridgeFacts) throws(Interruption) {
    guard let mac = to.mac, facts.isAsked else { return }
    let name = source.host.name
    guard let entry = facts.entry else {
      // What is not known to be the bridge's own never reaches the host.
      guard to.name != to.bridge else {
        throw stop(
          name, .fdb, "\(to.bridge) does not know its own \(mac), and floods what is meant for the host",
          "bridge fdb add \(mac) dev \(to.bridge) self permanent")
      }
      // The sender asks again for a MAC that stays silent, and the answer to that is learned.
      guard facts.ports[to.name]?.floods ?? true else {
        return note(
          name, .fdb, "\(to.bridge) has not learned where \(mac) is, and does not flood to \(to.name)",
          "bridge link set dev \(to.name) flood on")
      }
      return pass(name, .fdb, "\(to.bridge) has not learned where \(mac) is, and floods")
    }
    guard entry.port != to.name else {
      let isOwn = to.name == to.bridge
      return pass(name, .fdb, isOwn ? "\(mac) is \(to.bridge)'s own" : "\(to.bridge) has \(mac) behind \(entry.port)")
    }
    // An address of the bridge's own cannot be taken from it.
    let vlan = facts.vlan.map { " vlan \($0)" } ?? ""
    throw stop(
      name, .fdb, "\(to.bridge) has \(mac) behind \(entry.port), not behind \(to.name)",
      entry.port == to.bridge ? nil : "bridge fdb del \(mac) dev \(entry.port) master\(vlan)")
  }
}

extension PathPort {
  /// The command that puts it into a VLAN. The bridge itself is a port to its own host.
  fileprivate func join(_ vlan: UInt16) -> String {
    "bridge vlan add dev \(name) vid \(vlan) pvid untagged" + (name == bridge ? " self" : "")
  }
}
