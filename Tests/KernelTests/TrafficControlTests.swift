import Testing
import WireCore
import WireLinux
import WireNetlink

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct TrafficControlTests {
  @Test func bothDirectionsAreHeldToTheirRates() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      let bridge = try makeBridge(socket)
      var batch = Batch()
      batch.createIFB(try name("ifb0"), LinkSettings(isUp: true))
      try socket.send(batch, until: .soon)
      let ifb = try #require(socket.index(of: try name("ifb0")))

      batch = Batch()
      batch.addTokenBucket(TokenBucket(rate: try rate("100mbit"), mtu: 1500), on: bridge)
      batch.addTokenBucket(TokenBucket(rate: try rate("20mbit"), mtu: 1500), on: ifb)
      batch.redirectIngress(of: bridge, to: ifb)
      try socket.send(batch, until: .soon)

      let bucket = try #require(try objects("tc -j qdisc show dev wh0 root").first)
      #expect(bucket["kind"] as? String == "tbf")
      let options = try #require(bucket["options"] as? [String: Any])
      // Bytes a second, 10 ms of it, and microseconds of queue.
      #expect(options["rate"] as? Int == 12_500_000)
      #expect(options["burst"] as? Int == 125_000)
      let latency = try #require(options["lat"] as? Int)
      #expect(latency / 1000 == 50)
      #expect(try shell("tc qdisc show dev wh0 ingress").contains("ingress ffff:"))
      let filter = try shell("tc filter show dev wh0 ingress")
      #expect(filter.contains("match 00000000/00000000 at 0"))
      #expect(filter.contains("mirred (Egress Redirect to device ifb0) stolen"))

      batch = Batch()
      batch.deleteTokenBucket(on: bridge)
      batch.deleteIngress(of: bridge)
      try socket.send(batch, until: .soon)
      #expect(try shell("tc qdisc show dev wh0") == "qdisc noqueue 0: root refcnt 2 \n")
    }
  }

  @Test(arguments: [
    ("8kbit", 3036, 18216), ("1mbit", 3036, 18216), ("100mbit", 125_000, 750_000), ("40gbit", 50_000_000, 300_000_000),
    ("1tbit", 1_250_000_000, 4_294_967_295),
  ])
  func aBucketHoldsAFrameAtEveryRate(_ text: String, _ burst: UInt32, _ limit: UInt32) throws {
    let bucket = TokenBucket(rate: try rate(text), mtu: 1500)
    #expect(bucket.burst == burst)
    #expect(bucket.limit == limit)
  }

  @Test func aRateBeyond32BitsIsTaken() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      let bridge = try makeBridge(socket)
      var batch = Batch()
      batch.addTokenBucket(TokenBucket(rate: try rate("100gbit"), mtu: 1500), on: bridge)
      try socket.send(batch, until: .soon)
      let options = try #require(try objects("tc -j qdisc show dev wh0 root").first?["options"] as? [String: Any])
      #expect(options["rate"] as? Int == 12_500_000_000)
    }
  }
}

private func rate(_ text: String) throws -> Rate { try #require(Rate(text)) }
