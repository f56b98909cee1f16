import Support
import Testing

/// VLANs on one Open vSwitch bridge: who hears whom, and what stands in the database.
@Suite(needsOVS) struct OVSVLANTests {
  private func host(_ body: (Sandbox, RealSwitch) throws -> Void) throws {
    try RealSwitch.withNetwork(#""vlan": 10"#) { host, ovs in try body(host, ovs) }
  }

  @Test func twoVLANsDoNotHearEachOther() throws {
    try host { host, ovs in
      let ten = try host.started("ten", ["wirehook.ip": "100.1.1.1"])
      let also = try host.started("also", ["wirehook.ip": "100.1.1.2"])
      let twenty = try host.started("twenty", ["wirehook.ip": "100.1.1.3", "wirehook.vlan": "20"])
      let fellow = try host.started("fellow", ["wirehook.ip": "100.1.1.4", "wirehook.vlan": "20"])
      #expect(try ovs.row("Port", ovs.hostEnd(of: "ten"))["tag"].int == 10)
      #expect(try ovs.row("Port", ovs.hostEnd(of: "twenty"))["tag"].int == 20)
      for container in [also, twenty, fellow] { try container.watchARP(for: "100.1.1.99") }
      #expect(try ten.pings("100.1.1.2"))
      #expect(try twenty.pings("100.1.1.4"))
      #expect(try !ten.pings("100.1.1.3", within: 0))
      #expect(try !ten.pings("100.1.1.99", within: 0), "nobody has it")
      #expect(try also.seenARP() > 0, "broadcast in VLAN 10")
      #expect(try twenty.seenARP() == 0)
      #expect(try fellow.seenARP() == 0)
      // By the right MAC address, which the switch has learnt in VLAN 20 alone.
      try ten.ip("neigh replace 100.1.1.3 lladdr \(twenty.mac(of: "eth0")) dev eth0 nud permanent")
      try twenty.ip("neigh replace 100.1.1.1 lladdr \(ten.mac(of: "eth0")) dev eth0 nud permanent")
      #expect(try !ten.pings("100.1.1.3", within: 0))
    }
  }

  /// In userspace the host's own stack sees what a container sends, on the veth, past the switch and its VLANs.
  @Test func aFrameToTheHostEndsOwnMACIsNotHeard() throws {
    try host { host, ovs in
      _ = try host.started("ten", ["wirehook.ip": "100.1.1.1"])
      let twenty = try host.started("twenty", ["wirehook.ip": "100.1.1.3", "wirehook.vlan": "20"])
      let server = try host.serve(7)
      defer { server.stop() }
      let link = try ovs.hostEnd(of: "twenty")
      let mac = try host.mac(of: link)
      for address in ["100.1.1.254", "100.1.1.1"] {
        try twenty.ip("neigh replace \(address) lladdr \(mac) dev eth0 nud permanent")
      }
      for address in ["100.1.1.254", Sandbox.address4] {
        #expect(try twenty.askUDP(address, 7, within: .milliseconds(200)).server == nil)
      }
      #expect(try !twenty.pings("100.1.1.1", within: 0), "a container of the other VLAN, by the host")
      #expect(server.count == 0)
      // So that the silence is known to be the chain's work.
      try host.sh("nft delete chain inet wirehook ingress-\(link)")
      for address in ["100.1.1.254", Sandbox.address4] {
        _ = try twenty.askUDP(address, 7, within: .milliseconds(200))
      }
      #expect(server.count > 0)
    }
  }

  @Test func theGatewayStandsInTheVLANOfItsNetwork() throws {
    try host { host, ovs in
      let ten = try host.started("ten", ["wirehook.ip": "100.1.1.1", "wirehook.ports": "8080:80"])
      let twenty = try host.started("twenty", ["wirehook.ip": "100.1.1.3", "wirehook.vlan": "20"])
      #expect(try ovs.row("Port", "br1.10")["tag"].int == 10)
      #expect(try ovs.row("Interface", "br1.10")["type"].string == "internal")
      #expect(try host.addresses("br1.10") == ["100.1.1.254/24"])
      #expect(try host.addresses("br1") == [])
      #expect(try ten.pings("100.1.1.254"))
      #expect(try ten.pings(Sandbox.outside4))
      #expect(try !twenty.pings("100.1.1.254", within: 0))
      try ten.serve(80)
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "ten")
      #expect(try host.ask("127.0.0.1", 8080).server == "ten")
    }
  }

  @Test func twoNetworksMayShareABridgeInTwoVLANs() throws {
    try host { host, ovs in
      try host.writeNetwork(
        "twenty", RealSwitch.members(subnet: "100.1.2.0/24", gateway: "100.1.2.254", #""vlan": 20"#))
      let ten = try host.started("ten")
      let twenty = try host.started("twenty", ["wirehook.network": "twenty"])
      #expect(try ten.pings("100.1.1.254"))
      #expect(try twenty.pings("100.1.2.254"))
      #expect(try ovs.ports(of: "br1").filter { $0.hasPrefix("br1.") } == ["br1.10", "br1.20"])
      try twenty.watchARP(for: "100.1.1.99")
      #expect(try !ten.pings("100.1.1.99", within: 0))
      #expect(try twenty.seenARP() == 0)
    }
  }

  @Test func aTrunkCarriesItsVLANsWithTheirTags() throws {
    try host { host, ovs in
      let trunk = try host.started("trunk", ["wirehook.vlan": "trunk:10,20-22", "wirehook.ip": "100.1.1.9"])
      let port = try ovs.row("Port", ovs.hostEnd(of: "trunk"))
      #expect(port["vlan_mode"].string == "trunk")
      #expect(port["trunks"].array.compactMap(\.int) == [10, 20, 21, 22])
      #expect(port["tag"].array.isEmpty)
      let members = try [10, 20, 30].map { vlan in
        try host.started("vlan\(vlan)", ["wirehook.vlan": "\(vlan)", "wirehook.ip": "100.1.1.\(vlan)"])
      }
      for member in members { try member.watchARP(for: "100.1.1.99") }
      try trunk.watchARP(for: "100.1.1.98")
      let mac = try trunk.mac(of: "eth0")
      for vlan in [10, 20, 30] as [UInt16] {
        try trunk.send(Frame.arpRequest(for: "100.1.1.99", from: "100.1.1.9", mac: mac, vlan: vlan), by: "eth0")
      }
      // Without a tag it belongs to no VLAN of the trunk.
      try trunk.send(Frame.arpRequest(for: "100.1.1.99", from: "100.1.1.9", mac: mac), by: "eth0")
      for (member, own) in zip(members, ["100.1.1.10", "100.1.1.20", "100.1.1.30"]) {
        let mac = try member.mac(of: "eth0")
        try member.send(Frame.arpRequest(for: "100.1.1.98", from: own, mac: mac), by: "eth0")
      }
      let seen = { try (members + [trunk]).map { try $0.seenARP() } }
      _ = try eventually(within: .seconds(10)) { try seen() == [1, 1, 0, 2] }
      #expect(try seen() == [1, 1, 0, 2])
    }
  }

  @Test(arguments: ["0", "4095", "trunk:", "trunk:10-5", "trunk:10,4095", "access:10", "10,20"])
  func aVLANThatIsNoneIsRefusedByKeyAndValue(vlan: String) throws {
    try host { host, ovs in
      try expectRefused(ovs, host.container("web"), ["wirehook.vlan": vlan], naming: ["wirehook.vlan", "\"\(vlan)"])
    }
  }
}
