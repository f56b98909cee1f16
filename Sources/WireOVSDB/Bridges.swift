package import WireCore
package import WireLinux

/// A bridge that is to be made.
package struct BridgeSpec: Sendable, Hashable {
  package var name: InterfaceName
  /// One of `SwitchRow.datapathTypes`.
  package var datapathType: String
  /// Whose it is. See `Mark`.
  package var externalIDs: StringMap
  /// The address of the bridge's own interface; nil: OVS chooses the lowest of its ports', which changes with them.
  package var mac: MACAddress?
  /// Of the bridge's own interface, in bytes.
  package var mtu: UInt32?

  package init(_ name: InterfaceName, datapathType: String, externalIDs: StringMap) {
    self.name = name
    self.datapathType = datapathType
    self.externalIDs = externalIDs
  }

  /// The inserts of the bridge with its own port; the row of the bridge is called `bridge`.
  var inserts: [OVSDBOperation] {
    var own = PortSpec(name, .internal)
    own.mtuRequest = mtu
    var row: [OVSDBOperation.Column] = [
      .init("name", .string(name.description)), .init("datapath_type", .string(datapathType)),
      .init("fail_mode", .string("standalone")), .init("ports", .named("port0")),
    ]
    if let mac { row.append(.init("other_config", .map(["hwaddr": mac.description]))) }
    if !externalIDs.isEmpty { row.append(.init("external_ids", .map(externalIDs))) }
    return own.inserts(0) + [.insert(.bridge, row: row, named: "bridge")]
  }
}

extension OpenVSwitch {
  /// Makes a bridge, as `ovs-vsctl add-br`. Fails with `bridgeExists` where somebody else was first.
  package func createBridge(_ bridge: BridgeSpec, until deadline: Deadline) throws(OVSDBError) -> Configuration {
    let name = bridge.name.description
    var transaction = Transaction("add-br \(name)")
    transaction.require(false, .bridge, where: [.named(name)], else: .bridgeExists(name))
    transaction.requireFree(name, except: [])
    for insert in bridge.inserts { transaction.add(insert) }
    transaction.add(.mutate(.openVSwitch, where: [], [.init("bridges", .insert, .named("bridge"))]))
    transaction.count()
    return try commit(transaction, for: "the creation of bridge \(name.quoted)", until: deadline)
  }

  /// Removes a bridge of ours that has no port but its own, as `ovs-vsctl del-br`; nil: there is none of this name.
  package func removeBridge(
    named name: String, until deadline: Deadline
  ) throws(OVSDBError) -> Configuration? {
    let results = try ask(
      [
        .select(.bridge, where: [.named(name)], columns: BridgeRow.columns + ["ports"]),
        .select(.port, where: [.named(name)], columns: PortRow.columns),
      ], for: "a question about bridge \(name.quoted)", until: deadline)
    guard let row = try results.rows(0).first else { return nil }
    let (bridge, present) = (try BridgeRow(row), try row.uuids("ports"))
    guard bridge.network != nil else { throw results.failure(.notOurs(bridge: name)) }
    let own = try results.rows(1).map(PortRow.init).map(\.uuid)
    guard present.allSatisfy(own.contains) else { throw results.failure(.bridgeInUse(name)) }

    let ports = OVSDBOperation.Column("ports", .set(present.map { .uuid($0) }))
    var transaction = Transaction("del-br \(name)")
    // Somebody may have added a port since.
    transaction.require(
      ports, .bridge, where: [.init("_uuid", .equal, .uuid(bridge.uuid))], else: .bridgeInUse(name))
    transaction.add(.mutate(.openVSwitch, where: [], [.init("bridges", .delete, .uuid(bridge.uuid))]))
    transaction.count()
    return try commit(transaction, for: "the removal of bridge \(name.quoted)", until: deadline)
  }
}
