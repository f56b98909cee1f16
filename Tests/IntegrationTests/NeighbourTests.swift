import Support
import Testing

/// What stands on the same wire: stale neighbour entries, IPv6 at once, a bridge that is somebody else's, old UDP flows.
@Suite(needsRoot) struct NeighbourTests {
  @Test func aReusedAddressAnswersTheFirstPingOfWhoKnewTheOldMAC() throws {
    try Sandbox.with { host in
      let wanted = ["wirehook.ip": "10.210.4.9,fd42:210:4::9"]
      let old = try host.started("old", wanted.merging(["wirehook.mac": "02:00:00:00:00:01"]) { $1 })
      let other = try host.started("other")
      let machine = try host.neighbour("m", link: "lan0")
      try host.ip("link set lan0 master wh-front")
      try machine.ip("addr add 10.210.4.200/24 dev eth0")
      try machine.ip("addr add fd42:210:4::200/64 dev eth0 nodad")
      let all = [host, other, machine] as [any Place]
      for place in all {
        for address in ["10.210.4.9", "fd42:210:4::9"] { #expect(try place.pings(address, attempts: 5, within: 6)) }
      }
      try host.stop(old)
      _ = try host.started("new", wanted.merging(["wirehook.mac": "02:00:00:00:00:02"]) { $1 })
      for place in all {
        #expect(try place.pings("10.210.4.9"), "\(place.name)")
        #expect(try place.pings("fd42:210:4::9"), "\(place.name) over IPv6")
      }
    }
  }

  @Test func aNeighbourReachesARestartedContainerAtOnce() throws {
    try Sandbox.with { host in
      let web = try host.started("web")
      let address = try #require(try web.addresses("eth0").first?.split(separator: "/").first).description
      let machine = try host.neighbour("m", link: "lan0")
      try host.ip("link set lan0 master wh-front")
      try machine.ip("addr add 10.210.4.200/24 dev eth0")
      #expect(try machine.pings(address, attempts: 5, within: 6))
      try host.stop(web)
      for number in 0..<5 { _ = try host.started("other\(number)") }
      _ = try host.started("web")
      #expect(try machine.pings(address))
    }
  }

  @Test(arguments: [true, false]) func ipv6IsUsableAtOnce(bridgeFilter: Bool) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      let server = try host.outside.serve(7)
      defer { server.stop() }
      let web = try host.started("web", ["wirehook.ip": "fd42:210:4::9"])
      let own = try web.serve(80, on: "fd42:210:4::9")
      #expect(try web.ask("fd77::2", 7, within: .milliseconds(950)).server == host.outside.name)
      #expect(own.count == 0)
      let flags = { try web.json("-6 addr show dev eth0")[0]["addr_info"].array }
      #expect(try flags().filter { $0["scope"].string == "global" && $0["tentative"].bool == true } == [])
      let failed = try eventually(within: .milliseconds(2500)) { try flags().contains { $0["dadfailed"].bool == true } }
      #expect(!failed)
    }
  }

  /// Without router advertisements the kernel configures nothing by itself.
  @Test func routerAdvertisementsAreNotHeeded() throws {
    try Sandbox.with { host in
      let web = try host.started("web")
      #expect(try web.sysctl("net/ipv6/conf/eth0/accept_ra") == "0")
    }
  }

  @Test func excludedAddressesAreNeverGiven() throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "lan",
        #"""
        {"driver": "bridge", "bridge": "wh-lan",
         "subnets": [{"subnet": "10.214.0.0/24", "gateway": "10.214.0.1", "range": "10.214.0.64/29", "exclude": ["10.214.0.65", "10.214.0.67"]}]}
        """#)
      let given = try (0..<4).map {
        try host.started("c\($0)", ["wirehook.network": "lan"]).addresses("eth0").first ?? ""
      }
      #expect(Set(given).count == 4)
      for address in given {
        let last = Int(address.split(separator: "/")[0].split(separator: ".")[3]) ?? 0
        #expect((64...71).contains(last) && last != 65 && last != 67, "\(address)")
      }
    }
  }

  /// A client that keeps sending from one source port must reach whoever has the port now.
  @Test func anOldUDPFlowFollowsThePort() throws {
    try Sandbox.with { host in
      let outside = host.outside
      let reaches = { (server: String?) in
        try eventually(within: .seconds(10)) {
          try outside.askUDP("192.168.77.1", 5060, from: 40_000, within: .milliseconds(60)).server == server
        }
      }
      let ports = ["wirehook.ports": "5060:5060/udp"]
      for _ in 0..<3 { _ = try outside.askUDP("192.168.77.1", 5060, from: 40_000, within: .milliseconds(50)) }
      let first = try host.container("first")
      try first.serve(5060)
      try host.attach(first, ports.merging(["wirehook.ip": "10.210.4.11"]) { $1 })
      #expect(try reaches("first"), "nobody before")
      try host.stop(first)
      let second = try host.container("second")
      try second.serve(5060)
      try host.attach(second, ports.merging(["wirehook.ip": "10.210.4.12"]) { $1 })
      #expect(try reaches("second"), "another container before")
      try host.stop(second)
      let program = try host.serve(5060)
      defer { program.stop() }
      #expect(try reaches(host.name), "a container before, now the host")
    }
  }

  /// The flush must not hit what merely has the same port inside.
  @Test func otherUDPFlowsAreLeftAlone() throws {
    try Sandbox.with { host in
      let first = try host.started("first", ["wirehook.ports": "5060:5060/udp"])
      try first.serve(5060)
      #expect(try host.outside.askUDP("192.168.77.1", 5060, from: 40_000).server == "first")
      let second = try host.started("second", ["wirehook.ports": "5061:5060/udp"])
      try host.stop(second)
      let flows = try host.sh("conntrack -L -p udp --sport 40000 --dport 5060")
      #expect(flows.contains("192.168.77.2"), "\(flows)")
    }
  }
}

/// A network as in any hand-written how-to: a bridge made beforehand, addresses chosen by hand.
@Suite(needsRoot) struct HandMadeBridgeTests {
  private func withBridge(_ bridgeFilter: Bool = true, _ body: (Sandbox, Container, Container) throws -> Void) throws {
    try Sandbox.with(.init(bridgeFilter: bridgeFilter)) { host in
      try host.ip("link add br3 type bridge")
      try host.ip("addr add 170.19.0.3/24 dev br3")
      try host.ip("link set br3 up")
      let wish = ["wirehook.network": "bridge:br3", "wirehook.gateway": "170.19.0.3"]
      let one = try host.started(
        "one", wish.merging(["wirehook.ip": "170.19.0.1/24", "wirehook.ports": "8080:80"]) { $1 })
      let two = try host.started("two", wish.merging(["wirehook.ip": "170.19.0.2/24"]) { $1 })
      try body(host, one, two)
    }
  }

  @Test(arguments: [true, false]) func theTwoReachEachOtherThemselvesTheHostAndTheOutside(bridgeFilter: Bool) throws {
    try withBridge(bridgeFilter) { host, one, two in
      let addresses = try one.addresses("eth0")
      #expect(addresses == ["170.19.0.1/24"])
      for (place, address) in [
        (one, "170.19.0.2"), (two, "170.19.0.1"), (one, "170.19.0.1"), (one, "170.19.0.3"), (two, "192.168.77.1"),
        (one, "192.168.77.2"), (two, "192.168.77.2"), (host, "170.19.0.1"), (host, "170.19.0.2"),
      ] as [(any Place, String)] {
        #expect(try place.pings(address, attempts: 3), "\(place.name) to \(address)")
      }
    }
  }

  @Test(arguments: [true, false]) func aPortOnItIsPublished(bridgeFilter: Bool) throws {
    try withBridge(bridgeFilter) { host, one, two in
      try one.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080) == .reply(from: "one", seenAs: "192.168.77.2"))
      #expect(try host.ask("192.168.77.1", 8080).server == "one")
      #expect(try two.ask("192.168.77.1", 8080).server == "one")
      #expect(try one.ask("192.168.77.1", 8080).server == "one")
    }
  }

  @Test func theBridgeItselfStaysAsItWas() throws {
    try Sandbox.with { host in
      try host.warmUp()
      try host.ip("link add br3 type bridge forward_delay 700")
      try host.ip("addr add 170.19.0.3/24 dev br3")
      try host.ip("link set br3 up")
      // A bridge without an address of its own takes the lowest of its ports': ours must not become that.
      _ = try host.neighbour("m", link: "lan0")
      try host.ip("link set lan0 address 52:54:00:12:34:56 master br3")
      let before = try host.snapshot()
      let details = { try host.json("-d link show br3")[0] }
      let address = try details()["address"]
      let delay = try details()["linkinfo"]["info_data"]["forward_delay"]
      let some = try (10..<18).map {
        try host.started("c\($0)", ["wirehook.network": "bridge:br3", "wirehook.ip": "170.19.0.\($0)/24"])
      }
      #expect(try details()["address"] == address)
      #expect(try details()["linkinfo"]["info_data"]["forward_delay"] == delay)
      #expect(try host.addresses("br3") == ["170.19.0.3/24"])
      for container in some { try host.stop(container) }
      #expect(try details()["address"] == address)
      // What the network's containers share (its subnet's masquerade) is gc's to take back.
      let collected = try host.wirehook("gc")
      #expect(collected.exitCode == 0, "\(collected)")
      try expectUnchanged(host, since: before)
    }
  }

  @Test func aSpelledOutBridgeNeedsAnAddress() throws {
    try Sandbox.with { host in
      try host.ip("link add br3 type bridge")
      expectOneErrorLine(
        try host.tryAttach(host.container("web"), ["wirehook.network": "bridge:br3"]), naming: ["wirehook.ip"])
    }
  }

  @Test func aNetworkOfSomebodyElsesLANIsNotTouched() throws {
    try Sandbox.with { host in
      try host.ip("link add lan type bridge")
      try host.ip("link set lan up")
      try host.writeNetwork(
        "lan",
        #"{"driver": "bridge", "bridge": "lan", "managed": false, "subnets": [{"subnet": "10.215.0.0/24", "gateway": "10.215.0.1"}]}"#
      )
      let machine = try host.neighbour("m", link: "lan0")
      try host.ip("link set lan0 master lan")
      try machine.ip("addr add 10.215.0.1/24 dev eth0")
      let web = try host.started("web", ["wirehook.network": "lan", "wirehook.ip": "10.215.0.9"])
      try web.serve(80)
      #expect(try host.addresses("lan") == [])
      #expect(try host.sysctl("net/ipv4/conf/lan/route_localnet") == "0")
      #expect(try machine.ask("10.215.0.9", 80) == .reply(from: "web", seenAs: "10.215.0.1"))
    }
  }
}
