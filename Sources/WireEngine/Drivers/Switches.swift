import WireCore
import WireLinux
import WireOVSDB

/// The Open vSwitch databases that this run talks to: each is connected once, when it is first needed.
final class Switches {
  private var connected: [DatabaseAddress: OpenVSwitch] = [:]
  private var listed: [DatabaseAddress: [AttachedPort]] = [:]
  /// By the management socket of the bridge.
  private var flows: [DatabaseAddress: [Flow]] = [:]
  /// Who did not list ports or flows: nobody waits for one a second time.
  private var silent: [DatabaseAddress: OVSDBError] = [:]

  func at(_ address: DatabaseAddress, until deadline: Deadline) throws(OVSDBError) -> OpenVSwitch {
    if let found = connected[address] { return found }
    let new = try OpenVSwitch(address, until: deadline)
    connected[address] = new
    return new
  }

  /// Every port, as it was when this was asked first: `check` looks at one after the other.
  func ports(_ address: DatabaseAddress, until deadline: Deadline) throws(OVSDBError) -> [AttachedPort] {
    if let found = listed[address] { return found }
    if let failure = silent[address] { throw failure }
    do throws(OVSDBError) {
      let ports = try at(address, until: deadline).ports(until: deadline)
      listed[address] = ports
      return ports
    } catch {
      silent[address] = error
      throw error
    }
  }

  /// After a change.
  func forgetPorts() {
    listed = [:]
    flows = [:]
  }

  /// The flows of ours on a bridge, as they were when this was asked first.
  func flows(
    _ database: DatabaseAddress, _ bridge: InterfaceName, until deadline: Deadline
  ) throws(OVSDBError) -> [Flow] {
    let socket = try SwitchSenders.managementSocket(database, bridge)
    if let found = flows[socket] { return found }
    if let failure = silent[socket] { throw failure }
    do throws(OVSDBError) {
      let found = try FlowTable(socket, until: deadline).flows(.ours, until: deadline)
      flows[socket] = found
      return found
    } catch {
      silent[socket] = error
      throw error
    }
  }
}

extension Deadline {
  /// A quarter of what is left is kept for taking back what did not work.
  var leavingTimeToUndo: Deadline {
    self == .never ? self : .after(milliseconds: Int(remaining) * 3 / 4)
  }
}
