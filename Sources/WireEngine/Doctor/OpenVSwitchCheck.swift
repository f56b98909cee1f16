import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WireOVSDB

/// Open vSwitch, where a network wants it: does its database answer, does ovs-vswitchd follow, by which datapath; can it be told
/// who may send.
enum OpenVSwitchCheck {
  static func findings(_ configuration: Configuration, _ networks: [Network]) -> [Doctor.Finding] {
    var databases: [DatabaseAddress] = []
    var findings: [Doctor.Finding] = []
    for network in networks where network.driver == .ovs {
      let database = network.ovs.database ?? configuration.main.ovsDatabase
      if network.antispoof { findings += senders(of: network, at: database) }
      guard !databases.contains(database) else { continue }
      databases.append(database)
      findings.append(look(at: database, network.bridge))
    }
    return findings
  }

  /// Nothing where all is well, or where the bridge is still to be made.
  private static func senders(of network: Network, at database: DatabaseAddress) -> [Doctor.Finding] {
    let what = "antispoof of network \(network.name)"
    guard let socket = database.managementSocket(of: network.bridge) else {
      return [
        Doctor.Finding(
          .warning, what, "Open vSwitch at \(database) has no socket on this host to set flows by",
          "name the database by unix:PATH, or set \"antispoof\": false")
      ]
    }
    let deadline = Deadline.after(milliseconds: 2000)
    do throws(OVSDBError) {
      let look = try OpenVSwitch(database, until: deadline).look(
        at: network.bridge.description, container: nil, until: deadline)
      guard look.bridge != nil else { return [] }
    } catch {
      // That is said of the database.
      return []
    }
    do throws(OVSDBError) {
      _ = try FlowTable(socket, until: deadline).flows(.ours, until: deadline)
      return []
    } catch {
      return [Doctor.Finding(.error, what, error.description, SwitchSenders.hint(error, network.bridge))]
    }
  }

  private static func look(at database: DatabaseAddress, _ bridge: InterfaceName) -> Doctor.Finding {
    let what = "Open vSwitch at \(database)"
    let row: SwitchRow
    do throws(OVSDBError) {
      let deadline = Deadline.after(milliseconds: 2000)
      row = try OpenVSwitch(database, until: deadline).look(at: bridge.description, container: nil, until: deadline)
        .switch
    } catch {
      return Doctor.Finding(.error, what, "\(error.step): \(error.kind)", Hints.hint(error))
    }
    guard row.currentConfiguration >= row.nextConfiguration, !row.datapathTypes.isEmpty else {
      let state = "configuration \(row.currentConfiguration) of \(row.nextConfiguration)"
      return Doctor.Finding(
        .error, what, "ovs-vswitchd does not follow its database (\(state))", "systemctl restart openvswitch-switch")
    }
    guard hasKernelDatapath else {
      return Doctor.Finding(
        .warning, what, "answers, but the kernel's datapath is not loaded: new bridges are in userspace, and slower",
        "modprobe openvswitch")
    }
    return Doctor.Finding(.ok, what, "answers, with the kernel's datapath")
  }

  /// ovs-vswitchd lists it among its types whether or not the module is there.
  private static var hasKernelDatapath: Bool {
    (try? NetlinkSocket(.generic).hasFamily("ovs_datapath", until: .after(milliseconds: 1000))) ?? false
  }
}
