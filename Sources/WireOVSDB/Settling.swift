package import WireCore
package import WireLinux

extension OpenVSwitch {
  /// The wait for ovs-vswitchd that was sent.
  package struct Settling: Sendable {
    let configuration: Configuration
    let request: OVSDBConnection.Request
    let names: [InterfaceName]
  }

  /// How long one wait lasts, in milliseconds, before ovs-vswitchd is given a new number to count up to. It commits cur_cfg
  /// once and does not look whether that went well: a number that was lost would be waited for in vain.
  private static let patience: Int32 = 1000

  /// Asks the server to answer when ovs-vswitchd has carried out the configuration, as `ovs-vsctl` does without `--no-wait`. The
  /// server itself waits: there is nothing to poll.
  package func beginSettling(
    _ configuration: Configuration, _ names: [InterfaceName], until deadline: Deadline
  ) throws(OVSDBError) -> Settling {
    // The server gives up a little earlier than we do, so that its word tells which of the two programs is stuck.
    let left = min(deadline.remaining, Self.patience)
    let wait = OVSDBOperation.wait(
      .openVSwitch, where: [.init("cur_cfg", .atLeast, .integer(configuration.number))], columns: ["cur_cfg"],
      until: .unequal, rows: [], milliseconds: Int(left - min(100, left / 4)))
    let questions = names.map {
      OVSDBOperation.select(.interface, where: [.named($0.description)], columns: InterfaceRow.columns)
    }
    let request = try connection.send(
      [wait] + questions, for: "the wait for ovs-vswitchd", until: deadline)
    return Settling(configuration: configuration, request: request, names: names)
  }

  /// Waits for that answer. An interface that ovs-vswitchd could not set up is an error in its own words: the database takes
  /// any name, also of a link that is not there.
  package func finish(_ settling: Settling, until deadline: Deadline) throws(OVSDBError) -> [InterfaceRow] {
    guard let results = try answer(to: settling, until: deadline) else {
      try nudge(until: deadline)
      return try settle(settling.configuration, settling.names, until: deadline)
    }
    var interfaces: [InterfaceRow] = []
    for (index, name) in settling.names.enumerated() {
      let text = name.description
      guard let row = try results.rows(index + 1).first else {
        throw results.failure(.interface(name: text, error: "somebody has removed it meanwhile"))
      }
      let interface = try InterfaceRow(row)
      if let error = interface.error { throw results.failure(.interface(name: text, error: error)) }
      guard let ofport = interface.ofport, ofport >= 0 else {
        throw results.failure(.interface(name: text, error: "ovs-vswitchd gave it no port number; its log says why"))
      }
      interfaces.append(interface)
    }
    return interfaces
  }

  /// nil: the patience is over, but not the time.
  private func answer(to settling: Settling, until deadline: Deadline) throws(OVSDBError) -> OVSDBResults? {
    do throws(OVSDBError) {
      return try connection.results(of: settling.request, until: deadline)
    } catch {
      guard case .operation(index: 0, error: "timed out", _) = error.kind else { throw error }
      guard deadline.remaining > Self.patience / 4 else { throw OVSDBError(error.address, error.step, .switchSilent) }
      return nil
    }
  }

  /// Makes ovs-vswitchd look at its configuration once more.
  private func nudge(until deadline: Deadline) throws(OVSDBError) {
    var transaction = Transaction("reconfigure")
    transaction.count()
    _ = try commit(transaction, for: "the number of a new configuration", until: deadline)
  }

  package func settle(
    _ configuration: Configuration, _ names: [InterfaceName], until deadline: Deadline
  ) throws(OVSDBError) -> [InterfaceRow] {
    try finish(beginSettling(configuration, names, until: deadline), until: deadline)
  }
}
