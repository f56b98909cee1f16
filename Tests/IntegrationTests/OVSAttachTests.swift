import Support
import Testing

/// One attach and one detach on an Open vSwitch bridge: what stands in the database, on the host, and in the container.
@Suite(needsOVS) struct OVSAttachTests {
  @Test func aPortSaysWhoseItIs() throws {
    try RealSwitch.withNetwork { _, ovs in
      let web = try ovs.host.started("web", ["wirehook.ip": "100.1.1.6/24"])
      let port = try #require(try ovs.ports(ofContainer: "web").first)
      let name = try #require(port["name"].string)
      #expect(port["external_ids"]["wirehook-network"].string == "ovsnet")
      #expect(port["external_ids"]["wirehook-interface"].string == "eth0")
      #expect(port["other_config"]["transient"].string == "true")
      let interface = try ovs.row("Interface", name)
      #expect(interface["external_ids"]["iface-id"].string == "web.eth0")
      #expect(interface["external_ids"]["attached-mac"].string == (try web.mac(of: "eth0")))
      #expect(interface["ofport"].int ?? -1 > 0)
      #expect(interface["error"].array.isEmpty)
      let bridge = try ovs.row("Bridge", "br1")
      #expect(bridge["external_ids"]["wirehook-network"].string == "ovsnet")
      #expect(bridge["datapath_type"].string == RealSwitch.datapath)
    }
  }

