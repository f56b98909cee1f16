package import WireCore
package import WireLinux

extension OpenVSwitch {
  /// The wait for ovs-vswitchd that was sent.
  package struct Settling: Sendable {
    let request: OVSDBConnection.Request
    let names: [InterfaceName]
  }

  /// Asks the server to answer when ovs-vswitchd has carried out the configuration, as `ovs-vsctl` does without `--no-wait`. The
  /// server itself waits: there is nothing to poll.
  package func beginSettling(
    _ configuration: Configuration, _ names: [InterfaceName], until deadline: Deadline
  ) throws(OVSDBError) -> Settling {
    // The server gives up a little earlier than we do, so that its word tells which of the two programs is stuck.
    let left = deadline.remaining
    let wait = OVSDBOperation.wait(
      .openVSwitch, where: [.init("cur_cfg", .atLeast, .integer(configuration.number))], columns: ["cur_cfg"],
      until: .unequal, rows: [], milliseconds: Int(left - min(100, left / 4)))
    let questions = names.map {
      OVSDBOperation.select(.interface, where: [.named($0.description)], columns: InterfaceRow.columns)
    }
    let request = try connection.send(
      [wait] + questions, for: "the wait for ovs-vswitchd", until: deadline)
    return Settling(request: request, names: names)
  }

  /// Waits for that answer. An interface that ovs-vswitchd could not set up is an error in its own words: the database takes
  /// any name, also of a link that is not there.
  package func finish(_ settling: Settling, until deadline: Deadline) throws(OVSDBError) -> [InterfaceRow] {
    let results: OVSDBResults
    do throws(OVSDBError) {
      results = try connection.results(of: settling.request, until: deadline)
    } catch {
      guard case .operation(index: 0, error: "timed out", _) = error.kind else { throw error }
      throw OVSDBError(error.address, error.step, .switchSilent)
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

  package func settle(
    _ configuration: Configuration, _ names: [InterfaceName], until deadline: Deadline
  ) throws(OVSDBError) -> [InterfaceRow] {
    try finish(beginSettling(configuration, names, until: deadline), until: deadline)
  }
}
