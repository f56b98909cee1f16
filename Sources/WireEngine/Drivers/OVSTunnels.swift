import WireConfig
import WireCore
import WireLinux
import WireOVSDB
import WirePlan
import WireState

/// VXLAN tunnels of an Open vSwitch bridge: one port for each other host, shared by all networks on the bridge.
enum OVSTunnels {
  /// A tunnel, by what makes it another one.
  struct Tunnel: Hashable {
    var key: String
    var remote: IPAddress
    var local: IPAddress?
    var port: UInt16

    /// As ovs-vswitchd.conf.db(5) names them.
    var options: StringMap {
      var options: StringMap = ["key": key, "remote_ip": "\(remote)"]
      if let local { options["local_ip"] = "\(local)" }
      if port != VXLAN.standardPort { options["dst_port"] = "\(port)" }
      return options
    }

    init(_ vxlan: VXLAN, to remote: IPAddress) {
      key = vxlan.identifier.description
      self.remote = remote
      local = vxlan.local
      port = vxlan.port
    }

    /// That of a port; nil for other ports.
    init?(_ attached: AttachedPort) {
      guard let row = attached.interfaces.first, row.type == PortSpec.Kind.vxlan.rawValue,
        let remote = row.options["remote_ip"].flatMap({ IPAddress($0) })
      else { return nil }
      key = row.options["key"] ?? "0"
      self.remote = remote
      local = row.options["local_ip"].flatMap { IPAddress($0) }
      port = row.options["dst_port"].flatMap { UInt16($0) } ?? VXLAN.standardPort
    }
  }

  /// Makes the bridge's tunnels of ours those of the networks that stand on it, this one included. A tunnel that somebody
  /// else made to the same place serves as well, and stays whatever the networks say.
  static func install(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) {
    let wanted = try tunnels(setup, on: host)
    let deadline = host.deadline.leavingTimeToUndo
    do throws(OVSDBError) {
      let ovs = try host.switches.at(setup.databaseAddress(on: host), until: deadline)
      let present = try ovs.ports(until: deadline).filter { $0.bridge == setup.bridge.description }
      let stale = present.filter { port in
        port.port.externalIDs[.tunnel] != nil
          && Tunnel(port).map { !wanted.contains($0) || port.error != nil } ?? true
      }
      let kept = Set(present.filter { !stale.contains($0) }.compactMap { Tunnel($0) })
      _ = try ovs.removePorts(stale.map { $0.port }, until: deadline)
      let missing = wanted.filter { !kept.contains($0) }
      guard !missing.isEmpty else { return }
      let ports = missing.map { port($0, setup) }
      do throws(OVSDBError) {
        let configuration = try ovs.addPorts(ports, to: setup.bridge.description, until: deadline)
        _ = try ovs.settle(configuration, ports.map { $0.name }, until: deadline)
      } catch {
        _ = try ovs.removePorts(
          named: ports.map { $0.name.description }, .tunnel, setup.network, until: host.deadline)
        throw error
      }
    } catch {
      throw Hints.explain(error, while: what(error, wanted, setup))
    }
  }

  /// Names the other end where Open vSwitch refused one tunnel.
  private static func what(_ error: OVSDBError, _ wanted: [Tunnel], _ setup: NetworkSetup) -> String {
    guard case .interface(let name, _) = error.kind,
      let tunnel = wanted.first(where: { port($0, setup).name.description == name })
    else { return "setting up the tunnels of network \(setup.network)" }
    return "setting up the tunnel of network \(setup.network) to \(tunnel.remote)"
  }

  /// What the networks on this bridge want, this one as it is to be and the others as they stand.
  private static func tunnels(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> [Tunnel] {
    var tunnels = of(setup)
    for marker in try host.read({ () throws(StateError) in try host.store.markers() })
    where marker.bridgeIndex != 0 && marker.name != setup.network {
      let other = try Records.network(marker)
      guard other.bridge == setup.bridge, other.database == setup.database else { continue }
      tunnels += of(other).filter { !tunnels.contains($0) }
    }
    return tunnels
  }

  private static func of(_ setup: NetworkSetup) -> [Tunnel] {
    setup.vxlan.map { vxlan in vxlan.remotes.map { Tunnel(vxlan, to: $0) } } ?? []
  }

  private static func port(_ tunnel: Tunnel, _ setup: NetworkSetup) -> PortSpec {
    let name = LinkNames.tunnel(bridge: setup.bridge, key: "\(tunnel.key)/\(tunnel.port)", remote: tunnel.remote)
    var port = PortSpec(name, .vxlan)
    port.options = tunnel.options
    port.externalIDs = StringMap([.tunnel: setup.network])
    port.isTransient = true
    // What comes out of one tunnel goes into no other: hosts that are all joined to each other would loop.
    port.isProtected = true
    return port
  }

  static func differences(of setup: NetworkSetup, _ ports: [AttachedPort]) -> [String] {
    let present = ports.filter { $0.bridge == setup.bridge.description }
    return of(setup).compactMap { tunnel in
      guard let row = present.first(where: { Tunnel($0) == tunnel }) else {
        return "the tunnel to \(tunnel.remote) is missing on bridge \(setup.bridge)"
      }
      return row.error.map { "the tunnel to \(tunnel.remote): Open vSwitch says: \($0)" }
    }
  }
}
