import Support
import Testing

/// `check` sees what somebody took away of a network on Open vSwitch, `repair` puts it back.
@Suite(needsOVS) struct OVSRepairTests {
  /// What is done, and a word of what `check` then says. `%` stands for the host end.
  private static let damages:
    [(name: String, damage: @Sendable (Sandbox, RealSwitch, String) throws -> Void, said: String)] = [
      ("the port is deleted", { _, ovs, port in try ovs.vsctl("del-port \(port)") }, "%"),
      ("the bridge is deleted", { _, ovs, _ in try ovs.vsctl("del-br br1") }, "br1"),
      ("the tag was changed", { _, ovs, port in try ovs.vsctl("set port \(port) tag=99") }, "VLAN 10"),
      ("the tag was cleared", { _, ovs, port in try ovs.vsctl("clear port \(port) tag") }, "VLAN 10"),
      ("the marks were cleared", { _, ovs, port in try ovs.vsctl("clear port \(port) external_ids") }, "%"),
      ("the gateway's port is deleted", { _, ovs, _ in try ovs.vsctl("del-port br1.10") }, "br1.10"),
      (
        "the gateway's address is gone", { host, _, _ in try host.ip("addr flush dev br1.10 scope global") },
        "100.1.1.254"
      ),
      ("the gateway is down", { host, _, _ in try host.ip("link set br1.10 down") }, "br1.10"),
      ("the host end is down", { host, _, port in try host.ip("link set \(port) down") }, "%"),
      ("the host end does ARP", { host, _, port in try host.ip("link set \(port) arp on") }, "%"),
      ("the pair is gone", { host, _, port in try host.ip("link del \(port)") }, "%"),
      ("the ruleset is flushed", { host, _, _ in try host.nft("flush ruleset") }, "inet wirehook"),
      (
        "the host end's chain is gone",
        { host, _, port in try host.sh("nft delete chain inet wirehook ingress-\(port)") }, "%"
      ),
    ]

  @Test(arguments: 0..<13) func whatWasTakenAwayIsSeenAndPutBack(number: Int) throws {
    let (name, damage, said) = Self.damages[number]
    try RealSwitch.withNetwork(#""vlan": 10"#) { host, ovs in
      let web = try host.started("web", ["wirehook.ip": "100.1.1.6", "wirehook.ports": "8080:80"])
      let twenty = try host.started("twenty", ["wirehook.vlan": "20", "wirehook.ip": "100.1.1.7"])
      try web.serve(80)
      let port = try ovs.hostEnd(of: "web")
      let clean = try host.wirehook("check")
      #expect(clean.exitCode == 0, "\(name): \(clean)")
      try damage(host, ovs, port)
      let seen = try host.wirehook("check")
      #expect(seen.exitCode == 1 && seen.stdout.contains(said.replacing("%", with: port)), "\(name): \(seen)")
      let repaired = try host.wirehook("repair")
      #expect(repaired.exitCode == 0, "\(name): \(repaired)")
      let after = try host.wirehook("check")
      #expect(after.exitCode == 0, "\(name): \(after)")
      #expect(try host.outside.ask(Sandbox.address4, 8080, within: .seconds(3)).server == "web", "\(name)")
      let row = try #require(try ovs.ports(ofContainer: "web").first, "\(name)")
      #expect(row["tag"].int == 10, "\(name)")
      #expect(try !twenty.pings("100.1.1.6", within: 0), "\(name)")
    }
  }

  /// The device is ours, whoever made a port of it.
  @Test func aHostEndThatSomebodyPutOnAnotherBridgeComesBack() throws {
    try RealSwitch.withNetwork { host, ovs in
      let web = try host.started("web")
      let port = try ovs.hostEnd(of: "web")
      try ovs.vsctl("add-br br2 -- set bridge br2 datapath_type=\(RealSwitch.datapath)")
      try ovs.vsctl("del-port \(port) -- add-port br2 \(port)")
      let repaired = try host.wirehook("repair")
      #expect(repaired.exitCode == 0, "\(repaired)")
      #expect(try ovs.ports(of: "br2") == [])
      #expect(try ovs.ports(of: "br1").contains(port))
      #expect(try web.pings("100.1.1.254"))
    }
  }

  @Test func withoutTheDatabaseCheckSaysSo() throws {
    try RealSwitch.withNetwork { host, ovs in
      try ovs.writeMain(["timeout_ms": .number(800)])
      _ = try host.started("web")
      ovs.kill(.database)
      let result = try host.wirehook("check")
      #expect(result.exitCode == 1)
      #expect((result.stdout + result.stderr).contains(ovs.socket), "\(result)")
      #expect(result.duration < .seconds(8))
    }
  }

  @Test func aRepairMakesNoTunnelTwice() throws {
    try HostPair.switched { ovs, _ in
      let host = ovs.host
      try ovs.writeNetwork(#""vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": ["192.168.1.10"]}"#)
      _ = try host.started("web")
      let before = try ovs.configuration()
      let tunnel = try #require(try ovs.rows("Interface", "type=vxlan").first?["name"].string)
      for damage in ["del-port \(tunnel)", "set interface \(tunnel) options:remote_ip=192.168.1.11"] {
        try ovs.vsctl(damage)
        let seen = try host.wirehook("check")
        #expect(seen.exitCode == 1 && seen.stdout.contains("192.168.1.10"), "\(damage): \(seen)")
        #expect(try host.wirehook("repair").exitCode == 0, "\(damage)")
        #expect(try ovs.configuration() == before, "\(damage)")
      }
    }
  }
}
