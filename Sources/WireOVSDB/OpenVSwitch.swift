package import WireCore
package import WireLinux

/// Open vSwitch on this host, by its database: ovs-vswitchd makes the switch what the database says
/// (ovs-vswitchd.conf.db(5)). One question is one round trip, one change is one transaction and one round trip.
package final class OpenVSwitch {
  /// The configuration that a change made: Open_vSwitch.next_cfg. ovs-vswitchd counts cur_cfg up to it.
  package struct Configuration: Sendable, Hashable {
    package let number: Int64
  }

  /// What an attach has to know.
  package struct Look: Sendable, Hashable {
    package let `switch`: SwitchRow
    /// The bridge that was asked for; nil: there is none.
    package let bridge: BridgeRow?
    /// The ports that belong to the container by their marks, on any bridge.
    package let ports: [PortRow]
  }

  let connection: OVSDBConnection

  package var address: DatabaseAddress { connection.address }

  package init(_ address: DatabaseAddress, until deadline: Deadline) throws(OVSDBError) {
    connection = try OVSDBConnection(address, until: deadline)
  }

  /// Reads the switch, the bridge of this name, and what an earlier life of the container left.
  package func look(
    at bridge: String, container: String?, until deadline: Deadline
  ) throws(OVSDBError) -> Look {
    var operations: [OVSDBOperation] = [
      .select(.openVSwitch, where: [], columns: SwitchRow.columns),
      .select(.bridge, where: [.named(bridge)], columns: BridgeRow.columns),
    ]
    if let container {
      operations.append(.select(.port, where: [.marked(.container, container)], columns: PortRow.columns))
    }
    let results = try ask(operations, for: "a question about bridge \(bridge.quoted)", until: deadline)
    let ports = container == nil ? [] : try results.rows(2).map(PortRow.init)
    guard let row = try results.rows(0).first else { throw results.failure(.noSwitch) }
    return Look(
      switch: try SwitchRow(row), bridge: try results.rows(1).first.map(BridgeRow.init), ports: ports)
  }

  /// Every port of every bridge.
  package func ports(until deadline: Deadline) throws(OVSDBError) -> [AttachedPort] {
    let results = try ask(
      [
        .select(.bridge, where: [], columns: ["name", "ports"]),
        .select(.port, where: [], columns: PortRow.columns),
        .select(.interface, where: [], columns: InterfaceRow.columns),
      ], for: "a question about all ports", until: deadline)
    var bridgeOfPort: [OVSUUID: String] = [:]
    for bridge in try results.rows(0) {
      let name = try bridge.string("name")
      for port in try bridge.uuids("ports") { bridgeOfPort[port] = name }
    }
    return AttachedPort.join(
      bridgeOfPort: bridgeOfPort, ports: try results.rows(1).map(PortRow.init),
      interfaces: try results.rows(2).map(InterfaceRow.init))
  }

  package func bridges(until deadline: Deadline) throws(OVSDBError) -> [BridgeRow] {
    let results = try ask(
      [.select(.bridge, where: [], columns: BridgeRow.columns)], for: "a question about all bridges", until: deadline)
    return try results.rows(0).map(BridgeRow.init)
  }

  func ask(
    _ operations: [OVSDBOperation], for purpose: String, until deadline: Deadline
  ) throws(OVSDBError) -> OVSDBResults {
    try connection.results(of: connection.send(operations, for: purpose, until: deadline), until: deadline)
  }
}
