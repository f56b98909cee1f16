import Support
import Testing

/// Published ports, NAT, isolation and limits on an Open vSwitch bridge: all that stands around a Linux bridge.
@Suite(needsOVS) struct OVSPortTests {
  private static let dual = #"""
    {"driver": "ovs", "bridge": "br1", "subnets": [{"subnet": "100.1.1.0/24", "gateway": "100.1.1.254"},
     {"subnet": "fd00:100:1::/64", "gateway": "fd00:100:1::fe"}]
    """#

  private func withDualStack(_ more: String = "", _ body: (Sandbox, RealSwitch) throws -> Void) throws {
    try RealSwitch.with { host, ovs in
      try host.writeNetwork("ovsnet", Self.dual + more + "}")
      try ovs.writeMain()
      try body(host, ovs)
    }
  }

  @Test func aPublishedPortIsReachedFromEverywhere() throws {
    try withDualStack { host, _ in
      let web = try host.started("web", ["wirehook.ports": "8080:80,5353:80/udp,127.0.0.1:9000:80"])
      let other = try host.started("other")
      try web.serve(80)
      for address in [Sandbox.address4, Sandbox.address6] {
        #expect(try host.outside.ask(address, 8080).server == "web", "\(address) from outside")
        #expect(try host.outside.askUDP(address, 5353).server == "web", "\(address) from outside, UDP")
        #expect(try other.ask(address, 8080).server == "web", "\(address) from another container")
        #expect(try web.ask(address, 8080).server == "web", "\(address) from itself")
      }
      for address in [Sandbox.address4, Sandbox.address6, "127.0.0.1", "::1", "100.1.1.254"] {
        #expect(try host.ask(address, 8080).server == "web", "\(address) from the host")
      }
      #expect(try host.outside.ask(Sandbox.address4, 8080).client == Sandbox.outside4)
      #expect(try host.ask("127.0.0.1", 9000).server == "web")
      #expect(try host.outside.ask(Sandbox.address4, 9000, within: .milliseconds(300)).server == nil)
    }
  }

  @Test func whatLeavesTheHostIsMasqueradedAndUnpublishedPortsAreClosed() throws {
    try withDualStack { host, _ in
      let server = try host.outside.serve(7)
      defer { server.stop() }
      let web = try host.started("web", ["wirehook.ip": "100.1.1.6,fd00:100:1::6"])
      try web.serve(80)
      #expect(try web.ask(Sandbox.outside4, 7).client == Sandbox.address4)
      #expect(try web.ask(Sandbox.outside6, 7).client == Sandbox.address6)
      try host.outside.ip("route add 100.1.1.0/24 via \(Sandbox.address4)")
      #expect(try host.outside.ask("100.1.1.6", 80, within: .milliseconds(400)).server == nil)
    }
  }

  @Test func networksAreIsolatedFromEachOther() throws {
    try withDualStack { host, _ in
      try host.writeNetwork(
        "second", RealSwitch.members(subnet: "100.1.2.0/24", gateway: "100.1.2.254").replacing("br1", with: "br2"))
      let one = try host.started("one", ["wirehook.ip": "100.1.1.6"])
      let fellow = try host.started("fellow")
      let two = try host.started("two", ["wirehook.network": "second", "wirehook.ip": "100.1.2.6"])
      let three = try host.started("three", ["wirehook.network": "front"])
      try one.serve(80)
      #expect(try fellow.ask("100.1.1.6", 80).server == "one")
      for stranger in [two, three] {
        #expect(try stranger.ask("100.1.1.6", 80, within: .milliseconds(400)).server == nil, "\(stranger.id)")
      }
    }
  }

  /// Field case B59: a ping says nothing about checksums.
  @Test func tcpAndUDPGoBothWaysBetweenContainersAndTheHost() throws {
    try withDualStack { host, _ in
      let one = try host.started("one", ["wirehook.ip": "100.1.1.6,fd00:100:1::6"])
      let two = try host.started("two", ["wirehook.ip": "100.1.1.7,fd00:100:1::7"])
      for container in [one, two] { try container.serve(80, padding: 2_000_000) }
      let server = try host.serve(81, padding: 2_000_000)
      defer { server.stop() }
      for (client, address, port) in [
        (one, "100.1.1.7", 80), (two, "100.1.1.6", 80), (one, "fd00:100:1::7", 80), (host, "100.1.1.6", 80),
        (one, "100.1.1.254", 81), (one, "fd00:100:1::fe", 81),
      ] as [(any Place, String, UInt16)] {
        #expect(try client.download(address, port) > 2_000_000, "\(client.name) from \(address)")
        #expect(try client.askUDP(address, port).server != nil, "\(client.name) from \(address), UDP")
      }
    }
  }

  /// The milliseconds that a download of 1 MB takes. Segments that are lost while a switch starts may stall the first one.
  private func milliseconds(_ client: any Place, _ address: String) throws -> Int {
    for _ in 0..<2 {
      let start = ContinuousClock.now
      guard try client.download(address, 80, within: .seconds(4)) > 1_000_000 else { continue }
      let took = start.duration(to: .now).components
      return Int(took.seconds) * 1000 + Int(took.attoseconds / 1_000_000_000_000_000)
    }
    throw Failure("\(client.name) got no megabyte from \(address)")
  }

  /// At 8 Mbit/s a megabyte takes a second, less what a burst lets through. In userspace a policer on the host end sees
  /// nothing, for the switch has the frame before: there the container's own end is held back.
  @Test(arguments: ["", #", "ovs": {"limits": "ovs"}"#]) func limitsHoldInBothDirections(limits: String) throws {
    try withDualStack { host, ovs in
      if !limits.isEmpty {
        let own = #", "ovs": {"limits": "ovs", "database": "\#(ovs.database)"}}"#
        try host.writeNetwork("ovsnet", Self.dual + own)
      }
      try host.warmUp(["wirehook.bandwidth": "ingress=8mbit,egress=8mbit"])
      let before = try ovs.look()
      let wish = { (limit: String) in ["wirehook.bandwidth": "\(limit)=8mbit"] }
      let slow = try host.started("slow", wish("ingress").merging(["wirehook.ip": "100.1.1.6"]) { $1 })
      let sender = try host.started("sender", wish("egress").merging(["wirehook.ip": "100.1.1.7"]) { $1 })
      let free = try host.started("free", ["wirehook.ip": "100.1.1.8"])
      for container in [sender, free] { try container.serve(80, padding: 1_000_000) }
      // A daemon that starts, or to which a port is new, takes away whatever tc has put there, unless it is told not to.
      for start in ["first", "restarted"] {
        if start == "restarted" { try ovs.restart(.daemon) }
        #expect(try slow.pings("100.1.1.8", within: 3) && free.pings("100.1.1.7", within: 6))
        let received = try milliseconds(slow, "100.1.1.8")
        #expect((500...2500).contains(received), "ingress, \(start): \(received) ms")
        let sent = try milliseconds(free, "100.1.1.7")
        #expect((500...2500).contains(sent), "egress, \(start): \(sent) ms")
      }
      if !limits.isEmpty {
        let port = try #require(try ovs.ports(ofContainer: "slow").first)
        #expect(port["qos"].string != nil)
        #expect(try ovs.rows("QoS").map { $0["type"].string } == ["linux-htb"])
        let rate = try ovs.rows("Interface", "name=\(ovs.hostEnd(of: "sender"))")[0]["ingress_policing_rate"].int
        #expect(rate == (RealSwitch.datapath == "system" ? 8000 : 0))
      }
      for container in [slow, sender, free] { try host.stop(container) }
      try expectUnchanged(ovs, since: before)
    }
  }
}
