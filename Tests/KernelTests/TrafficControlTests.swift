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

  /// What a container sends can be held to a rate inside it alone where its host end belongs to a userspace switch, whose
  /// packet socket comes before all traffic control.
  @Test func whatAContainerSendsIsHeldToItsRateInside() throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let host = try NetlinkSocket(.route)
      var batch = Batch()
      batch.createVeth(
        try name("whabc"), LinkSettings(isUp: true), peer: try name("eth0"), LinkSettings(), in: container.namespace)
      try host.send(batch, until: .soon)
      try shell("ip addr add 192.0.2.1/24 dev whabc")
      try container.run {
        let inside = try NetlinkSocket(.route)
        let link = try #require(inside.index(of: try name("eth0")))
        var batch = Batch()
        batch.setLink(.index(link), LinkSettings(isUp: true))
        batch.addAddress(Address(prefix("192.0.2.2/24"), link: link))
        batch.addTokenBucket(TokenBucket(rate: try rate("8mbit"), mtu: 1500), on: link)
        try inside.send(batch, until: .soon)
        #expect(try shell("tc qdisc show dev eth0 root").contains("tbf 1: root"))
        // One frame of a KB after the other, at 1 MB a second; without the bucket they take some 10 ms.
        let flood = try shell("ping -fqc300 -s1000 192.0.2.1")
        let time = flood.split(separator: "time ").last?.prefix(while: \.isNumber)
        #expect((250...2000).contains(Int(time ?? "") ?? 0), "\(flood)")
      }
      #expect(try shell("tc qdisc show dev whabc root").contains("noqueue"))
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
