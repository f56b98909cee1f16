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
