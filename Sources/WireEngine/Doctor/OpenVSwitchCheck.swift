import WireConfig
import WireCore
import WireLinux

/// Open vSwitch, where a network wants it.
enum OpenVSwitchCheck {
  static func findings(_ configuration: Configuration, _ networks: [Network]) -> [Doctor.Finding] {
    var databases: [DatabaseAddress] = []
    for network in networks where network.driver == .ovs {
      let database = network.ovs.database ?? configuration.main.ovsDatabase
      if !databases.contains(database) { databases.append(database) }
    }
    return databases.compactMap { database in
      guard case .unix(let path) = database else { return nil }
      guard Files.exists(path) else {
        return Doctor.Finding(
          .error, "Open vSwitch", "its database does not listen at \(path)", "systemctl start openvswitch-switch")
      }
      return Doctor.Finding(.ok, "Open vSwitch", "its database listens at \(path)")
    }
  }
}
