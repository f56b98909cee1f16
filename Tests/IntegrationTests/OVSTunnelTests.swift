import Support
import Testing

/// VXLAN between two hosts with Open vSwitch: one segment, or two subnets on it.
@Suite(needsOVS) struct OVSTunnelTests {
  /// The network of a host: gateways differ, since all is one segment.
  private func write(_ ovs: RealSwitch, _ number: Int, key: String = #""key": "flow""#, _ more: String = "") throws {
    let (own, other) = (HostPair.addresses[number], HostPair.addresses[1 - number])
    let vxlan = #""vxlan": {\#(key), "local": "\#(own)", "remotes": ["\#(other)"]}"#
    try ovs.writeNetwork(gateway: "100.1.1.\(253 + number)", more.isEmpty ? vxlan : "\(vxlan), \(more)")
  }

  private func pair(
    key: String = #""key": "flow""#, _ more: String = "", _ body: (RealSwitch, RealSwitch) throws -> Void
  ) throws {
    try HostPair.switched { one, two in
      for (number, ovs) in [one, two].enumerated() { try write(ovs, number, key: key, more) }
      try body(one, two)
    }
  }

  /// Ping, and 2 MB over TCP in both directions.
  private func expectJoined(_ left: Container, _ leftAddress: String, _ right: Container, _ rightAddress: String) throws
  {
    #expect(try left.pings(rightAddress, within: 4))
    #expect(try right.pings(leftAddress))
    try left.serve(80, padding: 2_000_000)
    try right.serve(80, padding: 2_000_000)
    #expect(try right.download(leftAddress, 80) > 2_000_000)
    #expect(try left.download(rightAddress, 80) > 2_000_000)
  }

