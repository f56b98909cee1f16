import Support
import Testing

/// VXLAN between two hosts with Linux bridges: the kernel's own device.
@Suite(needsRoot) struct VXLANTests {
  private func write(_ host: Sandbox, _ number: Int, _ vxlan: String? = nil, subnet: String = "100.1.1") throws {
    let (own, other) = (HostPair.addresses[number], HostPair.addresses[1 - number])
    let tunnel = vxlan ?? #"{"id": 42, "local": "\#(own)", "remotes": ["\#(other)"]}"#
    try host.writeNetwork(
      "wide",
      #"""
      {"driver": "bridge", "bridge": "br1", "vxlan": \#(tunnel),
       "subnets": [{"subnet": "\#(subnet).0/24", "gateway": "\#(subnet).\#(253 + number)"}]}
      """#)
    try host.writeMain(["default_network": .text("wide")])
  }

  private func expectJoined(_ left: Container, _ leftAddress: String, _ right: Container, _ rightAddress: String) throws
  {
    #expect(try left.pings(rightAddress, within: 4))
    #expect(try right.pings(leftAddress))
    try left.serve(80, padding: 2_000_000)
    try right.serve(80, padding: 2_000_000)
    #expect(try right.download(leftAddress, 80) > 2_000_000)
    #expect(try left.download(rightAddress, 80) > 2_000_000)
  }

  /// The VXLAN devices of a host, as `ip -d -j link` has them.
  private func devices(_ host: Sandbox) throws -> [JSON] { try host.json("-d link show type vxlan").array }

  private func remotes(_ host: Sandbox) throws -> [String] {
    let name = try devices(host).first?["ifname"].string ?? ""
    return try JSON(parsing: host.sh("bridge -j fdb show dev \(name)")).array
      .filter { $0["mac"].string == "00:00:00:00:00:00" }.compactMap { $0["dst"].string }.sorted()
  }

  @Test func containersOfTwoHostsAreOnOneSegment() throws {
    try HostPair.plain { one, two in
      for (number, host) in [one, two].enumerated() { try write(host, number) }
      let left = try one.started("c1", ["wirehook.ip": "100.1.1.1/24"])
      let right = try two.started("c1", ["wirehook.ip": "100.1.1.2/24"])
      let device = try #require(try devices(one).first)
      #expect(device["ifname"].string?.hasPrefix("wx") == true)
      #expect(device["master"].string == "br1")
      let data = device["linkinfo"]["info_data"]
      #expect(data["id"].int == 42 && data["port"].int == 4789 && data["local"].string == "192.168.1.9")
      #expect(try remotes(one) == ["192.168.1.10"])
      #expect(try left.json("link show eth0")[0]["mtu"].int == 1450)
      try expectJoined(left, "100.1.1.1", right, "100.1.1.2")
    }
  }

  @Test func aMulticastGroupJoinsTheHosts() throws {
    try HostPair.plain { one, two in
      for (number, host) in [one, two].enumerated() {
        try write(host, number, #"{"id": 7, "local": "\#(HostPair.addresses[number])", "remotes": ["239.1.1.1"]}"#)
      }
      let left = try one.started("c1", ["wirehook.ip": "100.1.1.1/24"])
      let right = try two.started("c1", ["wirehook.ip": "100.1.1.2/24"])
      #expect(try devices(one).first?["linkinfo"]["info_data"]["group"].string == "239.1.1.1")
      try expectJoined(left, "100.1.1.1", right, "100.1.1.2")
      #expect(try one.wirehook("check").exitCode == 0)
    }
  }

  @Test func anotherSubnetOnTheSegmentIsReachedByARoute() throws {
    try HostPair.plain { one, two in
      try write(one, 0)
      try write(two, 1, subnet: "100.1.2")
      let left = try one.started("c1", ["wirehook.ip": "100.1.1.1/24", "wirehook.routes": "100.1.2.0/24 dev eth0"])
      let right = try two.started("c1", ["wirehook.ip": "100.1.2.1/24", "wirehook.routes": "100.1.1.0/24 dev eth0"])
      try expectJoined(left, "100.1.1.1", right, "100.1.2.1")
    }
  }

  @Test func aPortThatIsAskedForIsUsed() throws {
    try HostPair.plain { one, two in
      for (number, host) in [one, two].enumerated() {
        let (own, other) = (HostPair.addresses[number], HostPair.addresses[1 - number])
        try write(host, number, #"{"id": 7, "local": "\#(own)", "remotes": ["\#(other)"], "port": 8472}"#)
      }
      let left = try one.started("c1", ["wirehook.ip": "100.1.1.1"])
      _ = try two.started("c1", ["wirehook.ip": "100.1.1.2"])
      #expect(try devices(two).first?["linkinfo"]["info_data"]["port"].int == 8472)
      #expect(try left.pings("100.1.1.2", within: 4))
    }
  }

  @Test func overIPv6TheTunnelTakesTwentyBytesMore() throws {
    try HostPair.plain { one, two in
      for (number, host) in [one, two].enumerated() {
        let (own, other) = ("fd01::\(9 + number)", "fd01::\(10 - number)")
        try host.ip("addr add \(own)/64 dev u0 nodad")
        try write(host, number, #"{"id": 42, "local": "\#(own)", "remotes": ["\#(other)"]}"#)
      }
      let left = try one.started("c1", ["wirehook.ip": "100.1.1.1"])
      let right = try two.started("c1", ["wirehook.ip": "100.1.1.2"])
      #expect(try left.json("link show eth0")[0]["mtu"].int == 1430)
      try expectJoined(left, "100.1.1.1", right, "100.1.1.2")
    }
  }

  @Test func remotesThatChangeInTheFileChangeAtTheNextAttach() throws {
    try HostPair.plain { host, _ in
      try write(host, 0, #"{"id": 42, "local": "192.168.1.9", "remotes": ["192.168.1.10", "192.168.1.11"]}"#)
      _ = try host.started("one")
      #expect(try remotes(host) == ["192.168.1.10", "192.168.1.11"])
      try write(host, 0, #"{"id": 42, "local": "192.168.1.9", "remotes": ["192.168.1.12", "192.168.1.10"]}"#)
      _ = try host.started("two")
      #expect(try remotes(host) == ["192.168.1.10", "192.168.1.12"])
    }
  }

  /// A device with that id on that port is there already, of somebody else: the kernel has room for one.
  @Test func anIDThatIsTakenOnTheHostFailsTheAttach() throws {
    try HostPair.plain { host, _ in
      try host.ip("link add mine type vxlan id 42 local 192.168.1.9 dstport 4789")
      try write(host, 0)
      let web = try host.container("web")
      let result = try host.tryAttach(web)
      expectOneErrorLine(result, naming: ["42"])
      #expect(try web.links() == ["lo"])
      #expect(try devices(host).compactMap { $0["ifname"].string } == ["mine"])
    }
  }

  /// What somebody takes away of the tunnel is seen and put back.
  @Test(arguments: ["device", "remote"]) func aTunnelThatWasTakenAwayIsRepaired(what: String) throws {
    try HostPair.plain { one, two in
      for (number, host) in [one, two].enumerated() { try write(host, number) }
      let left = try one.started("c1", ["wirehook.ip": "100.1.1.1"])
      _ = try two.started("c1", ["wirehook.ip": "100.1.1.2"])
      #expect(try left.pings("100.1.1.2", within: 4))
      let name = try #require(try devices(one).first?["ifname"].string)
      switch what {
      case "device": try one.ip("link del \(name)")
      default: try one.sh("bridge fdb del 00:00:00:00:00:00 dev \(name) dst 192.168.1.10")
      }
      let seen = try one.wirehook("check")
      #expect(seen.exitCode == 1, "\(seen)")
      #expect(try one.wirehook("repair").exitCode == 0)
      #expect(try one.wirehook("check").exitCode == 0)
      #expect(try remotes(one) == ["192.168.1.10"])
      #expect(try left.pings("100.1.1.2", within: 4))
    }
  }
}
