import Foundation
import Support
import Testing

/// `wirehook network create` and `rm`.
@Suite(needsRoot) struct LiveNetworkTests {
  private func file(_ host: Sandbox, _ name: String) -> String { "\(host.folder)/networks.d/\(name).json" }

  @Test func whatIsCreatedWorksAndWhatIsRemovedLeavesNothing() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let made = try host.wirehook("network", "create", "back")
      #expect(made.succeeded && made.stdout.contains("bridge wh-back"), "\(made)")
      let web = try host.started("web", ["wirehook.network": "back", "wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
      #expect(try host.outside.ask(Sandbox.address6, 8080).server == "web")
      let refused = try host.wirehook("network", "rm", "back")
      expectOneErrorLine(refused, naming: ["\"back\"", "\"web\" is on it"])
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web", "a refusal changes nothing")
      try host.stop(web)
      let removed = try host.wirehook("network", "rm", "back")
      #expect(removed.succeeded && removed.stdout.contains("removed bridge wh-back"), "\(removed)")
      #expect(!FileManager.default.fileExists(atPath: file(host, "back")))
      try expectUnchanged(host, since: before)
      expectOneErrorLine(try host.wirehook("network", "rm", "back"), naming: ["there is no such network"])
    }
  }

  @Test func freeSubnetsAvoidRoutesAndEachOther() throws {
    try Sandbox.with { host in
      try host.ip("route add 10.240.0.0/24 via \(Sandbox.outside4)")
      var seen: Set<String> = []
      for name in ["one", "two"] {
        let made = try JSON(parsing: host.wirehook("network", "create", name, "--json").stdout)
        let subnets = made["subnets"].array.compactMap { $0.string }
        #expect(subnets.count == 2 && subnets[0].hasSuffix(".0/24") && subnets[1].hasPrefix("fd"), "\(subnets)")
        #expect(!subnets.contains("10.240.0.0/24"))
        #expect(seen.isDisjoint(with: subnets))
        seen.formUnion(subnets)
      }
      #expect(try host.wirehook("config", "check").succeeded)
    }
  }

  @Test func everyOptionIsInTheFile() throws {
    try Sandbox.with { host in
      let words = [
        "network", "create", "far", "--driver", "ovs", "--subnet", "100.1.1.0/24", "--gateway", "100.1.1.254",
        "--subnet", "fd00:9::/64", "--bridge", "br1", "--mtu", "1400", "--vlan", "10", "--internal", "--isolate",
        "containers", "--no-masquerade", "--vxlan-key-flow", "--remote", "192.168.77.9", "--local", "192.168.77.1",
      ]
      let dry = try host.run([Built.path("wirehook")] + words + ["--dry-run", "--config", host.configFile])
      #expect(dry.succeeded && !FileManager.default.fileExists(atPath: file(host, "far")), "\(dry)")
      let made = try host.run([Built.path("wirehook")] + words + ["--config", host.configFile])
      #expect(made.succeeded, "\(made)")
      let text = try String(contentsOfFile: file(host, "far"), encoding: .utf8)
      #expect(text == dry.stdout)
      let json = try JSON(parsing: text)
      #expect(json["subnets"][0]["gateway"].string == "100.1.1.254" && json["subnets"][1]["gateway"] == .null)
      #expect(json["vxlan"]["key"].string == "flow" && json["vxlan"]["remotes"][0].string == "192.168.77.9")
      #expect(json["vlan"].int == 10 && json["mtu"].int == 1400 && json["isolate"].string == "containers")
      #expect(json["internal"] == .bool(true) && json["masquerade"] == .bool(false))
    }
  }

