internal import WireCore
package import WireLinux

extension OpenVSwitch {
  /// Sends the transaction that adds ports to a bridge, as `ovs-vsctl add-port`, and removes `replaced` ones, whichever bridge
  /// they are on. `finish` fails with `bridgeMissing` or `portExists`, where somebody else was first.
  package func beginAdding(
    _ ports: [PortSpec], to bridge: String, replacing replaced: [PortRow] = [], until deadline: Deadline
  ) throws(OVSDBError) -> Change {
    let names = ports.map(\.name.description).joined(separator: " ")
    var transaction = Transaction("add-port \(bridge) \(names)")
    transaction.require(true, .bridge, where: [.named(bridge)], else: .bridgeMissing(bridge))
    for port in ports { transaction.requireFree(port.name.description, except: replaced) }
    if !replaced.isEmpty { transaction.remove(replaced) }
    for (index, port) in ports.enumerated() {
      for insert in port.inserts(index) { transaction.add(insert) }
    }
    let added = OVSDBValue.set(ports.indices.map { .named("port\($0)") })
    transaction.add(.mutate(.bridge, where: [.named(bridge)], [.init("ports", .insert, added)]))
    transaction.count()
    return try begin(transaction, for: "the addition of port \(names.quoted)", until: deadline)
  }

  /// Adds ports and waits for the database alone; see `settle`.
  package func addPorts(
    _ ports: [PortSpec], to bridge: String, replacing replaced: [PortRow] = [], until deadline: Deadline
  ) throws(OVSDBError) -> Configuration {
    try finish(beginAdding(ports, to: bridge, replacing: replaced, until: deadline), until: deadline)
  }

  /// Removes ports that were read before, as `ovs-vsctl del-port`, with their interfaces and limits. Whoever is gone already
  /// does not matter, and a new port of the same name is another one.
  package func removePorts(_ ports: [PortRow], until deadline: Deadline) throws(OVSDBError) -> Configuration? {
    try remove(ports, orphans: [], until: deadline)
  }

  /// Removes the ports of these names that carry the mark, and no others; nil: nothing was there. What is left of such ports
  /// when somebody else has removed them goes too.
  package func removePorts(
    named names: [String], _ mark: Mark, _ value: String, until deadline: Deadline
  ) throws(OVSDBError) -> Configuration? {
    guard !names.isEmpty else { return nil }
    var questions: [OVSDBOperation] = []
    for name in names {
      questions.append(.select(.port, where: [.named(name), .marked(mark, value)], columns: PortRow.columns))
      questions.append(.select(.qos, where: [.marked(.port, name), .marked(mark, value)], columns: ["_uuid"]))
    }
    let results = try ask(
      questions, for: "a question about port \(names.joined(separator: " ").quoted)", until: deadline)
    var ports: [PortRow] = []
    var orphans: [Limit] = []
    for (index, name) in names.enumerated() {
      let found = try results.rows(2 * index).map(PortRow.init)
      ports += found
      guard found.isEmpty else { continue }
      for row in try results.rows(2 * index + 1) { orphans.append(Limit(uuid: try row.uuid(), port: name)) }
    }
    return try remove(ports, orphans: orphans, until: deadline)
  }

  /// `orphans`: what is left of ports that somebody else has removed.
  private func remove(
    _ ports: [PortRow], orphans: [Limit], until deadline: Deadline
  ) throws(OVSDBError) -> Configuration? {
    let names = (ports.map(\.name) + orphans.map(\.port)).joined(separator: " ")
    guard !names.isEmpty else { return nil }
    var transaction = Transaction("del-port \(names)")
    transaction.remove(ports)
    for orphan in orphans { transaction.remove(orphan) }
    transaction.count()
    return try commit(transaction, for: "the removal of port \(names.quoted)", until: deadline)
  }
}

/// A row of QoS that we made for a port.
private struct Limit {
  let uuid: OVSUUID
  let port: String
}

extension Transaction {
  /// Takes ports off all bridges; their rows and those of their interfaces go by themselves. QoS is a root table, so its
  /// rows do not, and the server lets none go that a port still has, though that port goes in the same transaction.
  fileprivate mutating func remove(_ ports: [PortRow]) {
    add(.mutate(.bridge, where: [], [.init("ports", .delete, .set(ports.map { .uuid($0.uuid) }))]))
    for port in ports {
      guard let qos = port.qos else { continue }
      add(.update(.port, where: [.init("_uuid", .equal, .uuid(port.uuid))], row: [.init("qos", .set([]))]))
      remove(Limit(uuid: qos, port: port.name))
    }
  }

  /// By its mark too: a port may have been given a row of somebody else's.
  fileprivate mutating func remove(_ limit: Limit) {
    add(.delete(.qos, where: [.init("_uuid", .equal, .uuid(limit.uuid)), .marked(.port, limit.port)]))
  }
}
