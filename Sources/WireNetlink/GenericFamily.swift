internal import CMnl
internal import Glibc
package import WireLinux

extension NetlinkSocket {
  /// Whether the kernel has a generic netlink family. It loads the module that has it, if it can. Wants a socket of the bus
  /// `generic`. As `genl ctrl get name NAME`.
  package func hasFamily(_ name: String, until deadline: Deadline) throws(NetlinkError) -> Bool {
    try family(name, until: deadline) != nil
  }

  /// The message type of a generic netlink family; nil where the kernel has no such family.
  func family(_ name: String, until deadline: Deadline) throws(NetlinkError) -> Int? {
    var batch = Batch(title: "CTRL_CMD_GETFAMILY \(name)")
    batch.append(Int(GENL_ID_CTRL), genlmsghdr(cmd: UInt8(CTRL_CMD_GETFAMILY), version: 1, reserved: 0)) {
      $0.put(CTRL_ATTR_FAMILY_NAME, name)
    }
    let number = try ask(batch, absent: [ENOENT], until: deadline) { (message) throws(NetlinkError) in
      var number: UInt16?
      try forEachAttribute(in: message, from: MemoryLayout<genlmsghdr>.size) { (type, value) throws(NetlinkError) in
        if type == CTRL_ATTR_FAMILY_ID { number = try value.value(as: UInt16.self) }
      }
      return number
    }
    return (number ?? nil).map { Int($0) }
  }
}
