package import WireCore

/// A port that a bridge is to have, with its one interface of the same name.
package struct PortSpec: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable {
    /// A link that is there, as the host end of a pair.
    case system = ""
    /// A link that OVS makes: the host's own.
    case `internal`
    case vxlan
  }

  /// What comes from the link beyond this is dropped, in the units of OVS: 1,000 bits a second, and 1,000 bits.
  package struct Policing: Sendable, Hashable {
    package var rate: UInt32
    package var burst: UInt32

    package init(rate: UInt32, burst: UInt32) {
      self.rate = rate
      self.burst = burst
    }
  }

  /// How what is sent to the link is queued (QoS in ovs-vswitchd.conf.db(5)).
  package enum Queueing: Sendable, Hashable {
    /// `linux-noop`: the root discipline is somebody else's, and stays.
    case untouched
    /// `linux-htb`: this many bits per second at most.
    case limited(to: UInt64)
  }

  package var name: InterfaceName
  package var kind: Kind
  /// Of a tunnel: `remote_ip`, `local_ip`, `key`, `dst_port`.
  package var options = StringMap()
  /// nil: every VLAN, with its tags.
  package var vlan: VLANMembership?
  /// Protected ports do not hear each other.
  package var isProtected = false
  /// Whose it is. See `Mark`.
  package var externalIDs = StringMap()
  /// What controllers read: `attached-mac`, `iface-id`.
  package var interfaceExternalIDs = StringMap()
  /// OVS's start script removes it after a reboot.
  package var isTransient = false
  /// In bytes. OVS sets it on internal ports only.
  package var mtuRequest: UInt32?
  package var policing: Policing?
  /// nil: OVS removes every queueing discipline of the link, when it takes it up and each time ovs-vswitchd starts.
  package var queueing: Queueing?

  package init(_ name: InterfaceName, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }
}

extension PortSpec {
  /// The inserts that make the rows; the port's row is called `port` and the index.
  func inserts(_ index: Int) -> [OVSDBOperation] {
    var operations: [OVSDBOperation] = [
      .insert(.interface, row: interfaceRow, named: "interface\(index)")
    ]
    if let queueing { operations.append(qosInsert(index, queueing)) }
    var row: [OVSDBOperation.Column] = [
      .init("name", .string(name.description)), .init("interfaces", .named("interface\(index)")),
    ]
    row += vlan == nil ? [] : vlanColumns
    if isProtected { row.append(.init("protected", .bool(true))) }
    if queueing != nil { row.append(.init("qos", .named("qos\(index)"))) }
    if isTransient { row.append(.init("other_config", .map(["transient": "true"]))) }
    if !externalIDs.isEmpty { row.append(.init("external_ids", .map(externalIDs))) }
    operations.append(.insert(.port, row: row, named: "port\(index)"))
    return operations
  }

  private var interfaceRow: [OVSDBOperation.Column] {
    var row: [OVSDBOperation.Column] = [.init("name", .string(name.description))]
    if kind != .system { row.append(.init("type", .string(kind.rawValue))) }
    if !options.isEmpty { row.append(.init("options", .map(options))) }
    if let mtuRequest { row.append(.init("mtu_request", .integer(Int64(mtuRequest)))) }
    if let policing {
      row.append(.init("ingress_policing_rate", .integer(Int64(policing.rate))))
      row.append(.init("ingress_policing_burst", .integer(Int64(policing.burst))))
    }
    if !interfaceExternalIDs.isEmpty { row.append(.init("external_ids", .map(interfaceExternalIDs))) }
    return row
  }

  /// A row of Queue is not needed: OVS makes the default queue itself, with all of the rate (ovs-vswitchd.conf.db(5), `queues`).
  private func qosInsert(_ index: Int, _ queueing: Queueing) -> OVSDBOperation {
    var marks = StringMap()
    for mark in [Mark.container, .network] { marks[mark] = externalIDs[mark] }
    marks[.port] = name.description
    var row: [OVSDBOperation.Column] = []
    switch queueing {
    case .untouched: row.append(.init("type", .string("linux-noop")))
    case .limited(let rate):
      row.append(.init("type", .string("linux-htb")))
      row.append(.init("other_config", .map(["max-rate": "\(rate)"])))
    }
    row.append(.init("external_ids", .map(marks)))
    return .insert(.qos, row: row, named: "qos\(index)")
  }

  /// The three columns that say it, the empty ones too.
  var vlanColumns: [OVSDBOperation.Column] {
    let mode: OVSDBValue =
      switch vlan {
      case nil: .set([])
      case .access: .string("access")
      case .trunk: .string("trunk")
      }
    return [
      .init("tag", vlan?.tag.map { .integer(Int64($0)) } ?? .set([])), .init("vlan_mode", mode),
      .init("trunks", .set((vlan?.trunks ?? []).map { .integer(Int64($0)) })),
    ]
  }
}
