import Support
import Testing
import WireCore
import WireLinux

@testable import WireOVSDB

extension RealSwitch {
  var address: DatabaseAddress { .unix(path: socket) }

  func connect() throws -> OpenVSwitch { try OpenVSwitch(address, until: .soon) }

  /// Has the database server listen at one more address, as `ovsdb-server --remote` names it.
  func listen(at remote: String) throws {
    let control = "\(socket.dropLast("db.sock".count))\(Server.database.rawValue).ctl"
    try Command.require(["ovs-appctl", "-t", control, "ovsdb-server/add-remote", remote])
  }

  /// A pair whose one end is left for a bridge.
  func makePair(_ name: String) throws { try host.ip("link add \(name) type veth peer name \(name)p") }

  /// Bridge `br1` with the userspace datapath.
  func makeBridge(on ovs: OpenVSwitch) throws {
    let bridge = try spec(bridge: "br1")
    _ = try ovs.settle(ovs.createBridge(bridge, until: .soon), [bridge.name], until: .soon)
  }

  func spec(bridge name: String) throws -> BridgeSpec {
    var bridge = BridgeSpec(
      try interface(name), datapathType: "netdev", externalIDs: StringMap([.network: "front"]))
    bridge.mac = MACAddress(0x0a57_0a00_0001)
    bridge.mtu = 1450
    return bridge
  }
}

func interface(_ name: String) throws -> InterfaceName { try #require(InterfaceName(name)) }

extension PortSpec {
  /// A port of container `container`.
  static func of(_ container: String, _ name: String) throws -> PortSpec {
    var port = PortSpec(try interface(name), .system)
    port.externalIDs = StringMap([.container: container, .network: "front", .interface: "eth0"])
    port.isTransient = true
    return port
  }
}
