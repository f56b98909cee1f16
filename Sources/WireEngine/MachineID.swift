import WireLinux

/// What makes names and ranges this host's own, and the same after a reboot (machine-id(5)).
enum MachineID {
  /// The machine's id; on a host without one that of this boot, or nothing.
  static func read() -> String {
    for path in ["/etc/machine-id", "/var/lib/dbus/machine-id", "/proc/sys/kernel/random/boot_id"] {
      do throws(SystemError) {
        let text = String(decoding: try Files.read(path, limit: 4096), as: UTF8.self)
        if let line = text.split(separator: "\n").first, !line.isEmpty { return String(line) }
      } catch { continue }
    }
    return ""
  }
}
