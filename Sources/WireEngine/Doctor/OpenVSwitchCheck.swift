import WireConfig
import WireCore
import WireLinux

/// Open vSwitch, where a network wants it.
enum OpenVSwitchCheck {
  /// Where ovsdb-server listens by default.
  static let socket = "/var/run/openvswitch/db.sock"

  static func findings(_ networks: [Network]) -> [Doctor.Finding] {
    guard networks.contains(where: { $0.driver == .ovs || $0.driver == .ovn }) else { return [] }
    guard Files.exists(socket) else {
      return [
        Doctor.Finding(
          .error, "Open vSwitch", "its database does not listen at \(socket)", "systemctl start openvswitch-switch")
      ]
    }
    return [Doctor.Finding(.ok, "Open vSwitch", "its database listens at \(socket)")]
  }
}
