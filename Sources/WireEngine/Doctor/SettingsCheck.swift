import WireConfig
import WireCore
import WireLinux
import WirePlan

/// Forwarding, and what br_netfilter does to bridges.
enum SettingsCheck {
  static func findings(_ setups: [NetworkSetup]) -> [Doctor.Finding] {
    forwarding(setups) + bridgeFilter(setups)
  }

  private static func forwarding(_ setups: [NetworkSetup]) -> [Doctor.Finding] {
    let settings: [(Family, String, Sysctl)] = [
      (.ipv4, "net.ipv4.ip_forward", Sysctl("net", "ipv4", "ip_forward")),
      (.ipv6, "net.ipv6.conf.all.forwarding", Sysctl("net", "ipv6", "conf", "all", "forwarding")),
    ]
    return settings.compactMap { family, key, setting in
      guard let value = try? setting.read() else { return nil }
      guard value == "0" else { return Doctor.Finding(.ok, key, "packets are forwarded") }
      // A network that is set up switches it on; one that stands had it on.
      guard setups.contains(where: { $0.managed && $0.families.contains(family) && stands($0) }) else {
        return Doctor.Finding(.ok, key, "is off until the first network is set up")
      }
      return Doctor.Finding(
        .error, key, "somebody switched it off: no published port answers and nothing leaves the host",
        "sysctl -w \(key)=1")
    }
  }

  private static func stands(_ setup: NetworkSetup) -> Bool { Files.exists("/proc/sys/net/ipv4/conf/\(setup.link)") }

  private static func bridgeFilter(_ setups: [NetworkSetup]) -> [Doctor.Finding] {
    let (key4, key6) = ("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables")
    guard Files.exists("/proc/sys/net/bridge/bridge-nf-call-iptables") else {
      return [Doctor.Finding(.ok, "br_netfilter", "not loaded: firewalls see no frames that stay on a bridge")]
    }
    let (is4, is6) = (
      NetworkChoice.isOn("net", "bridge", "bridge-nf-call-iptables"),
      NetworkChoice.isOn("net", "bridge", "bridge-nf-call-ip6tables")
    )
    var findings: [Doctor.Finding] = []
    if is6, setups.contains(where: { $0.families.contains(.ipv6) }) {
      findings.append(
        Doctor.Finding(
          .warning, key6,
          "is 1: published ports do not answer on [::1], though on every other address. Some programs need it "
            + "(Kubernetes, Docker with --icc=false); if none here does", "sysctl -w \(key6)=0"))
    }
    if setups.contains(where: { $0.isolate == .containers }), is4 != is6 {
      findings.append(
        Doctor.Finding(
          .warning, "br_netfilter",
          "\(is4 ? key6 : key4) is 0: isolation of containers is by ports of the bridge alone",
          "sysctl -w \(is4 ? key6 : key4)=1 && wirehook repair"))
    }
    guard findings.isEmpty else { return findings }
    return [Doctor.Finding(.ok, "br_netfilter", is4 || is6 ? "on: ports of containers get hairpin mode" : "off")]
  }
}
