import Support
import Testing

/// What the command line tells of networks with Open vSwitch and of tunnels.
@Suite(needsOVS) struct OVSListTests {
  @Test func aNetworkIsShownWithItsPortsAndTheirOwners() throws {
    try RealSwitch.withNetwork(#""vlan": 10"#) { host, ovs in
      _ = try host.started("web", ["wirehook.ip": "100.1.1.6"])
      let port = try ovs.hostEnd(of: "web")
      let network = try JSON(parsing: host.wirehook("network", "inspect", "ovsnet", "--json").stdout)
      #expect(network["name"].string == "ovsnet")
      #expect(network["driver"].string == "ovs")
      #expect(network["bridge"].string == "br1")
      #expect(network["datapath"].string == RealSwitch.datapath)
      let own = network["ports"].array.first { $0["name"].string == port }
      #expect(own?["owner"].string == "eth0 of web")
      #expect(own?["vlan"].string == "10" && own?["state"].string == "up")
      let text = try host.wirehook("network", "inspect", "ovsnet").stdout
      for part in ["br1", port, "web", "100.1.1.0/24", "100.1.1.254", RealSwitch.datapath] {
        #expect(text.contains(part), "\"\(part)\" is not in: \(text)")
      }
    }
  }

  @Test func aTunnelIsShownWithRemoteAndState() throws {
    try HostPair.switched { ovs, _ in
      try ovs.writeNetwork(#""vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": ["192.168.1.10"]}"#)
      _ = try ovs.host.started("web")
      let network = try JSON(parsing: ovs.host.wirehook("network", "inspect", "ovsnet", "--json").stdout)
      let tunnels = network["tunnels"].array
      #expect(tunnels.count == 1)
      #expect(tunnels.first?["remote"].string == "192.168.1.10")
      #expect(tunnels.first?["state"].string == "up")
      #expect(try ovs.host.wirehook("network", "inspect", "ovsnet").stdout.contains("192.168.1.10"))
    }
  }

  @Test func networksAreListed() throws {
    try RealSwitch.withNetwork { host, _ in
      let list = try JSON(parsing: host.wirehook("network", "ls", "--json").stdout).array
      #expect(list.compactMap { $0["name"].string }.sorted() == ["front", "ovsnet"])
      #expect(list.first { $0["name"].string == "ovsnet" }?["driver"].string == "ovs")
      let text = try host.wirehook("network", "ls").stdout
      #expect(text.contains("ovsnet") && text.contains("br1"), "\(text)")
      expectOneErrorLine(try host.wirehook("network", "inspect", "nope"), naming: ["nope"])
    }
  }

  @Test func aContainerIsShownWithPortAndTag() throws {
    try RealSwitch.withNetwork(#""vlan": 10"#) { host, ovs in
      _ = try host.started("web")
      let interface = try #require(try host.list().first)["interfaces"][0]
      let port = try ovs.hostEnd(of: "web")
      #expect(interface["driver"].string == "ovs")
      #expect(interface["host"].string == port)
      #expect(interface["vlan"].text.contains("10"))
      let text = try host.wirehook("ls").stdout
      #expect(text.contains(port) && text.contains("10"), "\(text)")
      #expect(try host.wirehook("inspect", "web").stdout.contains(port))
    }
  }

  @Test func withoutTheDatabaseTheListsComeInTime() throws {
    try RealSwitch.withNetwork { host, ovs in
      try ovs.writeMain(["timeout_ms": .number(800)])
      _ = try host.started("web")
      ovs.pause(.database)
      for words in [["ls"], ["network", "ls"], ["network", "inspect", "ovsnet"]] {
        let result = try host.run([Built.path("wirehook")] + words + ["--config", host.configFile])
        #expect(result.duration < .seconds(8), "\(result)")
      }
      #expect(try host.list().count == 1)
    }
  }
}
