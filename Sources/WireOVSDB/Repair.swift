internal import WireCore
package import WireLinux

extension OpenVSwitch {
  /// Makes a port of ours that is there what it should be: VLANs, protection, marks; and of its interface options, MTU and
  /// policing. As `ovs-vsctl set port` and `set interface`.
  package func repairPort(
    _ port: PortRow, as wanted: PortSpec, until deadline: Deadline
  ) throws(OVSDBError) -> Configuration {
    var transaction = Transaction("set port \(port.name)")
    let row = [OVSDBOperation.Condition("_uuid", .equal, .uuid(port.uuid))]
    transaction.require(true, .port, where: row, else: .portMissing(port.name))
    transaction.add(
      .update(.port, where: row, row: wanted.vlanColumns + [.init("protected", .bool(wanted.isProtected))]))
    transaction.add(.mutate(.port, where: row, wanted.externalIDs.mutations(of: "external_ids")))
    for interface in port.interfaces {
      let row = [OVSDBOperation.Condition("_uuid", .equal, .uuid(interface))]
      transaction.add(.update(.interface, where: row, row: wanted.interfaceColumns))
      transaction.add(.mutate(.interface, where: row, wanted.interfaceExternalIDs.mutations(of: "external_ids")))
    }
    transaction.count()
    return try commit(transaction, for: "the repair of port \(port.name.quoted)", until: deadline)
  }
}

extension PortSpec {
  fileprivate var interfaceColumns: [OVSDBOperation.Column] {
    [
      .init("options", .map(options)), .init("mtu_request", mtuRequest.map { .integer(Int64($0)) } ?? .set([])),
      .init("ingress_policing_rate", .integer(Int64(policing?.rate ?? 0))),
      .init("ingress_policing_burst", .integer(Int64(policing?.burst ?? 0))),
    ]
  }
}

extension StringMap {
  /// Sets these keys and leaves all others: an insert alone does not replace a value (RFC 7047, section 5.1, `<mutation>`).
  fileprivate func mutations(of column: String) -> [OVSDBOperation.Mutation] {
    [
      .init(column, .delete, .set(pairs.map { .string($0.key) })), .init(column, .insert, .map(self)),
    ]
  }
}
