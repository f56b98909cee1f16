import WireCore
import WireLinux

/// Units that put back what a restart of a firewall or of Open vSwitch takes away, and take back what a crash left.
///
/// They are pulled in by drop-ins of the targets instead of by `systemctl enable`, so that installing and removing them is
/// installing and removing files.
struct SystemdUnits {
  /// The absolute path of `wirehook`.
  let program: String
  /// The main file, where it is not the standard one.
  let configuration: String?

  static let folder = "/etc/systemd/system"
  /// Services whose start takes our rules or ports away. Where one reloads within its own process, as nftables.service
  /// does by running nft(8), that is a reason too.
  static let restarted = [
    "nftables.service", "firewalld.service", "netfilter-persistent.service", "iptables.service", "ip6tables.service",
    "ufw.service", "openvswitch-switch.service", "openvswitch.service", "ovs-vswitchd.service",
  ]
  private static let reloaded = [
    "nftables.service", "netfilter-persistent.service", "iptables.service", "ip6tables.service",
  ]

  /// Docker, started later than a container was wired, drops what it does not know until it is told.
  private static let laterFirewalls = ["docker.service"]

  /// The services that get a drop-in.
  static var watched: [String] { restarted + laterFirewalls }

  /// The units themselves, by the names of their files.
  var units: [(name: String, text: String)] {
    let options = configuration.map { " --config \($0)" } ?? ""
    return [
      (
        "wirehook-repair.service",
        """
        [Unit]
        Description=Put back the network of wirehook's containers
        Documentation=man:wirehook(1)
        After=network-pre.target \(Self.restarted.joined(separator: " "))
        Before=docker.service containerd.service crio.service

        [Service]
        Type=oneshot
        TimeoutStartSec=2min
        ExecStart=-\(program) gc\(options)
        ExecStart=\(program) repair\(options)

        """
      ),
      (
        "wirehook-repair.timer",
        """
        [Unit]
        Description=Look after the network of wirehook's containers
        Documentation=man:wirehook(1)

        [Timer]
        OnBootSec=2min
        OnUnitInactiveSec=10min

        """
      ),
      (
        "multi-user.target.d/wirehook.conf",
        """
        # At boot, before the engines start their containers again.
        [Unit]
        Wants=wirehook-repair.service

        """
      ),
      (
        "timers.target.d/wirehook.conf",
        """
        [Unit]
        Wants=wirehook-repair.timer

        """
      ),
    ]
  }

  /// The drop-in of a service that is restarted: a job of its own, so that the service waits for nothing of ours.
  static func dropIn(of service: String) -> (name: String, text: String) {
    let job = "=-systemctl --no-block start wirehook-repair.service"
    let reload = reloaded.contains(service) ? "ExecReload\(job)\n" : ""
    return (
      "\(service).d/wirehook.conf",
      "# What it flushes or forgets of wirehook's is put back.\n[Service]\nExecStartPost\(job)\n\(reload)"
    )
  }
}

extension Installer {
  func systemd(removing: Bool) throws(WireError) -> Installation {
    let folder = root + SystemdUnits.folder
    guard removing || Files.exists(folder) else {
      throw WireError("installing into systemd", "there is no \(folder)", hint: "run wirehook repair by other means")
    }
    var result = Installation()
    let units = SystemdUnits(program: hook.replacingLastPart(with: "wirehook"), configuration: configuration)
    for (name, text) in units.units {
      result.changes.append(try write(removing ? nil : Array(text.utf8), to: "\(folder)/\(name)"))
    }
    for service in SystemdUnits.watched where removing || isKnown(service) {
      let (name, text) = SystemdUnits.dropIn(of: service)
      result.changes.append(try write(removing ? nil : Array(text.utf8), to: "\(folder)/\(name)"))
    }
    guard root.isEmpty, EngineReload.hasSystemd else { return result }
    let timer = "wirehook-repair.timer"
    result.reload = .commands(
      removing
        ? [["systemctl", "stop", timer], ["systemctl", "daemon-reload"]]
        : [["systemctl", "daemon-reload"], ["systemctl", "start", timer]])
    return result
  }

  private func isKnown(_ service: String) -> Bool {
    ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"].contains {
      Files.exists("\(root)\($0)/\(service)")
    }
  }
}

extension String {
  /// The path of a file's neighbour.
  fileprivate func replacingLastPart(with name: String) -> String {
    guard let slash = lastIndex(of: "/") else { return name }
    return self[...slash] + name
  }
}