  @Test func theGatewayAnswersAndADetachTakesEverythingBack() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp()
      let before = try ovs.look()
      let web = try host.started("web", ["wirehook.ip": "100.1.1.6/24"])
      let other = try host.started("other")
      #expect(try host.addresses("br1") == ["100.1.1.254/24"])
      #expect(try web.pings("100.1.1.254"))
      #expect(try host.pings("100.1.1.6"))
      #expect(try other.pings("100.1.1.6"))
      #expect(try web.pings(Sandbox.outside4), "masqueraded")
      for container in [web, other] { try host.stop(container) }
      try expectUnchanged(ovs, since: before)
    }
  }

  @Test func theHostsOwnStackHearsNothingByTheHostEnd() throws {
    try RealSwitch.withNetwork { host, ovs in
      _ = try host.started("web")
      let link = try ovs.hostEnd(of: "web")
      #expect(try host.json("link show \(link)")[0]["flags"].array.contains(.text("NOARP")))
      #expect(try host.sh("ip -6 addr show dev \(link)") == "")
      let chain = try host.sh("nft list chain inet wirehook ingress-\(link)")
      #expect(chain.contains("hook ingress device \"\(link)\"") && chain.contains("policy drop"), "\(chain)")
      #expect(try host.json("link show \(link)")[0]["ifalias"].string?.contains("web") == true)
    }
  }

  /// ovs-vswitchd writes back the flags of an earlier link of the name while the attach waits for it.
  @Test func aHostEndThatIsSetDownMeanwhileIsSetUpAgain() throws {
    try RealSwitch.withNetwork { host, ovs in
      _ = try host.started("first")
      let web = try host.container("web")
      ovs.pause(.daemon)
      let results = try concurrently([0, 1], width: 2) { number in
        guard number == 1 else { return try host.tryAttach(web) }
        defer { ovs.proceed(.daemon) }
        let end = { try host.json("link show").array.first { $0["ifalias"].string == "wirehook: eth0 of web" } }
        try #require(try eventually { try end()?["flags"].array.contains(.text("UP")) ?? false })
        let name = try #require(try end()?["ifname"].string)
        return try host.run(["ip", "link", "set", name, "down", "arp", "on"])
      }
      #expect(results.filter { !$0.succeeded }.map(\.description) == [])
      #expect(try web.pings("100.1.1.254"))
      let check = try host.wirehook("check")
      #expect(check.exitCode == 0, "\(check)")
    }
  }

  /// Field case B59: in userspace nobody completes a checksum that was left to the device.
  @Test func checksumsAreCompleteOnAUserspaceBridgeAlone() throws {
    try RealSwitch.withNetwork { host, _ in
      let web = try host.started("web", ["wirehook.network": "ovsnet,front"])
      let isOff = { (link: String) in try web.sh("ethtool -k \(link)").contains("tx-checksumming: off") }
      #expect(try isOff("eth0") == (RealSwitch.datapath == "netdev"))
      #expect(try !isOff("eth1"), "a Linux bridge leaves it to the device")
    }
  }

  @Test func aBridgeThatIsThereIsNeverReconfigured() throws {
    try RealSwitch.withNetwork { host, ovs in
      try ovs.vsctl(
        "add-br br1 -- set bridge br1 datapath_type=netdev fail_mode=secure other_config:hwaddr=02:aa:00:00:00:01 "
          + "external_ids:whose=theirs")
      try ovs.host.sh("ovs-ofctl add-flow \(ovs.management(of: "br1")) priority=5,actions=normal")
      try host.ip("addr add 100.1.1.254/24 dev br1")
      try host.ip("link set br1 up")
      let before = try ovs.row("Bridge", "br1").members.filter { !["ports", "_uuid", "status"].contains($0.key) }
      let web = try host.started("web", ["wirehook.ip": "100.1.1.6/24"])
      #expect(try web.pings("100.1.1.254"))
      try host.stop(web)
      let after = try ovs.row("Bridge", "br1").members.filter { before.keys.contains($0.key) }
      #expect(after == before)
      #expect(try ovs.ports(of: "br1") == [])
      #expect(try host.addresses("br1") == ["100.1.1.254/24"])
    }
  }

  @Test func anExistingBridgeIsNamedOnTheSpot() throws {
    try RealSwitch.with { host, ovs in
      try ovs.vsctl("add-br br1 -- set bridge br1 datapath_type=netdev")
      let bridge = try ovs.row("Bridge", "br1")["external_ids"]
      let wish = { (last: Int) in ["wirehook.network": "ovs:br1", "wirehook.ip": "100.1.1.\(last)/24"] }
      let six = try host.started("six", wish(6))
      let seven = try host.started("seven", wish(7))
      #expect(try six.pings("100.1.1.7"))
      #expect(try six.addresses("eth0") == ["100.1.1.6/24"])
      #expect(try host.addresses("br1") == [])
      #expect(try host.list().first { $0["id"].string == "six" }?["interfaces"][0]["driver"].string == "ovs")
      for container in [six, seven] { try host.stop(container) }
      #expect(try ovs.ports(of: "br1") == [])
      #expect(try ovs.row("Bridge", "br1")["external_ids"] == bridge)
    }
  }

  @Test func aBridgeOnTheSpotThatIsNotThereIsRefused() throws {
    try RealSwitch.with { host, ovs in
      let web = try host.container("web")
      try expectRefused(
        ovs, web, ["wirehook.network": "ovs:br9", "wirehook.ip": "100.1.1.6/24"], naming: ["br9"])
    }
  }

  @Test func oneContainerMayBeOnBothKindsOfBridge() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.writeNetwork(
        "storage", RealSwitch.members(subnet: "100.1.9.0/24", gateway: "100.1.9.254").replacing("br1", with: "br9"))
      try host.warmUp(["wirehook.network": "front,ovsnet,storage:san0"])
      let before = try ovs.look()
      let web = try host.started("web", ["wirehook.network": "front,ovsnet,storage:san0"])
      #expect(try web.links() == ["eth0", "eth1", "lo", "san0"])
      #expect(try ovs.ports(ofContainer: "web").count == 2)
      #expect(try web.pings("100.1.1.254"))
      #expect(try web.pings("100.1.9.254"))
      #expect(try ovs.row("Interface", ovs.hostEnd(of: "web", "san0"))["external_ids"]["iface-id"].string == "web.san0")
      try host.stop(web)
      try expectUnchanged(ovs, since: before)
    }
  }

  @Test func macMTUAndRoutesAreAsAskedFor() throws {
    try RealSwitch.withNetwork(#""routes": ["10.99.0.0/16 via 100.1.1.253"]"#) { host, ovs in
      let web = try host.started(
        "web",
        [
          "wirehook.mac": "02:42:64:01:01:06", "wirehook.mtu": "1300",
          "wirehook.routes": "100.1.2.0/24 dev eth0 metric 9",
        ])
      #expect(try web.mac(of: "eth0") == "02:42:64:01:01:06")
      #expect(try web.json("link show eth0")[0]["mtu"].int == 1300)
      #expect(try host.json("link show \(ovs.hostEnd(of: "web"))")[0]["mtu"].int == 1300)
      let routes = try web.ip("route show")
      #expect(routes.contains("100.1.2.0/24 dev eth0") && routes.contains("metric 9"), "\(routes)")
      #expect(routes.contains("10.99.0.0/16 via 100.1.1.253 dev eth0"))
      #expect(
        try ovs.row("Interface", ovs.hostEnd(of: "web"))["external_ids"]["attached-mac"].string == "02:42:64:01:01:06")
    }
  }

  @Test func addressesComeFromThePoolAndComeBackWithTheName() throws {
    try RealSwitch.withNetwork { host, _ in
      let web = try host.started("web")
      let address = try web.addresses("eth0")
      try host.stop(web)
      #expect(try host.started("other").addresses("eth0") != address)
      #expect(try host.started("web").addresses("eth0") == address)
    }
  }
}

extension RealSwitch {
  /// The socket by which `ovs-ofctl` speaks to a bridge.
  func management(of bridge: String) -> String { "unix:\(socket.replacing("db.sock", with: "\(bridge).mgmt"))" }
}
