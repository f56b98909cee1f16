import Testing
import WireCore
import WireLinux

@testable import WireNetlink

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct StatisticsTests {
  @Test func theCountersAreThoseThatIPShows() throws {
    try NetworkNamespace.withFresh {
      try shell("ip link set lo up")
      _ = try? shell("ping -c 3 -i 0.01 -W 1 127.0.0.1")
      let own = try #require(try NetlinkSocket(.route).statistics(until: .soon)["lo"])
      let shown = try #require(try objects("ip -s -j link show dev lo").first)
      let received = try #require((shown["stats64"] as? [String: [String: Int]])?["rx"])
      #expect(own.received.packets == UInt64(received["packets"] ?? -1) && own.received.packets > 0)
      #expect(own.received.bytes == UInt64(received["bytes"] ?? -1))
      #expect(own.fromTheOtherEnd.sent == own.received)
    }
  }

  @Test func aTunnelIsReadWithItsEnds() throws {
    try NetworkNamespace.withFresh {
      try shell("ip link add br0 type bridge")
      try shell("ip link add vx4 type vxlan id 42 local 10.0.0.1 remote 10.0.0.2 dstport 4789")
      try shell("ip link set vx4 master br0")
      try shell("ip link add vx6 type vxlan id 16777215 local fd00::1 remote fd00::2 dstport 4790")
      let socket = try NetlinkSocket(.route)
      let tunnels = try socket.tunnels(until: .soon).sorted { $0.name < $1.name }
      #expect(tunnels.map { $0.name } == ["vx4", "vx6"])
      #expect(tunnels.map { $0.number } == [42, 16_777_215])
      #expect(tunnels.map { $0.remote } == [IPAddress("10.0.0.2"), IPAddress("fd00::2")])
      #expect(tunnels.map { $0.local } == [IPAddress("10.0.0.1"), IPAddress("fd00::1")])
      #expect(try tunnels[0].master == socket.index(of: #require(InterfaceName("br0"))))
    }
  }

  @Test func countersOfAnOlderKernelAreReadAndShorterOnesRefused() throws {
    let numbers = (1...8).map { UInt64($0) }
    try numbers.withUnsafeBytes { bytes in
      let statistics = try LinkStatistics(RawSpan(_unsafeBytes: bytes))
      #expect(statistics.received == TrafficCounters(bytes: 3, packets: 1, errors: 5, drops: 7))
      #expect(statistics.sent == TrafficCounters(bytes: 4, packets: 2, errors: 6, drops: 8))
      #expect(throws: NetlinkError.self) {
        try LinkStatistics(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[..<60])))
      }
    }
  }
}
