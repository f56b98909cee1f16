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
    var orphans: [String] = []
    for (index, name) in names.enumerated() {
      let found = try results.rows(2 * index).map(PortRow.init)
      ports += found
      if found.isEmpty, try !results.rows(2 * index + 1).isEmpty { orphans.append(name) }
    }
    return try remove(ports, orphans: orphans, until: deadline)
  }

  /// `orphans`: ports that somebody else has removed, of which queues of ours are left.
  private func remove(
    _ ports: [PortRow], orphans: [String], until deadline: Deadline
  ) throws(OVSDBError) -> Configuration? {
    let names = ports.map(\.name) + orphans
    guard !names.isEmpty else { return nil }
    var transaction = Transaction("del-port \(names.joined(separator: " "))")
    transaction.remove(ports.map(\.uuid), named: names)
    transaction.count()
    return try commit(
      transaction, for: "the removal of port \(names.joined(separator: " ").quoted)", until: deadline)
  }
}

extension Transaction {
  /// Takes ports off all bridges; their rows and those of their interfaces go by themselves. QoS and Queue are root tables, so
  /// theirs do not, and the server lets none go that a port still has, though that port goes in the same transaction.
  mutating func remove(_ ports: [OVSUUID], named names: [String]) {
    add(.mutate(.bridge, where: [], [.init("ports", .delete, .set(ports.map { .uuid($0) }))]))
    for port in ports {
      add(.update(.port, where: [.init("_uuid", .equal, .uuid(port))], row: [.init("qos", .set([]))]))
    }
    for name in names {
      add(.delete(.qos, where: [.marked(.port, name)]))
      add(.delete(.queue, where: [.marked(.port, name)]))
    }
  }
}