  @Test(arguments: [#""key": "flow""#, #""id": 42"#]) func containersOfTwoHostsAreOnOneSegment(key: String) throws {
    try pair(key: key) { one, two in
      let left = try one.host.started("c1", ["wirehook.ip": "100.1.1.1/24"])
      let right = try two.host.started("c1", ["wirehook.ip": "100.1.1.2/24"])
      let tunnel = try #require(try one.rows("Interface", "type=vxlan").first)
      #expect(tunnel["options"]["remote_ip"].string == "192.168.1.10")
      #expect(tunnel["options"]["local_ip"].string == "192.168.1.9")
      #expect(tunnel["options"]["key"].string == (key.contains("flow") ? "flow" : "42"))
      let name = try #require(tunnel["name"].string)
      #expect(name.hasPrefix("wx"))
      #expect(try one.row("Port", name)["external_ids"]["wirehook-tunnel"] != .null)
      #expect(try left.json("link show eth0")[0]["mtu"].int == 1450)
      try expectJoined(left, "100.1.1.1", right, "100.1.1.2")
    }
  }

  @Test func anotherSubnetOnTheSegmentIsReachedByARoute() throws {
    try pair { one, two in
      try two.writeNetwork(
        subnet: "100.1.2.0/24", gateway: "100.1.2.254",
        #""vxlan": {"key": "flow", "local": "192.168.1.10", "remotes": ["192.168.1.9"]}"#)
      let left = try one.host.started(
        "c1", ["wirehook.ip": "100.1.1.1/24", "wirehook.routes": "100.1.2.0/24 dev eth0"])
      let right = try two.host.started(
        "c1", ["wirehook.ip": "100.1.2.1/24", "wirehook.routes": "100.1.1.0/24 dev eth0"])
      try expectJoined(left, "100.1.1.1", right, "100.1.2.1")
    }
  }

  /// What people have: a bridge and a tunnel that they made with ovs-vsctl.
  @Test func onTheSpotTheUsersOwnTunnelCarries() throws {
    try HostPair.switched { one, two in
      for (ovs, remote) in [(one, "192.168.1.10"), (two, "192.168.1.9")] {
        try ovs.vsctl("add-br br1 -- set bridge br1 datapath_type=netdev")
        try ovs.vsctl("add-port br1 vx -- set interface vx type=vxlan options:remote_ip=\(remote) options:key=flow")
      }
      let wish = { ["wirehook.network": "ovs:br1", "wirehook.ip": $0] }
      let left = try one.host.started("c1", wish("100.1.1.1/24"))
      let right = try two.host.started("c1", wish("100.1.1.2/24"))
      #expect(try left.json("link show eth0")[0]["mtu"].int == 1450)
      try expectJoined(left, "100.1.1.1", right, "100.1.1.2")
      try one.host.stop(left)
      #expect(try one.ports(of: "br1") == ["vx"])
    }
  }

  /// The narrowest of the bridge's tunnels counts, those of other bridges do not, and who asks for more gets it.
  @Test func tunnelsOfTheUsersBridgeLowerTheMTU() throws {
    try RealSwitch.with { host, ovs in
      for bridge in ["br1", "br2"] { try ovs.vsctl("add-br \(bridge) -- set bridge \(bridge) datapath_type=netdev") }
      try ovs.vsctl("add-port br2 g6 -- set interface g6 type=geneve options:remote_ip=2001:db8::9")
      let wish = { (more: [String: String]) in
        ["wirehook.network": "ovs:br1", "wirehook.ip": "none"].merging(more) { $1 }
      }
      let mtu = { (container: Container) in try container.json("link show eth0")[0]["mtu"].int }
      #expect(try mtu(host.started("none", wish([:]))) == 1500)
      try ovs.vsctl("add-port br1 gr -- set interface gr type=gre options:remote_ip=192.0.2.9")
      #expect(try mtu(host.started("gre", wish([:]))) == 1458)
      try ovs.vsctl("add-port br1 vx -- set interface vx type=vxlan options:remote_ip=flow options:key=flow")
      #expect(try mtu(host.started("flow", wish([:]))) == 1450)
      #expect(try mtu(host.started("asked", wish(["wirehook.mtu": "1500"]))) == 1500)
    }
  }

  @Test func aVLANGoesThroughTheTunnelAndTheOthersStayApart() throws {
    try pair(#""vlan": 10"#) { one, two in
      let left = try one.host.started("c1", ["wirehook.ip": "100.1.1.1"])
      let right = try two.host.started("c1", ["wirehook.ip": "100.1.1.2"])
      let other = try two.host.started("c2", ["wirehook.ip": "100.1.1.3", "wirehook.vlan": "20"])
      let fellow = try one.host.started("c2", ["wirehook.ip": "100.1.1.4", "wirehook.vlan": "20"])
      #expect(try left.pings("100.1.1.2", within: 4))
      #expect(try fellow.pings("100.1.1.3", within: 4))
      for container in [right, other] { try container.watchARP(for: "100.1.1.99") }
      #expect(try !left.pings("100.1.1.3", within: 0))
      #expect(try !left.pings("100.1.1.99", within: 0))
      #expect(try right.seenARP() > 0)
      #expect(try other.seenARP() == 0)
    }
  }

  @Test func remotesThatChangeInTheFileChangeAtTheNextAttach() throws {
    try RealSwitch.with { host, ovs in
      try host.ip("addr add 192.168.1.9/24 dev up0")
      let remotes = {
        try ovs.rows("Interface", "type=vxlan").compactMap { $0["options"]["remote_ip"].string }.sorted()
      }
      let write = { (list: String) in
        try ovs.writeNetwork(#""vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": [\#(list)]}"#)
      }
      try write(#""192.168.1.10", "192.168.1.11""#)
      _ = try host.started("one")
      #expect(try remotes() == ["192.168.1.10", "192.168.1.11"])
      try ovs.vsctl(
        "add-port br1 mine -- set interface mine type=vxlan options:remote_ip=192.168.1.77 options:key=7")
      try write(#""192.168.1.11", "192.168.1.12""#)
      _ = try host.started("two")
      #expect(try remotes() == ["192.168.1.11", "192.168.1.12", "192.168.1.77"])
      try write("")
      _ = try host.started("three")
      #expect(try remotes() == ["192.168.1.77"])
      #expect(try host.wirehook("gc").exitCode == 0)
      #expect(try ovs.ports(of: "br1").contains("mine"))
    }
  }

  /// Each host of a full mesh has a tunnel to each other one: what came out of one and went into the next would go round
  /// for ever. Two bridges of host two stand for two hosts.
  @Test func whatComesOutOfATunnelGoesIntoNoOther() throws {
    try HostPair.switched { one, two in
      try two.host.ip("addr add 192.168.1.11/24 dev br-ex")
      try one.writeNetwork(
        #""vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": ["192.168.1.10", "192.168.1.11"]}"#)
      let here = try one.host.started("here", ["wirehook.ip": "100.1.1.1"])
      let there = try [10, 11].map { number in
        try two.vsctl("add-br br\(number) -- set bridge br\(number) datapath_type=netdev")
        try two.vsctl(
          "add-port br\(number) vx\(number) -- set interface vx\(number) type=vxlan options:key=flow "
            + "options:local_ip=192.168.1.\(number) options:remote_ip=192.168.1.9")
        return try two.host.started(
          "c\(number)", ["wirehook.network": "ovs:br\(number)", "wirehook.ip": "100.1.1.\(number)/24"])
      }
      for container in there { #expect(try container.pings("100.1.1.1", within: 4), "\(container.id)") }
      for container in [here, there[1]] { try container.watchARP(for: "100.1.1.99") }
      #expect(try !there[0].pings("100.1.1.99", within: 0))
      #expect(try here.seenARP() > 0)
      #expect(try there[1].seenARP() == 0)
    }
  }

  /// The user's tunnel is there first, with the same remote and key: the switch cannot have it twice.
  @Test func aTunnelThatTheSwitchRefusesFailsTheAttach() throws {
    try RealSwitch.with { host, ovs in
      try host.ip("addr add 192.168.1.9/24 dev up0")
      try ovs.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev")
      try ovs.vsctl(
        "add-port br0 mine -- set interface mine type=vxlan options:remote_ip=192.168.1.10 options:local_ip=192.168.1.9 options:key=flow"
      )
      try ovs.writeNetwork(#""vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": ["192.168.1.10"]}"#)
      let web = try host.container("web")
      let result = try host.tryAttach(web)
      expectOneErrorLine(result, naming: ["192.168.1.10"])
      #expect(try web.links() == ["lo"])
      #expect(try ovs.ports(ofContainer: "web") == [])
      #expect(try ovs.ports(of: "br0") == ["mine"])
      #expect(try ovs.rows("Interface", "type=vxlan").count == 1)
    }
  }

  @Test func overIPv6TheTunnelTakesTwentyBytesMore() throws {
    try HostPair.switched { one, two in
      for (number, ovs) in [one, two].enumerated() {
        let (own, other) = ("fd01::\(9 + number)", "fd01::\(10 - number)")
        try ovs.host.ip("addr add \(own)/64 dev br-ex nodad")
        try ovs.writeNetwork(
          gateway: "100.1.1.\(253 + number)", #""vxlan": {"id": 42, "local": "\#(own)", "remotes": ["\#(other)"]}"#)
      }
      let left = try one.host.started("c1", ["wirehook.ip": "100.1.1.1"])
      let right = try two.host.started("c1", ["wirehook.ip": "100.1.1.2"])
      #expect(try left.json("link show eth0")[0]["mtu"].int == 1430)
      try expectJoined(left, "100.1.1.1", right, "100.1.1.2")
    }
  }
}
