import Support
import Testing

/// `"antispoof": true`: raw frames from a container that has every capability in its namespace.
@Suite(needsRoot) struct AntispoofTests {
  /// Three containers of one network: who lies, who is lied to, and whose name is used.
  private struct Scene {
    let host: Sandbox
    let mallory, victim, other: Container
    let macs: (mallory: String, victim: String, other: String)

    init(_ host: Sandbox, _ annotations: [String: String] = [:], keys: String = "") throws {
      self.host = host
      if !keys.isEmpty {
        try host.writeNetwork(
          "front",
          """
          {"bridge": "wh-front", \(keys),
           "subnets": [{"subnet": "10.210.4.0/24"}, {"subnet": "fd42:210:4::/64"}]}
          """)
      }
      mallory = try host.started("mallory", ["wirehook.ip": "10.210.4.66,fd42:210:4::66"].merging(annotations) { $1 })
      victim = try host.started("victim", ["wirehook.ip": "10.210.4.10,fd42:210:4::10"])
      other = try host.started("other", ["wirehook.ip": "10.210.4.20,fd42:210:4::20"])
      macs = (try mallory.mac(of: "eth0"), try victim.mac(of: "eth0"), try other.mac(of: "eth0"))
    }

    func ends(_ from: String, as mac: String? = nil, to: String? = nil) -> Frame.Ends {
      let isV6 = from.contains(":")
      return Frame.Ends(
        from, to: to ?? (isV6 ? "fd42:210:4::10" : "10.210.4.10"), ether: (mac ?? macs.mallory, macs.victim))
    }

    /// Whether the frame, sent by mallory, is seen by the victim.
    func arrives(_ frame: [UInt8]) throws -> Bool {
      let listener = try Listener(victim, "eth0")
      try mallory.send(frame, by: "eth0")
      return listener.hears(frame)
    }
  }

  @Test func whatIsTrueArrives() throws {
    try Sandbox.with { host in
      let scene = try Scene(host)
      let mac = scene.macs.mallory
      #expect(try scene.arrives(Frame.udp(scene.ends("10.210.4.66"))))
      #expect(try scene.arrives(Frame.udp(scene.ends("fd42:210:4::66"))))
      #expect(try scene.arrives(Frame.udp(scene.ends("10.210.4.66"), tags: [7])), "in a tag")
      #expect(try scene.arrives(Frame.arpRequest(for: "10.210.4.10", from: "10.210.4.66", mac: mac)))
      #expect(try scene.arrives(Frame.arpRequest(for: "10.210.4.99", from: "0.0.0.0", mac: mac)), "a probe")
      #expect(try scene.arrives(Frame.advertisement(of: "fd42:210:4::66", scene.ends("fd42:210:4::66"))))
      #expect(try scene.mallory.pings("10.210.4.10") && scene.mallory.pings("fd42:210:4::10"))
      #expect(try scene.mallory.pings("192.168.77.2") && scene.mallory.pings("fd77::2"))
    }
  }

  @Test func anotherMACAddressIsNotSentFrom() throws {
    try Sandbox.with { host in
      let scene = try Scene(host)
      let other = scene.macs.other
      #expect(try !scene.arrives(Frame.udp(scene.ends("10.210.4.66", as: other))))
      #expect(try !scene.arrives(Frame.udp(scene.ends("10.210.4.20", as: other))))
      #expect(try !scene.arrives(Frame.arpRequest(for: "10.210.4.10", from: "10.210.4.66", mac: other)))
      try scene.mallory.ip("link set eth0 address \(other)")
      #expect(try !scene.mallory.pings("10.210.4.10", within: 1))
      #expect(try scene.victim.pings("10.210.4.20"), "the bridge still knows where the other one is")
    }
  }

  @Test(arguments: [
    "10.210.4.20", "10.210.4.1", "192.168.77.2", "127.0.0.1", "fd42:210:4::20", "fd42:210:4::1", "fe80::1",
  ])
  func anotherAddressIsNotSentFrom(_ address: String) throws {
    try Sandbox.with { host in
      let scene = try Scene(host)
      #expect(try !scene.arrives(Frame.udp(scene.ends(address))))
      #expect(try !scene.arrives(Frame.udp(scene.ends(address), tags: [7])), "in a tag")
      #expect(try !scene.arrives(Frame.udp(scene.ends(address), tags: [7, 8])), "in two tags")
    }
  }

