import Glibc
import Testing
import WireCore
import WireLinux
import WireNetlink

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct LinkTests {
  @Test func aVethIsBornOnItsBridgeAndInItsNamespace() throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let socket = try NetlinkSocket(.route)
      let bridge = try makeBridge(socket)
      var host = LinkSettings(
        mac: MACAddress(0x0242_aa00_0002), mtu: 1400, master: bridge, isUp: true, alias: "web (0123456789ab)")
      host.port = BridgePortSettings(hairpin: true, isIsolated: true)
      var batch = Batch()
      batch.createVeth(
        try name("whabc"), host, peer: try name("eth0"), LinkSettings(mac: MACAddress(0x0242_aa00_0003), mtu: 1400),
        in: container.namespace)
      try socket.send(batch, until: .soon)

      let link = try #require(try socket.link(.name(try name("whabc")), until: .soon))
      #expect(link.kind == "veth")
      #expect(link.master == bridge)
      #expect(link.mtu == 1400)
      #expect(link.isUp)
      #expect(link.alias == "web (0123456789ab)")
      #expect(link.mac == MACAddress(0x0242_aa00_0002))
      #expect(link.port == BridgePortSettings(hairpin: true, isIsolated: true))

      let shown = try #require(try objects("ip -d -j link show dev whabc").first)
      #expect(shown["address"] as? String == "02:42:aa:00:00:02")
      #expect(shown["master"] as? String == "wh0")
      #expect(shown["ifalias"] as? String == "web (0123456789ab)")
      #expect((shown["flags"] as? [String])?.contains("UP") == true)
      let port = try #require(try objects("bridge -d -j link show dev whabc").first)
      #expect(port["hairpin"] as? Bool == true)
      #expect(port["isolated"] as? Bool == true)

      let peer = try container.run { try NetlinkSocket(.route).link(.name(try name("eth0")), until: .soon) }
      #expect(peer?.mac == MACAddress(0x0242_aa00_0003))
      #expect(peer?.index == link.peerIndex)
      #expect(peer?.mtu == 1400)
      #expect(peer?.isUp == false)
    }
  }

  @Test func aBridgeKeepsItsMACWhenPortsCome() throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let socket = try NetlinkSocket(.route)
      let bridge = try makeBridge(socket)
      var batch = Batch()
      batch.createVeth(
        try name("whabc"), LinkSettings(mac: MACAddress(0x0200_0000_0001), master: bridge, isUp: true),
        peer: try name("eth0"), LinkSettings(), in: container.namespace)
      try socket.send(batch, until: .soon)
      #expect(try socket.link(.index(bridge), until: .soon)?.mac == MACAddress(0x0242_aa00_0001))
      let shown = try #require(try objects("ip -d -j link show dev wh0").first)
      let info = try #require((shown["linkinfo"] as? [String: Any])?["info_data"] as? [String: Any])
      #expect(info["forward_delay"] as? Int == 0)
      #expect(shown["ifalias"] as? String == "network front")
      #expect(try socket.links(master: bridge, until: .soon).map(\.name) == ["whabc"])
    }
  }

  @Test func aLinkIsChangedByNameAndByIndex() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      let bridge = try makeBridge(socket)
      var settings = LinkSettings(mtu: 1300, alias: "other")
      settings.ipv4 = [.routeLocalnet: 1, .arpNotify: 1]
      settings.group = 7
      var batch = Batch()
      batch.setLink(.name(try name("wh0")), settings)
      batch.setLink(.index(bridge), LinkSettings(isUp: false))
      try socket.send(batch, until: .soon)
      let link = try #require(try socket.link(.name(try name("wh0")), until: .soon))
      #expect(link.index == bridge)
      #expect(link.mtu == 1300)
      #expect(link.alias == "other")
      #expect(link.group == 7)
      #expect(!link.isUp)
      #expect(try Sysctl("net", "ipv4", "conf", "wh0", "route_localnet").read() == "1")
      #expect(try Sysctl("net", "ipv4", "conf", "wh0", "arp_notify").read() == "1")
      #expect(try Sysctl("net", "ipv4", "conf", "wh0", "rp_filter").read() == "0")
    }
  }

  @Test func aLinkThatMakesNoLinkLocalAddressHasNone() throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let socket = try NetlinkSocket(.route)
      for (link, makes) in [("wha", false), ("whb", true)] {
        var settings = LinkSettings(isUp: true)
        settings.makesLinkLocal = makes
        var batch = Batch()
        batch.createVeth(try name(link), settings, peer: try name(link), LinkSettings(), in: container.namespace)
        try socket.send(batch, until: .soon)
        try container.run {
          var batch = Batch()
          batch.setLink(.name(try name(link)), LinkSettings(isUp: true))
          try NetlinkSocket(.route).send(batch, until: .soon)
        }
      }
      // The kernel makes it when it finds the carrier, some time later.
      let noisy = try #require(socket.index(of: try name("whb")))
      let end = Deadline.soon
      while try socket.addresses(of: noisy, until: .soon).isEmpty, !end.isOver { usleep(2000) }
      let addresses = try socket.addresses(until: .soon)
      #expect(addresses.map(\.link) == [noisy])
      #expect(try socket.link(.name(try name("wha")), until: .soon)?.isUp == true)
    }
  }

  @Test func aLinkWithoutARPAnswersNone() throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let socket = try NetlinkSocket(.route)
      var settings = LinkSettings(isUp: true)
      settings.usesARP = false
      settings.makesLinkLocal = false
      var batch = Batch()
      batch.createVeth(try name("whabc"), settings, peer: try name("eth0"), LinkSettings(), in: container.namespace)
      #expect(batch.count == 2)
      try socket.send(batch, until: .soon)
      let link = try #require(try socket.link(.name(try name("whabc")), until: .soon))
      #expect(!link.usesARP && link.isUp)
      let flags = try #require(try objects("ip -j link show dev whabc").first?["flags"] as? [String])
      #expect(flags.contains("NOARP") && flags.contains("UP"))

      try shell("ip addr add 192.0.2.1/24 dev whabc")
      let ask = "ping -qc1 -W1 192.0.2.1 >/dev/null; ip neigh show"
      let neighbors = try container.run {
        try shell("ip link set eth0 up; ip addr add 192.0.2.2/24 dev eth0")
        return try shell(ask)
      }
      #expect(!neighbors.contains("lladdr"))
      batch = Batch()
      settings.usesARP = true
      batch.setLink(.index(link.index), settings)
      try socket.send(batch, until: .soon)
      #expect(try socket.link(.index(link.index), until: .soon)?.usesARP == true)
      try container.run { _ = try shell("ping -qc1 -W5 192.0.2.1 >/dev/null") }
    }
  }

  /// Too small for IPv6, which such a link lacks as every link does of a kernel without it.
  @Test(arguments: ["veth", "ifb"]) func aLinkWithoutIPv6NeedsNoLinkLocalAddressForbidden(_ kind: String) throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let socket = try NetlinkSocket(.route)
      var settings = LinkSettings(mtu: 1000, isUp: true, alias: "web")
      settings.makesLinkLocal = false
      var batch = Batch()
      if kind == "veth" {
        batch.createVeth(try name("x"), settings, peer: try name("x"), LinkSettings(), in: container.namespace)
      } else {
        batch.createIFB(try name("x"), settings)
      }
      try socket.send(batch, until: .soon)
      let link = try #require(try socket.link(.name(try name("x")), until: .soon))
      #expect(link.isUp && link.alias == "web")
      batch = Batch()
      batch.setLink(.index(link.index), settings)
      try socket.send(batch, until: .soon)
      batch = Batch()
      settings.makesLinkLocal = true
      batch.setLink(.index(4711), settings)
      #expect(throws: NetlinkError.self) { try socket.send(batch, until: .soon) }
    }
  }

  @Test func anIFBIsMade() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      var batch = Batch()
      batch.createIFB(try name("ifb-web"), LinkSettings(mtu: 1400, isUp: true))
      try socket.send(batch, until: .soon)
      let link = try socket.link(.name(try name("ifb-web")), until: .soon)
      #expect(link?.kind == "ifb")
      #expect(link?.isUp == true)
    }
  }

  @Test func aLinkThatIsNotThereIsNil() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      #expect(try socket.link(.name(try name("nobody")), until: .soon) == nil)
      #expect(try socket.link(.index(4711), until: .soon) == nil)
      #expect(socket.index(of: try name("nobody")) == nil)
      #expect(socket.index(of: try name("lo")) == 1)
    }
  }

  @Test func theFirstRefusalIsThrownAndTheRestIsDone() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      _ = try makeBridge(socket)
      var batch = Batch()
      batch.createBridge(try name("wh1"), LinkSettings())
      batch.createBridge(try name("wh0"), LinkSettings())
      batch.addAddress(Address(prefix("10.0.0.1/24"), link: 4711))
      batch.createBridge(try name("wh2"), LinkSettings())
      let expected = Refusal(request: "RTM_NEWLINK wh0", errno: EEXIST, extack: nil, index: 1)
      #expect(throws: NetlinkError.refused(expected)) { try socket.send(batch, until: .soon) }
      #expect(expected.description == "RTM_NEWLINK wh0: File exists")
      #expect(socket.index(of: try name("wh2")) != nil)

      let all = try socket.attempt(batch, until: .soon)
      #expect(all.map(\.index) == [0, 1, 2, 3])
      #expect(all.map(\.errno) == [EEXIST, EEXIST, ENODEV, EEXIST])
      #expect(all.map(\.request)[2] == "RTM_NEWADDR 10.0.0.1/24")
    }
  }

  @Test func moreRefusalsThanASocketHoldsAreAllTold() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      var batch = Batch()
      for number in 0..<1000 { batch.deleteLink(.name(try name("nobody\(number)"))) }
      let refusals = try socket.attempt(batch, until: .soon)
      #expect(refusals.map(\.index) == Array(0..<1000))
      #expect(refusals.last?.request == "RTM_DELLINK nobody999")
    }
  }

  @Test func theKernelsOwnSentenceIsPassedOn() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      var batch = Batch()
      batch.createBridge(try name("wh0"), LinkSettings(mtu: 1))
      let refusal = try #require(try socket.attempt(batch, until: .soon).first)
      #expect(refusal.extack == "mtu less than device minimum")
      #expect(refusal.description == "RTM_NEWLINK wh0: Invalid argument (mtu less than device minimum)")
    }
  }

  @Test func aRequestThatDoesNotFitIsNotSent() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      var batch = Batch()
      batch.createBridge(try name("wh0"), LinkSettings())
      batch.setLink(.name(try name("wh0")), LinkSettings(alias: String(repeating: "x", count: 5000)))
      #expect(throws: NetlinkError.self) { try socket.send(batch, until: .soon) }
      #expect(socket.index(of: try name("wh0")) == nil)
    }
  }
}

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct LinkRemovalTests {
  @Test(arguments: [1, 2, 20]) func linksAreGoneWhenRemovalReturns(_ count: Int) throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let socket = try NetlinkSocket(.route)
      let bridge = try makeBridge(socket)
      var batch = Batch()
      let names = try (0..<count).map { try name("wh\($0)x") }
      for name in names {
        batch.createVeth(
          name, LinkSettings(master: bridge, isUp: true), peer: name, LinkSettings(), in: container.namespace)
      }
      try socket.send(batch, until: .soon)
      try socket.remove(names + [try name("nobody")], until: .soon)
      #expect(try socket.links(until: .soon).map(\.name) == ["lo", "wh0"])
      try socket.remove(names, until: .soon)
    }
  }

  @Test func aRefusedRemovalIsAnError() throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      #expect(
        throws: NetlinkError.refused(Refusal(request: "RTM_DELLINK lo", errno: EOPNOTSUPP, extack: nil, index: 0))
      ) {
        try socket.remove([try name("lo")], until: .soon)
      }
    }
  }
}

/// Makes `wh0` and answers its index.
func makeBridge(_ socket: borrowing NetlinkSocket) throws -> UInt32 {
  var batch = Batch()
  batch.createBridge(
    try name("wh0"),
    LinkSettings(mac: MACAddress(0x0242_aa00_0001), mtu: 1400, isUp: true, alias: "network front"))
  try socket.send(batch, until: .soon)
  return try #require(socket.index(of: try name("wh0")))
}
