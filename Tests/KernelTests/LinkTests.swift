import Foundation
import Glibc
import Testing
import WireCore
import WireLinux
import WireNetlink

@Suite struct LinkTests {
  @Test func aVethIsBornOnItsBridgeAndInItsNamespace() throws {
    try NetworkNamespace.withFresh {
      let host = try NetworkNamespace.current()
      let inner = try Container()
      let socket = try NetlinkSocket(.route)
      var batch = Batch()
      batch.createBridge(
        try name("wh0"),
        LinkSettings(mac: MACAddress(0x0242_aa00_0001), mtu: 1400, isUp: true, alias: "wirehook network front"))
      try socket.send(batch, until: soon)
      let bridge = try #require(socket.index(of: try name("wh0")))

      batch = Batch()
      var settings = LinkSettings(
        mac: MACAddress(0x0242_aa00_0002), mtu: 1400, master: bridge, isUp: true, alias: "web (0123456789ab)")
      settings.port = BridgePortSettings(hairpin: true, isIsolated: true)
      batch.createVeth(
        try name("whabc"), settings, peer: try name("eth0"),
        LinkSettings(mac: MACAddress(0x0242_aa00_0003), mtu: 1400), in: inner.namespace)
      try socket.send(batch, until: soon)

      let link = try #require(try socket.link(.name(try name("whabc")), until: soon))
      #expect(link.kind == "veth")
      #expect(link.master == bridge)
      #expect(link.mtu == 1400)
      #expect(link.isUp)
      #expect(link.alias == "web (0123456789ab)")
      #expect(link.mac == MACAddress(0x0242_aa00_0002))
      #expect(link.port == BridgePortSettings(hairpin: true, isIsolated: true))

      let peer = try inner.namespace.run(backTo: host, mapping: { $0 as any Error }) {
        try NetlinkSocket(.route).link(.name(try name("eth0")), until: soon)
      }
      #expect(peer?.mac == MACAddress(0x0242_aa00_0003))
      #expect(peer?.index == link.peerIndex)
      #expect(peer?.mtu == 1400)
      #expect(peer?.isUp == false)
    }
  }

  @Test func whatIsGoneIsRemovedWithoutAnError() throws {
    try NetworkNamespace.withFresh {
      let inner = try Container()
      let socket = try NetlinkSocket(.route)
      var batch = Batch()
      batch.createVeth(
        try name("wha"), LinkSettings(isUp: true), peer: try name("eth0"), LinkSettings(), in: inner.namespace)
      batch.createVeth(
        try name("whb"), LinkSettings(isUp: true), peer: try name("eth1"), LinkSettings(), in: inner.namespace)
      try socket.send(batch, until: soon)
      let clock = ContinuousClock()
      let took = try clock.measure {
        try socket.remove([try name("wha"), try name("whb"), try name("nobody")], until: soon)
      }
      #expect(try socket.links(until: soon).map(\.name) == ["lo"])
      try socket.remove([try name("wha")], until: soon)
    }
  }
}

/// A namespace as a container has it.
struct Container: ~Copyable {
  let namespace: NetworkNamespace
  init() throws {
    let home = try NetworkNamespace.current()
    guard unshareNetwork() == 0 else { throw SystemError("unshare", errno) }
    let fresh = try NetworkNamespace.current()
    try home.enter()
    namespace = fresh
  }
}
func name(_ text: String) throws -> InterfaceName { try #require(InterfaceName(text)) }
