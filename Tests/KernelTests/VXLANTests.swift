import Glibc
import Testing
import WireCore
import WireLinux

@testable import WireNetlink

@Suite struct VXLANTests {
  @Test func theRequestsOfATunnel() throws {
    let group = VXLANSettings(id: 77, group: address("239.1.1.1"), link: 3)
    let list = VXLANSettings(id: 42, local: address("192.0.2.1"), port: 4790, isLearning: false)
    var batch = Batch()
    batch.createVXLAN(try name("vx1"), LinkSettings(), group)
    batch.createVXLAN(try name("vx2"), LinkSettings(mtu: 1450, master: 7, isUp: true), list)
    batch.createVXLAN(try name("vx3"), LinkSettings(), VXLANSettings(id: 43), family: .ipv6)
    batch.appendFlood(9, to: address("192.0.2.9"))
    batch.deleteFlood(9, to: address("2001:db8::9"))
    let text = try MessageText.of(batch)
    #expect(
      text == """
        RTM_NEWLINK CREATE EXCL
          IFLA_IFNAME  4  "vx1"
          IFLA_LINKINFO  nest
            IFLA_INFO_KIND  6  "vxlan"
            IFLA_INFO_DATA  nest
              IFLA_VXLAN_ID  4  77
              IFLA_VXLAN_GROUP  4  239.1.1.1
              IFLA_VXLAN_LINK  4  3
              IFLA_VXLAN_LEARNING  1  1
              IFLA_VXLAN_PORT  2  12 b5
        RTM_NEWLINK CREATE EXCL  flags 1  change 1
          IFLA_IFNAME  4  "vx2"
          IFLA_MTU  4  1450
          IFLA_MASTER  4  7
          IFLA_LINKINFO  nest
            IFLA_INFO_KIND  6  "vxlan"
            IFLA_INFO_DATA  nest
              IFLA_VXLAN_ID  4  42
              IFLA_VXLAN_LOCAL  4  192.0.2.1
              IFLA_VXLAN_LEARNING  1  0
              IFLA_VXLAN_PORT  2  12 b6
        RTM_NEWLINK CREATE EXCL
          IFLA_IFNAME  4  "vx3"
          IFLA_LINKINFO  nest
            IFLA_INFO_KIND  6  "vxlan"
            IFLA_INFO_DATA  nest
              IFLA_VXLAN_ID  4  43
              IFLA_VXLAN_LOCAL6  16  ::
              IFLA_VXLAN_LEARNING  1  1
              IFLA_VXLAN_PORT  2  12 b5
        RTM_NEWNEIGH CREATE APPEND  family 7  index 9  state 192  flags 2
          NDA_LLADDR  6  00 00 00 00 00 00
          NDA_DST  4  192.0.2.9
        RTM_DELNEIGH  family 7  index 9  state 192  flags 2
          NDA_LLADDR  6  00 00 00 00 00 00
          NDA_DST  16  2001:db8::9

        """)
  }

  @Test(
    .enabled(if: Machine.hasRoot, "needs root"),
    arguments: [
      VXLANSettings(id: 42), VXLANSettings(id: 16_777_215, local: address("192.0.2.1"), port: 4790, isLearning: false),
      VXLANSettings(id: 1, local: address("2001:db8::1"), group: address("ff05::1"), link: 1),
      VXLANSettings(id: 2, group: address("239.1.1.1"), link: 1),
    ])
  func aTunnelReadsBackAsItWasMade(_ vxlan: VXLANSettings) throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      let bridge = try makeBridge(socket)
      var batch = Batch()
      batch.createVXLAN(try name("vx0"), LinkSettings(mtu: 1350, master: bridge), vxlan)
      try socket.send(batch, until: .soon)
      let link = try #require(try socket.link(.name(try name("vx0")), until: .soon))
      #expect(link.vxlan == vxlan)
      #expect(link.kind == "vxlan" && link.master == bridge && link.mtu == 1350 && link.peerIndex == nil)
      #expect(try socket.link(.index(bridge), until: .soon)?.vxlan == nil)
      let shown = try #require(try objects("ip -d -j link show dev vx0").first?["linkinfo"] as? [String: Any])
      let info = try #require(shown["info_data"] as? [String: Any])
      #expect(info["id"] as? UInt32 == vxlan.id)
      #expect(info["port"] as? UInt16 == vxlan.port)
      #expect(info["learning"] as? Bool ?? false == vxlan.isLearning)
      #expect((info["local"] ?? info["local6"]) as? String == vxlan.local?.description)
    }
  }

  @Test(.enabled(if: Machine.hasRoot, "needs root"), arguments: [Family.ipv4, .ipv6])
  func aFloodListIsChangedAndRead(_ family: Family) throws {
    try NetworkNamespace.withFresh {
      let socket = try NetlinkSocket(.route)
      let bridge = try makeBridge(socket)
      let remotes = family == .ipv4 ? ["192.0.2.9", "192.0.2.10"] : ["2001:db8::9", "2001:db8::10"]
      let (first, second) = (address(remotes[0]), address(remotes[1]))
      var batch = Batch()
      for (id, link) in [(1, "vx1"), (2, "vx2")] {
        batch.createVXLAN(
          try name(link), LinkSettings(master: bridge, isUp: true), VXLANSettings(id: UInt32(id)), family: family)
      }
      try socket.send(batch, until: .soon)
      let (link, other) = try (
        #require(socket.index(of: try name("vx1"))), #require(socket.index(of: try name("vx2")))
      )
      #expect(try socket.floodDestinations(of: link, until: .soon) == [])
      batch = Batch()
      for remote in [first, second, first] { batch.appendFlood(link, to: remote) }
      batch.appendFlood(other, to: second)
      try socket.send(batch, until: .soon)
      #expect(try Set(socket.floodDestinations(of: link, until: .soon)) == [first, second])
      #expect(try socket.floodDestinations(of: other, until: .soon) == [second])
      let shown = try shell("bridge fdb show dev vx1")
      for remote in remotes { #expect(shown.contains("00:00:00:00:00:00 dst \(remote) self permanent")) }

      batch = Batch()
      batch.deleteFlood(link, to: first)
      batch.deleteFlood(link, to: first)
      batch.deleteFlood(other, to: second)
      batch.deleteFlood(other, to: second)
      let refusals = try socket.attempt(batch, until: .soon)
      #expect(refusals.map(\.description) == ["RTM_DELNEIGH \(second): No such file or directory"])
      #expect(refusals.map(\.index) == [3])
      #expect(try socket.floodDestinations(of: link, until: .soon) == [second])
      #expect(try socket.floodDestinations(of: other, until: .soon) == [])
    }
  }

  /// Three hosts: a first with a wire to each of two others, and a bridge over VXLAN on each.
  @Test(
    .enabled(if: Machine.hasRoot, "needs root"),
    arguments: [(Family.ipv4, true), (.ipv4, false), (.ipv6, true), (.ipv6, false)])
  func everyRemoteIsReached(_ family: Family, _ isLearning: Bool) throws {
    try NetworkNamespace.withFresh {
      let second = try Container()
      let third = try Container()
      let (wires, length) =
        family == .ipv4 ? (["192.0.2.", "198.51.100."], 24) : (["2001:db8:1::", "2001:db8:2::"], 64)
      let socket = try NetlinkSocket(.route)
      var batch = Batch()
      batch.createVeth(
        try name("u2"), LinkSettings(isUp: true), peer: try name("u0"), LinkSettings(), in: second.namespace)
      batch.createVeth(
        try name("u3"), LinkSettings(isUp: true), peer: try name("u0"), LinkSettings(), in: third.namespace)
      try socket.send(batch, until: .soon)
      for (wire, link) in zip(wires, ["u2", "u3"]) {
        try shell("ip addr add \(wire)1/\(length) dev \(link) \(family == .ipv6 ? "nodad" : "")")
      }
      let vxlan = VXLANSettings(id: 42, isLearning: isLearning)
      let remotes = wires.map { address("\($0)2") }
      try makeSegment("10.9.0.1/24", vxlan, to: Array(remotes.prefix(1)), family)
      for (number, wire) in wires.enumerated() {
        let setUp = {
          try shell("ip link set u0 up; ip addr add \(wire)2/\(length) dev u0 \(family == .ipv6 ? "nodad" : "")")
          try makeSegment("10.9.0.\(number + 2)/24", vxlan, to: [address("\(wire)1")], family)
        }
        if number == 0 { try second.run(setUp) } else { try third.run(setUp) }
      }
      #expect(try reaches("10.9.0.2"))
      #expect(try !reaches("10.9.0.3", tries: 1))
      batch = Batch()
      batch.appendFlood(try #require(socket.index(of: try name("vx0"))), to: remotes[1])
      try socket.send(batch, until: .soon)
      #expect(try reaches("10.9.0.3"))
      #expect(try reaches("10.9.0.2"))
    }
  }
}

/// A bridge with an address of its own and a tunnel to `remotes` as its port.
private func makeSegment(
  _ own: String, _ vxlan: VXLANSettings, to remotes: [IPAddress], _ family: Family
) throws {
  let socket = try NetlinkSocket(.route)
  var batch = Batch()
  batch.createBridge(try name("wh0"), LinkSettings(isUp: true))
  try socket.send(batch, until: .soon)
  let bridge = try #require(socket.index(of: try name("wh0")))
  batch = Batch()
  batch.createVXLAN(try name("vx0"), LinkSettings(mtu: 1400, master: bridge, isUp: true), vxlan, family: family)
  batch.addAddress(Address(prefix(own), link: bridge))
  try socket.send(batch, until: .soon)
  batch = Batch()
  for remote in remotes { batch.appendFlood(try #require(socket.index(of: try name("vx0"))), to: remote) }
  try socket.send(batch, until: .soon)
}

private func reaches(_ address: String, tries: Int = 20) throws -> Bool {
  try shell("for try in $(seq \(tries)); do ping -qc1 -W1 \(address) >/dev/null && echo yes && break; done; true")
    == "yes\n"
}
