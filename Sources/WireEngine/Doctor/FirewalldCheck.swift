import WireCore
import WireLinux
import WirePlan

/// firewalld, where it is at work: the zone of our bridges, and what it is set to forbid.
enum FirewalldCheck {
  static func findings() throws(WireError) -> [Doctor.Finding] {
    guard try FirewalldSettings.isAtWork(until: .after(milliseconds: 2000)) else { return [] }
    if try FirewalldSettings.read().isStrict {
      return [
        Doctor.Finding(
          .error, "firewalld", FirewalldSettings.strictness,
          "set StrictForwardPorts=no there, then firewall-cmd --reload")
      ]
    }
    // Somebody may have chosen another zone. Whether packets pass is seen in the rules.
    guard Files.exists(FirewalldZone.path) else { return [] }
    return [Doctor.Finding(.ok, "firewalld", "bridges stand in zone wirehook")]
  }
}
