import Support
import Testing

/// The keys of a network's file and of the main file's policy, by what packets do.
@Suite(needsRoot) struct NetworkTests {
  private let subnets =
    #""subnets": [{"subnet": "10.216.0.0/24", "gateway": "10.216.0.1"}, {"subnet": "fd42:216::/64", "gateway": "fd42:216::1"}]"#

  private func with(_ members: String, _ body: (Sandbox) throws -> Void) throws {
    try Sandbox.with { host in
      try host.writeNetwork("net", #"{"driver": "bridge", "bridge": "wh-net", \#(members), \#(subnets)}"#)
      try host.writeMain(["default_network": .text("net")])
      try body(host)
    }
  }

  /// Who the outside sees over each family.
  private func seen(_ host: Sandbox, _ container: Container) throws -> [String?] {
    let server = try host.outside.serve(7)
    defer { server.stop() }
    return try ["192.168.77.2", "fd77::2"].map { try container.ask($0, 7, within: .seconds(4)).client }
  }

  @Test func withoutMasqueradeTheContainersOwnAddressLeaves() throws {
    try with(#""masquerade": false"#) { host in
      try host.outside.ip("route add 10.216.0.0/24 via 192.168.77.1")
      try host.outside.ip("-6 route add fd42:216::/64 via fd77::1")
      let web = try host.started("web", ["wirehook.ip": "10.216.0.9,fd42:216::9"])
      #expect(try seen(host, web) == ["10.216.0.9", "fd42:216::9"])
    }
  }

  @Test func masqueradeMayBeOfOneFamily() throws {
    try with(#""masquerade": {"ipv4": true, "ipv6": false}"#) { host in
      try host.outside.ip("-6 route add fd42:216::/64 via fd77::1")
      let web = try host.started("web", ["wirehook.ip": "fd42:216::9"])
      #expect(try seen(host, web) == ["192.168.77.1", "fd42:216::9"])
    }
  }

  @Test func masqueradeMayNameTheAddressesToLeaveWith() throws {
    try with(#""masquerade": ["192.168.77.40", "fd77::40"]"#) { host in
      try host.ip("addr add 192.168.77.40/24 dev up0")
      try host.ip("addr add fd77::40/64 dev up0 nodad")
      #expect(try seen(host, host.started("web")) == ["192.168.77.40", "fd77::40"])
    }
  }

  @Test func theNetworksRoutesAndMTUAreEveryContainers() throws {
    try with(#""routes": ["10.99.0.0/16 via 10.216.0.254"], "mtu": 1380"#) { host in
      let web = try host.started("web")
      #expect(try web.ip("-4 route show").contains("10.99.0.0/16 via 10.216.0.254 dev eth0"))
      #expect(try web.json("link show eth0")[0]["mtu"].int == 1380)
    }
  }

  @Test func theNetworksAllowListHoldsForAllItsPorts() throws {
    try with(#""allow": ["192.168.77.99", "fd77::/64"]"#) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080, within: .milliseconds(300)).server == nil)
      #expect(try host.outside.ask("fd77::1", 8080).server == "web")
      try host.outside.ip("addr add 192.168.77.99/24 dev eth0")
      try host.outside.ip("route change 192.168.77.0/24 dev eth0 src 192.168.77.99")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
    }
  }

  @Test func theNetworkSaysWhereItsPortsArePublished() throws {
    try with(#""publish_on": ["127.0.0.1", "fd77::1"]"#) { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.ask("127.0.0.1", 8080).server == "web")
      #expect(try host.outside.ask("fd77::1", 8080).server == "web")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == nil)
    }
  }

  @Test func slaacIsOnWhereTheNetworkSaysSo() throws {
    try with(#""slaac": true"#) { host in
      let web = try host.started("web")
      #expect(try web.sysctl("net/ipv6/conf/eth0/accept_ra") != "0")
    }
  }

  @Test func twoBridgesMayHaveTheSameSubnetOneAfterTheOther() throws {
    try Sandbox.with { host in
      for (bridge, length) in [("br3", 24), ("br4", 16)] {
        try host.ip("link add \(bridge) type bridge")
        try host.ip("link set \(bridge) up")
        try host.ip("addr add 170.19.0.3/\(length) dev \(bridge)")
        let web = try host.started(
          "on-\(bridge)",
          [
            "wirehook.network": "bridge:\(bridge)", "wirehook.ip": "170.19.0.1/\(length)",
            "wirehook.gateway": "170.19.0.3", "wirehook.ports": "8080:80",
          ])
        try web.serve(80)
        #expect(try host.outside.ask("192.168.77.1", 8080).server == "on-\(bridge)")
        try host.stop(web)
        try host.ip("link del \(bridge)")
      }
    }
  }

  @Test func twoNetworksWithOverlappingSubnetsAreRefusedByName() throws {
    try with(#""masquerade": true"#) { host in
      _ = try host.started("first")
      try host.writeNetwork(
        "twin", #"{"driver": "bridge", "bridge": "wh-twin", "subnets": [{"subnet": "10.216.0.128/25"}]}"#)
      let second = try host.container("second")
      expectOneErrorLine(try host.tryAttach(second, ["wirehook.network": "twin"]), naming: ["twin", "10.216.0.128/25"])
      #expect(try second.links() == ["lo"])
    }
  }

  @Test(arguments: [
    (#"{"networks": ["front", "bridge:br*"]}"#, ["wirehook.network": "net"], "net"),
    (#"{"networks": ["front", "bridge:br*"]}"#, ["wirehook.network": "bridge:eth"], "bridge:eth"),
    (#"{"host_ports": ["8000-8999", 443]}"#, ["wirehook.ports": "80:80"], "80:80"),
    (#"{"host_ports": ["8000-8999"]}"#, ["wirehook.ports": "8999-9000:1-2"], "8999-9000"),
    (#"{"host_addresses": ["127.0.0.0/8"]}"#, ["wirehook.ports": "192.168.77.1:8080:80"], "192.168.77.1"),
    (#"{"host_addresses": ["127.0.0.0/8"]}"#, ["wirehook.snat": "192.168.77.1"], "192.168.77.1"),
    (#"{"sources": ["10.0.0.0/8"]}"#, ["wirehook.ports": "8080:80", "wirehook.allow": "0.0.0.0/0"], "0.0.0.0/0"),
    (#"{"static_ips": false}"#, ["wirehook.ip": "10.210.4.9"], "wirehook.ip"),
    (#"{"macs": false}"#, ["wirehook.mac": "02:00:00:00:00:09"], "wirehook.mac"),
    (#"{"sysctls": ["net.ipv4.conf.*"]}"#, ["wirehook.sysctl": "net.ipv4.ip_forward=1"], "net.ipv4.ip_forward"),
  ])
  func whatThePolicyForbidsIsRefused(policy: String, annotations: [String: String], part: String) throws {
    try Sandbox.with { host in
      try host.writeNetwork("net", #"{"driver": "bridge", "bridge": "wh-net", \#(subnets)}"#)
      try host.warmUp()
      try host.writeMain(["policy": JSON(parsing: policy)])
      try expectRefused(host, host.container("web"), annotations, naming: part)
      let plain = try host.started("plain")
      #expect(try plain.links() == ["eth0", "lo"])
    }
  }
}
