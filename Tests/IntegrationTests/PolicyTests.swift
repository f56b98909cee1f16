import Support
import Testing

/// What a container may not ask for, whatever the policy says: what is another's.
@Suite(needsRoot) struct PolicyTests {
  @Test(arguments: ["01:00:5e:00:00:01", "33:33:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"])
  func aMACAddressIsSomebodys(mac: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      try expectRefused(host, host.container("web"), ["wirehook.mac": mac], naming: "wirehook.mac", mac)
    }
  }

  @Test func aMACAddressHasOneOwnerOnABridge() throws {
    try Sandbox.with { host in
      let first = try host.started("first", ["wirehook.mac": "02:42:64:01:01:06"])
      let second = try host.container("second")
      try expectRefused(
        host, second, ["wirehook.mac": "02:42:64:01:01:06"], naming: "wirehook.mac", "first", "wh-front")
      try host.writeNetwork("back", #"{"subnets": [{"subnet": "10.211.0.0/24"}]}"#)
      _ = try host.started("third", ["wirehook.mac": "02:42:64:01:01:06", "wirehook.network": "back"])
      first.kill()
      try host.attach(second, ["wirehook.mac": "02:42:64:01:01:06"])
    }
  }

  /// The MAC address of whoever gets 10.210.4.77 later, the bridge's own, and a host end's.
  @Test func aMACAddressThatWirehookGivesIsNobodysChoice() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let bridge = try host.mac(of: "wh-front")
      for mac in ["0a:57:0a:d2:04:4d", bridge, "fe:00:00:00:00:01"] {
        try expectRefused(host, host.container("web"), ["wirehook.mac": mac], naming: "wirehook.mac", mac)
      }
      let own = ["wirehook.mac": "0a:57:0a:d2:04:4d", "wirehook.ip": "10.210.4.77"]
      #expect(try host.started("own", own).addresses("eth0").contains("10.210.4.77/24"))
    }
  }

  @Test(arguments: ["10.210.4.1", "fd42:210:4::1", "10.210.4.200", "fd42:210:4::200"])
  func anAddressOfTheHostIsNotGiven(address: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      // Not the gateway: one more of the host's, on another link.
      try host.ip("addr add 10.210.4.200/32 dev up0")
      try host.ip("addr add fd42:210:4::200/128 dev up0 nodad")
      try expectRefused(host, host.container("web"), ["wirehook.ip": address], naming: "wirehook.ip", address)
    }
  }

  @Test func aPrivilegedPortIsPublishedWhereThePolicySaysSo() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try host.container("web")
      try expectRefused(
        host, web, ["wirehook.ports": "80:80"], naming: "wirehook.ports", "80:80", "policy.host_ports allows 1024-65535"
      )
      try host.writeMain(["policy": .object(["host_ports": .list([.text("1-65535")])])])
      try host.attach(web, ["wirehook.ports": "80:80"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 80).server == "web")
    }
  }

  @Test(arguments: [
    (["routes": JSON.list([.text("10.0.0.0/8")])], ["wirehook.routes": "0.0.0.0/1 dev eth0"], "0.0.0.0/1"),
    (["gateways": .bool(false)], ["wirehook.gateway": "10.210.4.9"], "10.210.4.9"),
    (["vlans": .list([.text("10-19")])], ["wirehook.vlan": "20"], "20"),
    ([:], ["wirehook.sysctl": "net.ipv4.ip_forward=1"], "net.ipv4.ip_forward"),
  ])
  func whatIsNotAllowedIsRefused(policy: [String: JSON], annotations: [String: String], name: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      try host.writeMain(["policy": .object(policy)])
      try expectRefused(host, host.container("web"), annotations, naming: "policy", name)
    }
  }
}
