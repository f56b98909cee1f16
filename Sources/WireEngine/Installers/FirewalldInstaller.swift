internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WirePlan

extension Installer {
  /// Binds our bridges to a zone of their own. firewalld's daemon is not asked: it reads the files when it is reloaded.
  func firewalld(removing: Bool) throws(WireError) -> Installation {
    var result = Installation()
    let zone = root + FirewalldZone.path
    let policy = root + FirewalldZone.policyPath
    if removing {
      result.changes = [try write(nil, to: policy), try write(nil, to: zone)]
    } else {
      guard Files.exists(root + "/etc/firewalld") else {
        throw WireError(
          "installing into firewalld", "there is no \(root)/etc/firewalld", hint: "install firewalld first")
      }
      guard Files.exists(root + "/usr/lib/firewalld/policies") || Files.exists(root + "/etc/firewalld/policies") else {
        throw WireError(
          "installing into firewalld", "it knows no policies", hint: "firewalld 0.9 or newer is needed")
      }
      let before = try read(zone).map { String(decoding: $0, as: UTF8.self) }
      let bridges = try unusualBridges(besides: zone, &result)
      let after = try FirewalldZone.installed(in: before, bridges: bridges, file: zone)
      result.changes.append(try write(Array(after.utf8), to: zone))
      // An administrator may have changed it: to be there is enough.
      if try read(policy) == nil { result.changes.append(try write(Array(FirewalldZone.policy.utf8), to: policy)) }
      if try FirewalldSettings.read(root: root).isStrict { result.notes.append(FirewalldSettings.strictness) }
    }
    // Another host's files are no running daemon's.
    guard root.isEmpty else { return result }
    result.reload =
      RunningDaemon.find("firewalld").isEmpty ? .atStart("firewalld") : .commands([["firewall-cmd", "--reload"]])
    return result
  }

  /// Bridges of configured networks that the wildcard does not cover, and that nobody has put into another zone.
  private func unusualBridges(besides own: String, _ result: inout Installation) throws(WireError) -> [String] {
    let standard = root + MainConfig.standardPath
    let named = configuration ?? (root.isEmpty ? getenv("WIREHOOK_CONFIG").map { String(cString: $0) } : nil)
    let configuration = try Configuration.load(
      option: named ?? (Files.exists(standard) ? standard : nil), environment: nil)
    var bridges: [String] = []
    for name in try configuration.networkNames() {
      guard let network = try configuration.network(named: name), network.managed else { continue }
      let bridge = network.link.description
      guard !bridge.hasPrefix("wh"), !FirewalldZone.usual.contains(bridge), !bridges.contains(bridge) else { continue }
      if let other = try zone(of: bridge, besides: own) {
        result.notes.append("bridge \(bridge) is bound by \(other) already, and stays there")
      } else {
        bridges.append(bridge)
      }
    }
    return bridges
  }

  private func zone(of bridge: String, besides own: String) throws(WireError) -> String? {
    let folder = root + "/etc/firewalld/zones"
    guard let names = try? Files.list(folder) else { return nil }
    for name in names where name.hasSuffix(".xml") && "\(folder)/\(name)" != own {
      guard let bytes = try read("\(folder)/\(name)") else { continue }
      if FirewalldZone.names(bridge, in: String(decoding: bytes, as: UTF8.self)) { return "\(folder)/\(name)" }
    }
    return nil
  }
}
