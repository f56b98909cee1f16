import Testing
import WireCore
import WireLinux

@testable import WireNetlink

/// What a bridge knows of a MAC, and of its ports.
@Suite struct ForwardingTests {
  @Test(.enabled(if: Machine.hasRoot, "needs root")) func oneEntryIsAskedFor() throws {
    try NetworkNamespace.withFresh {
      try shell(
        """
        ip link add br0 type bridge stp_state 1; ip link add p0 type veth peer name q0
        ip link set p0 master br0 up; ip link set q0 up; ip link set br0 up
        bridge fdb add 02:00:00:00:00:05 dev p0 master static
        bridge link set dev p0 isolated on hairpin on flood off
        """)
      let socket = try NetlinkSocket(.route)
      let bridge = socket.index(of: InterfaceName(derived: "br0")) ?? 0
      let port = socket.index(of: InterfaceName(derived: "p0")) ?? 0
      let entry = try socket.forwarding(of: MACAddress(0x0200_0000_0005), on: bridge, until: .soon)
      #expect(entry == ForwardingEntry(link: port, isPermanent: true))
      #expect(try socket.forwarding(of: MACAddress(0x0200_0000_0006), on: bridge, until: .soon) == nil)
      #expect(try socket.bridgeMode(bridge, until: .soon)?.usesSTP == true)
      #expect(try socket.bridgeMode(port, until: .soon) == nil)
      let state = try #require(try socket.bridgePort(port, until: .soon))
      #expect(state.isIsolated && state.hairpin && !state.floods && state.phase != .forwarding)
      #expect(try socket.bridgePort(bridge, until: .soon) == nil)
      _ = try socket.portVLANs(until: .soon)
    }
  }

  /// Kernels without VLAN filtering say nothing of VLANs: what others were seen to send.
  @Test func rangesOfVLANsAreJoined() throws {
    func vlan(_ flags: UInt8, _ number: UInt8) -> [UInt8] { [8, 0, 2, 0, flags, 0, number, 0] }
    let list = vlan(0x06, 10) + vlan(0x08, 20) + vlan(0x10, 29) + vlan(0, 40)
    var bytes: [UInt8] = [7, 0, 0, 0, 4, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
    bytes += [UInt8(4 + list.count), 0, 26, 0] + list
    let vlans = try PortVLANs(message: bytes.span.bytes)
    #expect(vlans.link == 4 && vlans.untagged == 10)
    #expect(vlans.members == [10...10, 20...29, 40...40])
  }
}