  @Test(arguments: [
    (["front"], "it is there already"), (["back", "--subnet", "10.210.4.0/25"], "overlaps 10.210.4.0/24"),
    (["back", "--subnet", "10.1.0.1/24"], "10.1.0.1/24"), (["back", "--gateway", "10.9.9.9"], "10.9.9.9"),
    (["a-network-with-a-long-name"], "15 bytes"), (["../x"], "expected a name"),
    (["back", "--isolate", "maybe"], "isolate"), (["back", "--vlan", "9000"], "vlan"),
    (["back", "--vxlan-id", "7", "--remote", "0.0.0.0"], "remotes"),
  ])
  func whatConfigCheckWouldRefuseIsRefused(_ words: [String], _ why: String) throws {
    try Sandbox.with { host in
      let files = try FileManager.default.contentsOfDirectory(atPath: "\(host.folder)/networks.d")
      let result = try host.run(
        [Built.path("wirehook"), "network", "create"] + words + ["--config", host.configFile])
      expectOneErrorLine(result, naming: [why])
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.folder)/networks.d") == files)
    }
  }

  @Test func aBridgeOfSomebodyElsesStays() throws {
    try Sandbox.with { host in
      try host.ip("link add br3 address 02:00:00:00:00:03 up type bridge")
      try host.ip("addr add 170.19.0.3/24 dev br3")
      try host.warmUp()
      let before = try host.snapshot()
      try #require(
        try host.wirehook(
          "network", "create", "old", "--bridge", "br3", "--subnet", "170.19.0.0/24", "--gateway", "170.19.0.3"
        )
        .succeeded)
      try host.stop(host.started("web", ["wirehook.network": "old"]))
      let removed = try host.wirehook("network", "rm", "old")
      #expect(removed.succeeded && removed.stdout.contains("kept bridge br3: wirehook did not make it"), "\(removed)")
      try expectUnchanged(host, since: before)
      #expect(try host.sysctl("net/ipv4/conf/br3/route_localnet") == "0")
    }
  }

  @Test func aBridgeWithPortsOfSomebodyElsesIsNotRemoved() throws {
    try Sandbox.with { host in
      try #require(try host.wirehook("network", "create", "back").succeeded)
      try host.stop(host.started("web", ["wirehook.network": "back"]))
      try host.ip("link add theirs type veth peer name theirs1")
      try host.ip("link set theirs master wh-back")
      let before = try host.snapshot()
      expectOneErrorLine(try host.wirehook("network", "rm", "back"), naming: ["theirs"])
      try expectUnchanged(host, since: before)
      #expect(FileManager.default.fileExists(atPath: file(host, "back")))
    }
  }

  @Test func aBridgeOfTwoNetworksGoesWithTheSecond() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      for (name, subnet) in [("one", "10.20.1.0/24"), ("two", "10.20.2.0/24")] {
        try #require(
          try host.wirehook("network", "create", name, "--bridge", "both", "--subnet", subnet).succeeded)
        try host.stop(host.started("web", ["wirehook.network": name]))
      }
      #expect(try host.addresses("both") == ["10.20.1.1/24", "10.20.2.1/24"])
      #expect(try host.wirehook("network", "rm", "one").stdout.contains("kept bridge both: of network two too"))
      #expect(try host.addresses("both") == ["10.20.2.1/24"])
      let web = try host.started("web", ["wirehook.network": "two"])
      #expect(try web.pings(Sandbox.outside4))
      try host.stop(web)
      #expect(try host.wirehook("network", "rm", "two").succeeded)
      try expectUnchanged(host, since: before)
    }
  }

  @Test func tunnelsGoWithTheirNetwork() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      try #require(
        try host.wirehook("network", "create", "far", "--vxlan-id", "42", "--remote", Sandbox.outside4).succeeded)
      try host.stop(host.started("web", ["wirehook.network": "far"]))
      #expect(try host.links().contains { $0.hasPrefix("wx") })
      #expect(try host.wirehook("network", "rm", "far").stdout.contains("to \(Sandbox.outside4)"))
      try expectUnchanged(host, since: before)
    }
  }
}

/// The same on Open vSwitch.
@Suite(needsOVS) struct LiveSwitchNetworkTests {
  @Test func aBridgeOfOursGoesWithItsTunnelsAndItsVLAN() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp(["wirehook.network": "front"])
      let before = try ovs.look()
      try #require(
        try host.wirehook(
          "network", "create", "far", "--driver", "ovs", "--bridge", "br7", "--vlan", "10", "--subnet",
          "100.7.0.0/24", "--vxlan-id", "7", "--remote", "192.168.77.9"
        ).succeeded)
      try host.stop(host.started("web", ["wirehook.network": "far"]))
      #expect(try ovs.bridges().contains("br7"))
      let removed = try host.wirehook("network", "rm", "far")
      #expect(removed.succeeded, "\(removed)")
      try expectUnchanged(ovs, since: before)
    }
  }

  @Test func aBridgeOfSomebodyElsesKeepsWhatIsNotOurs() throws {
    try RealSwitch.withNetwork { host, ovs in
      try ovs.vsctl("add-br br7 -- set bridge br7 datapath_type=\(RealSwitch.datapath)")
      try ovs.vsctl("add-port br7 theirs -- set interface theirs type=internal")
      try host.warmUp(["wirehook.network": "front"])
      try #require(
        try host.wirehook(
          "network", "create", "far", "--driver", "ovs", "--bridge", "br7", "--vlan", "10", "--subnet",
          "100.7.0.0/24", "--vxlan-id", "7", "--remote", "192.168.77.9"
        ).succeeded)
      try host.stop(host.started("web", ["wirehook.network": "far"]))
      let removed = try host.wirehook("network", "rm", "far")
      #expect(removed.stdout.contains("kept bridge br7"), "\(removed)")
      #expect(try ovs.ports(of: "br7") == ["theirs"])
    }
  }
}
