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
    let others = replaced.map { OVSDBOperation.Condition("_uuid", .unequal, .uuid($0.uuid)) }
    for port in ports {
      let name = port.name.description
      transaction.require(false, .port, where: [.named(name)] + others, else: .portExists(name))
    }
    if !replaced.isEmpty { transaction.remove(replaced.map(\.uuid), named: replaced.map(\.name)) }
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

  /// Removes ports that were read before, as `ovs-vsctl del-port`, with their interfaces and queues. Whoever is gone already
  /// does not matter, and a new port of the same name is another one.
  package func removePorts(_ ports: [PortRow], until deadline: Deadline) throws(OVSDBError) -> Configuration? {
    guard !ports.isEmpty else { return nil }
    let names = ports.map(\.name)
    var transaction = Transaction("del-port \(names.joined(separator: " "))")
    transaction.remove(ports.map(\.uuid), named: names)
    transaction.count()
    return try commit(
      transaction, for: "the removal of port \(names.joined(separator: " ").quoted)", until: deadline)
  }

  /// Removes the ports of these names that carry the mark, and no others; nil: nothing was there.
  package func removePorts(
    named names: [String], _ mark: Mark, _ value: String, until deadline: Deadline
  ) throws(OVSDBError) -> Configuration? {
    let questions = names.map {
      OVSDBOperation.select(.port, where: [.named($0), .marked(mark, value)], columns: PortRow.columns)
    }
    guard !questions.isEmpty else { return nil }
    let results = try ask(
      questions, for: "a question about port \(names.joined(separator: " ").quoted)", until: deadline)
    var ports: [PortRow] = []
    for index in questions.indices { ports += try results.rows(index).map(PortRow.init) }
    return try removePorts(ports, until: deadline)
  }
}

extension Transaction {
  /// Takes ports off all bridges; their rows and those of their interfaces go by themselves. QoS and Queue are root tables, so
  /// theirs do not.
  mutating func remove(_ ports: [OVSUUID], named names: [String]) {
    add(.mutate(.bridge, where: [], [.init("ports", .delete, .set(ports.map { .uuid($0) }))]))
    for name in names {
      add(.delete(.qos, where: [.marked(.port, name)]))
      add(.delete(.queue, where: [.marked(.port, name)]))
    }
  }
}
