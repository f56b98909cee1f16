import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WireOVSDB

/// Open vSwitch, where a network wants it: does its database answer, does ovs-vswitchd follow, by which datapath.
enum OpenVSwitchCheck {
  static func findings(_ configuration: Configuration, _ networks: [Network]) -> [Doctor.Finding] {
    var databases: [DatabaseAddress] = []
    var findings: [Doctor.Finding] = []
    for network in networks where network.driver == .ovs {
      let database = network.ovs.database ?? configuration.main.ovsDatabase
      guard !databases.contains(database) else { continue }
      databases.append(database)
      findings.append(look(at: database, network.bridge))
    }
    return findings
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