  @Test func nobodyIsToldAFalseNeighbour() throws {
    try Sandbox.with { host in
      let scene = try Scene(host)
      let mac = scene.macs.mallory
      for address in ["10.210.4.20", "10.210.4.1"] {
        var frame = try Frame.arpRequest(for: "10.210.4.10", from: address, mac: mac)
        #expect(try !scene.arrives(frame), "ARP for \(address)")
        // The kernel takes IEEE 802 hardware for Ethernet.
        frame[15] = 6
        #expect(try !scene.arrives(frame), "ARP of IEEE 802 for \(address)")
      }
      var frame = try Frame.arpRequest(for: "10.210.4.10", from: "10.210.4.66", mac: mac)
      frame.replaceSubrange(22..<28, with: [0x0a, 0x57, 1, 2, 3, 4])
      #expect(try !scene.arrives(frame), "ARP that names another MAC address")
      for target in ["fd42:210:4::20", "fd42:210:4::1", "fe80::1"] {
        for source in ["fd42:210:4::66", "::"] {
          for hidden in [false, true] {
            let frame = try Frame.advertisement(
              of: target, scene.ends(source, to: "fd42:210:4::10"), behindOptions: hidden)
            #expect(try !scene.arrives(frame), "\(target) from \(source), behind options: \(hidden)")
          }
        }
      }
      #expect(try !scene.arrives(Frame.routerAdvertisement(scene.ends("fd42:210:4::66"))))
    }
  }

  /// LLDP and its like pass no filter, and bridges learn from them.
  @Test func aLinkLocalProtocolTeachesTheBridgeNothing() throws {
    try Sandbox.with { host in
      let scene = try Scene(host)
      _ = try scene.other.pings("10.210.4.10")
      let before = try host.sh("bridge fdb get \(scene.macs.other) br wh-front")
      for last in ["0e", "03", "02"] {
        var ends = scene.ends("10.210.4.66", as: scene.macs.other)
        ends.ether.to = "01:80:c2:00:00:\(last)"
        try scene.mallory.send(Frame.udp(ends), by: "eth0")
      }
      #expect(try host.sh("bridge fdb get \(scene.macs.other) br wh-front") == before)
      #expect(try scene.victim.pings("10.210.4.20"))
    }
  }

  @Test func aContainerWithoutAddressIsHeldToItsMACAlone() throws {
    try Sandbox.with { host in
      let scene = try Scene(host, ["wirehook.ip": "none"])
      #expect(try scene.arrives(Frame.udp(scene.ends("10.210.4.77"))))
      #expect(try scene.arrives(Frame.udp(scene.ends("fd42:210:4::77"))))
      #expect(try !scene.arrives(Frame.udp(scene.ends("10.210.4.77", as: scene.macs.other))))
      #expect(try !scene.arrives(Frame.routerAdvertisement(scene.ends("fe80::77"))))
    }
  }

  @Test func switchedOffNothingIsChecked() throws {
    try Sandbox.with { host in
      let scene = try Scene(host, keys: #""antispoof": false"#)
      #expect(try scene.arrives(Frame.udp(scene.ends("10.210.4.20"))))
      #expect(try scene.arrives(Frame.udp(scene.ends("10.210.4.66", as: scene.macs.other))))
      #expect(try !host.run(["nft", "list", "table", "bridge", "wirehook"]).succeeded)
    }
  }

  @Test func theCheckGoesWithTheContainerAndComesBackAfterAFlush() throws {
    try Sandbox.with { host in
      let scene = try Scene(host)
      try host.sh("nft flush ruleset")
      #expect(try scene.arrives(Frame.udp(scene.ends("10.210.4.20"))))
      let check = try host.wirehook("check")
      #expect(check.exitCode == 1 && check.stdout.contains("of bridge wirehook sources4 is missing"), "\(check)")
      #expect(try host.wirehook("repair").succeeded)
      #expect(try host.wirehook("check").succeeded)
      #expect(try !scene.arrives(Frame.udp(scene.ends("10.210.4.20"))))
      try host.sh("nft delete table bridge wirehook")
      _ = try host.started("next")
      #expect(try !scene.arrives(Frame.udp(scene.ends("10.210.4.20"))), "the next start builds the table for all")
      try host.sh("nft flush table bridge wirehook")
      #expect(try host.wirehook("check").stdout.contains("was changed"))
      #expect(try host.wirehook("repair").succeeded)
      #expect(try !scene.arrives(Frame.udp(scene.ends("10.210.4.20"))))
    }
  }

  @Test func whatAGoneContainerLeftIsCollected() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.started("web")
      try host.stop(web)
      try expectUnchanged(host, since: before)
      let killed = try host.started("killed")
      killed.kill()
      #expect(try host.wirehook("gc").succeeded)
      try expectUnchanged(host, since: before)
      try host.nft(#"add element bridge wirehook sources4 { "whnobody" . 10.210.4.9 }"#)
      #expect(try host.wirehook("gc").stdout.contains("bridge wirehook sources4"))
      try expectUnchanged(host, since: before)
    }
  }
}
