import Foundation
import Support
import Testing

/// `"antispoof"` on Open vSwitch: raw frames from a container that has every capability in its namespace, and the flows that
/// judge them.
@Suite(needsOVS) struct OVSAntispoofTests {
  /// Three containers of one network: who lies, who is lied to, and whose name is used.
  private struct Scene {
    let host: Sandbox
    let ovs: RealSwitch
    let mallory, victim, other: Container
    let macs: (mallory: String, victim: String, other: String)
    /// The tag that mallory's own frames need to reach the victim.
    var tags: [UInt16] = []

    /// `annotations` are mallory's.
    init(_ host: Sandbox, _ ovs: RealSwitch, _ annotations: [String: String] = [:]) throws {
      (self.host, self.ovs) = (host, ovs)
      mallory = try host.started("mallory", ["wirehook.ip": "100.1.1.66,fd42:1::66"].merging(annotations) { $1 })
      victim = try host.started("victim", ["wirehook.ip": "100.1.1.10,fd42:1::10"])
      other = try host.started("other", ["wirehook.ip": "100.1.1.20,fd42:1::20"])
      macs = (try mallory.mac(of: "eth0"), try victim.mac(of: "eth0"), try other.mac(of: "eth0"))
    }

    func ends(_ from: String, as mac: String? = nil, to: String? = nil, ether: String? = nil) -> Frame.Ends {
      let isV6 = from.contains(":")
      return Frame.Ends(
        from, to: to ?? (isV6 ? "fd42:1::10" : "100.1.1.10"), ether: (mac ?? macs.mallory, ether ?? macs.victim))
    }

    /// Whether the frame, sent by mallory, is seen by the victim: before one that is true and was sent after it.
    func arrives(_ frame: [UInt8]) throws -> Bool {
      let last = try Frame.arpRequest(
        for: "100.1.1.250", from: "100.1.1.66", mac: macs.mallory, vlan: tags.first)
      let listener = try Listener(victim, "eth0")
      try mallory.send(frame, by: "eth0")
      try mallory.send(last, by: "eth0")
      guard let heard = listener.hears(frame, before: last) else { throw Failure("what is true does not arrive") }
      return heard
    }
  }

  private static let members = #"""
    {"driver": "ovs", "bridge": "br1", "subnets": [{"subnet": "100.1.1.0/24", "gateway": "100.1.1.254"},
     {"subnet": "fd42:1::/64"}]%}
    """#

  private func with(_ more: String = "", _ body: (Sandbox, RealSwitch) throws -> Void) throws {
    try RealSwitch.with { host, ovs in
      try host.writeNetwork("ovsnet", Self.members.replacing("%", with: more.isEmpty ? "" : ", \(more)"))
      try ovs.writeMain()
      try body(host, ovs)
    }
  }

  /// A packet in front of zeros that are in no packet: Linux ignores them, and some versions of Open vSwitch then make no sense
  /// of the packet.
  private func padded(_ frame: [UInt8]) -> [UInt8] { frame + [UInt8](repeating: 0, count: 300) }

  @Test func whatIsTrueArrives() throws {
    try with { host, ovs in
      let scene = try Scene(host, ovs)
      let mac = scene.macs.mallory
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.66"))))
      #expect(try scene.arrives(Frame.udp(scene.ends("fd42:1::66"))))
      #expect(try scene.arrives(Frame.arpRequest(for: "100.1.1.10", from: "100.1.1.66", mac: mac)))
      #expect(try scene.arrives(Frame.arpRequest(for: "100.1.1.99", from: "0.0.0.0", mac: mac)), "a probe")
      #expect(
        try scene.arrives(
          Frame.udp(scene.ends("0.0.0.0", to: "255.255.255.255", ether: "ff:ff:ff:ff:ff:ff"))), "a client of DHCP")
      let detection = scene.ends("::", to: "ff02::1:ff00:99", ether: "33:33:ff:00:00:99")
      #expect(try scene.arrives(Frame.solicitation(of: "fd42:1::99", detection)), "duplicate address detection")
      #expect(try scene.arrives(Frame.advertisement(of: "fd42:1::66", scene.ends("fd42:1::66"))))
      #expect(
        try scene.arrives(Frame.advertisement(of: "fd42:1::66", scene.ends("fd42:1::66"), behindOptions: true)))
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.66")).replacingType(with: 0x88b5)), "no IP")
      #expect(try scene.mallory.pings("100.1.1.10") && scene.mallory.pings("fd42:1::10"))
      #expect(try scene.mallory.pings("100.1.1.254") && scene.mallory.pings(Sandbox.outside4))
      #expect(try host.wirehook("check").exitCode == 0)
    }
  }

  @Test func anotherMACAddressIsNotSentFrom() throws {
    try with { host, ovs in
      let scene = try Scene(host, ovs)
      let other = scene.macs.other
      _ = try scene.victim.pings("100.1.1.20")
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.66", as: other))))
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.20", as: other))))
      #expect(try !scene.arrives(Frame.arpRequest(for: "100.1.1.10", from: "100.1.1.66", mac: other)))
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.66", as: other)).replacingType(with: 0x88b5)))
      for last in ["0e", "03", "02"] {
        var ends = scene.ends("100.1.1.66", as: other)
        ends.ether.to = "01:80:c2:00:00:\(last)"
        try scene.mallory.send(Frame.udp(ends), by: "eth0")
      }
      #expect(try scene.victim.pings("100.1.1.20"), "the bridge still knows where the other one is")
      try scene.mallory.ip("link set eth0 address \(other)")
      #expect(try !scene.mallory.pings("100.1.1.10", within: 0))
      #expect(try scene.victim.pings("100.1.1.20"))
    }
  }

  @Test(arguments: ["100.1.1.20", "192.168.77.2", "127.0.0.1", "0.0.0.0", "fd42:1::20", "fe80::1", "::"])
  func anotherAddressIsNotSentFrom(_ address: String) throws {
    try with { host, ovs in
      let scene = try Scene(host, ovs)
      let frame = try Frame.udp(scene.ends(address))
      #expect(try !scene.arrives(frame))
      #expect(try !scene.arrives(padded(frame)), "behind which there is more")
    }
  }

  @Test func nobodyIsToldAFalseNeighbour() throws {
    try with { host, ovs in
      let scene = try Scene(host, ovs)
      let mac = scene.macs.mallory
      for address in ["100.1.1.20", "100.1.1.254"] {
        var frame = try Frame.arpRequest(for: "100.1.1.10", from: address, mac: mac)
        #expect(try !scene.arrives(frame), "ARP for \(address)")
        // The kernel takes IEEE 802 hardware for Ethernet.
        frame[15] = 6
        #expect(try !scene.arrives(frame), "ARP of IEEE 802 for \(address)")
      }
      var frame = try Frame.arpRequest(for: "100.1.1.10", from: "100.1.1.66", mac: mac)
      frame.replaceSubrange(22..<28, with: [0x0a, 0x57, 1, 2, 3, 4])
      #expect(try !scene.arrives(frame), "ARP that names another MAC address")
      for target in ["fd42:1::20", "fd42:1::1", "fe80::1"] {
        for source in ["fd42:1::66", "::"] {
          for hidden in [false, true] {
            let frame = try Frame.advertisement(
              of: target, scene.ends(source, to: "fd42:1::10"), behindOptions: hidden)
            #expect(try !scene.arrives(frame), "\(target) from \(source), behind options: \(hidden)")
            #expect(try !scene.arrives(padded(frame)), "\(target) from \(source), padded")
          }
        }
      }
      #expect(try !scene.arrives(Frame.routerAdvertisement(scene.ends("fd42:1::66"))))
    }
  }

  @Test func inAVLANItIsTheSame() throws {
    try with(#""vlan": 10"#) { host, ovs in
      let scene = try Scene(host, ovs)
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.66"))))
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.20"))))
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.66", as: scene.macs.other))))
      #expect(try scene.mallory.pings("100.1.1.10") && scene.mallory.pings("100.1.1.254"))
    }
  }

  @Test func aTrunkIsJudgedByWhatIsInItsTags() throws {
    try with(#""vlan": 10"#) { host, ovs in
      var scene = try Scene(host, ovs, ["wirehook.vlan": "trunk:10,20"])
      scene.tags = [10]
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.66"), tags: [10])))
      #expect(try scene.arrives(Frame.udp(scene.ends("fd42:1::66"), tags: [10])))
      for address in ["100.1.1.20", "fd42:1::20"] {
        #expect(try !scene.arrives(Frame.udp(scene.ends(address), tags: [10])))
        #expect(try !scene.arrives(Frame.udp(scene.ends(address), tags: [10, 10])), "in two tags")
      }
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.66"), tags: [10, 10])), "nobody reads two tags")
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.66", as: scene.macs.other), tags: [10])))
      let mac = scene.macs.mallory
      #expect(try !scene.arrives(Frame.arpRequest(for: "100.1.1.10", from: "100.1.1.20", mac: mac, vlan: 10)))
      #expect(try scene.arrives(Frame.arpRequest(for: "100.1.1.10", from: "100.1.1.66", mac: mac, vlan: 10)))
    }
  }

  @Test func aContainerWithoutAddressIsHeldToItsMACAlone() throws {
    try with { host, ovs in
      let scene = try Scene(host, ovs, ["wirehook.ip": "none"])
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.77"))))
      #expect(try scene.arrives(Frame.udp(scene.ends("fd42:1::77"))))
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.77", as: scene.macs.other))))
      #expect(try !scene.arrives(Frame.routerAdvertisement(scene.ends("fe80::77"))))
    }
  }

  @Test func switchedOffNothingIsChecked() throws {
    try with(#""antispoof": false"#) { host, ovs in
      let scene = try Scene(host, ovs)
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.20"))))
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.66", as: scene.macs.other))))
      #expect(try ovs.senderFlows() == [])
    }
  }

  // MARK: The flows

  /// What is let through goes on to the user's own flows, and none of them is touched.
  @Test func aUsersOwnFlowsGoOnBeingHeeded() throws {
    try with { host, ovs in
      let scene = try Scene(host, ovs)
      #expect(try scene.arrives(Frame.udp(scene.ends("fd42:1::66"))))
      try ovs.ofctl("add-flow", "br1", "priority=9,ipv6,actions=drop")
      // The datapath hears of it a moment later.
      let isHeeded = try eventually { try !scene.arrives(Frame.udp(scene.ends("fd42:1::66"))) }
      #expect(isHeeded)
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.66"))))
      for container in [scene.mallory, scene.victim, scene.other] { try host.stop(container) }
      #expect(try ovs.flows(of: "br1") == ["priority=0 actions=NORMAL", "priority=9,ipv6 actions=drop"])
    }
  }

  @Test func theFlowsGoWithTheContainer() throws {
    try with { host, ovs in
      try host.warmUp()
      let before = try ovs.look()
      let web = try host.started("web")
      #expect(try ovs.senderFlows().count > 10)
      try host.stop(web)
      try expectUnchanged(ovs, since: before)
      let killed = try host.started("killed")
      killed.kill()
      #expect(try host.wirehook("gc").succeeded)
      try expectUnchanged(ovs, since: before)
    }
  }

  @Test func flowsOfNobodyAreCollectedAndOthersStay() throws {
    try with { host, ovs in
      _ = try host.started("web")
      let own = try ovs.senderFlows()
      try ovs.ofctl("add-flow", "br1", "cookie=0x5748000000000001,priority=65500,in_port=77,actions=drop")
      try ovs.ofctl("add-flow", "br1", "cookie=0x5749000000000001,priority=65500,in_port=78,actions=drop")
      let dry = try host.wirehook("gc", "--dry-run")
      #expect(dry.stdout.contains("0x5748000000000001") && !dry.stdout.contains("0x5749"), "\(dry)")
      #expect(try ovs.senderFlows().count == own.count + 1)
      #expect(try host.wirehook("gc").succeeded)
      #expect(try ovs.senderFlows() == own)
      #expect(try ovs.flows(of: "br1").contains { $0.contains("cookie=0x5749000000000001") })
    }
  }

  @Test func aRestartedSwitchIsSeenAndRepaired() throws {
    try with { host, ovs in
      let scene = try Scene(host, ovs)
      let flows = try ovs.senderFlows()
      try ovs.restart(.daemon)
      #expect(try scene.arrives(Frame.udp(scene.ends("100.1.1.20"))), "its flows are gone")
      let check = try host.wirehook("check")
      #expect(check.exitCode == 1 && check.stdout.contains("is not held to its own addresses"), "\(check)")
      let ports = try ovs.rows("Port").map { $0["_uuid"].text }.sorted()
      #expect(try host.wirehook("repair").exitCode == 0)
      #expect(try ovs.senderFlows() == flows)
      #expect(try ovs.rows("Port").map { $0["_uuid"].text }.sorted() == ports, "no port was made anew")
      #expect(try host.wirehook("check").exitCode == 0)
      #expect(try !scene.arrives(Frame.udp(scene.ends("100.1.1.20"))))
    }
  }

  @Test func oneFlowThatIsMissingOrTooMuchIsSeen() throws {
    try with { host, ovs in
      _ = try host.started("web")
      let flows = try ovs.senderFlows()
      try ovs.ofctl("del-flows", "br1", "cookie=0x5748000000000000/0xffff000000000000,ip")
      let check = try host.wirehook("check")
      #expect(check.exitCode == 1 && check.stdout.contains("3 of \(flows.count) flows are missing"), "\(check)")
      #expect(try host.wirehook("repair").exitCode == 0)
      #expect(try ovs.senderFlows() == flows)
      let cookie = try #require(flows.first).prefix("cookie=0x5748000000000000".count)
      try ovs.ofctl("add-flow", "br1", "\(cookie),priority=65510,in_port=1,actions=normal")
      let more = try host.wirehook("check")
      #expect(more.exitCode == 1 && more.stdout.contains("flows were added"), "\(more)")
      #expect(try host.wirehook("repair").exitCode == 0)
      #expect(try ovs.senderFlows() == flows)
    }
  }

  /// A container that runs already may be waiting for the moment.
  @Test func aRunningContainerIsCheckedFromItsFirstFrameOn() throws {
    try with { host, ovs in
      let victim = try host.started("victim", ["wirehook.ip": "100.1.1.10"])
      let web = try host.container("web")
      let before = try ovs.look()
      let made = try host.wirehook("attach", "\(web.pid)", "--ip", "100.1.1.77")
      #expect(made.succeeded, "\(made)")
      #expect(try web.pings("100.1.1.10"))
      let ends = Frame.Ends(
        "100.1.1.20", to: "100.1.1.10", ether: (try web.mac(of: "eth0"), try victim.mac(of: "eth0")))
      let listener = try Listener(victim, "eth0")
      try web.send(Frame.udp(ends), by: "eth0")
      #expect(!listener.hears(try Frame.udp(ends)))
      #expect(try host.wirehook("detach", "\(web.pid)").succeeded)
      try expectUnchanged(ovs, since: before)
    }
  }

  // MARK: What cannot be done

  @Test func aDatabaseThatIsNotOnThisHostIsRefusedOnlyWhereItWasAskedFor() throws {
    try with { host, ovs in
      let control = ovs.socket.replacing("db.sock", with: "ovsdb-server.ctl")
      try host.sh("ovs-appctl -t \(control) ovsdb-server/add-remote ptcp:6640:127.0.0.1")
      let tcp = #", "ovs": {"database": "tcp:127.0.0.1:6640"}"#
      try host.writeNetwork("ovsnet", Self.members.replacing("%", with: tcp + #", "antispoof": true"#))
      let web = try host.container("web")
      let refused = try host.tryAttach(web)
      expectOneErrorLine(refused, naming: ["network ovsnet: antispoof", "tcp:127.0.0.1:6640", "unix:PATH"])
      #expect(try web.links() == ["lo"])
      try host.writeNetwork("ovsnet", Self.members.replacing("%", with: tcp))
      let log = "\(host.folder)/log"
      try ovs.writeMain(["log": .text(log)])
      try host.attach(web)
      #expect(try web.pings("100.1.1.254", within: 3))
      #expect(try ovs.senderFlows() == [])
      #expect(try String(contentsOfFile: log, encoding: .utf8).contains("are not held to their own addresses"))
    }
  }

  @Test(arguments: ["gone", "of nobody", "of a stranger", "of another version"])
  func aManagementSocketThatIsOfNoUseIsNamedAndNothingIsLeft(what: String) throws {
    try with { host, ovs in
      try ovs.writeMain(["timeout_ms": .number(1500)])
      try host.warmUp()
      let before = try ovs.look()
      let path = String(ovs.management(of: "br1").dropFirst("unix:".count))
      try Command.require(["mv", path, "\(path).away"])
      var stranger: FakeDatabase?
      switch what {
      case "of nobody":
        let server = try FakeDatabase(at: "\(path).first", .hangsUp)
        try Command.require(["mv", "\(path).first", path])
        server.stop()
      case "of a stranger": stranger = try FakeDatabase(at: path, .silence)
      case "of another version":
        try Command.require(["mv", "\(path).away", path])
        try ovs.vsctl("set bridge br1 protocols=OpenFlow10")
      default: break
      }
      let web = try host.container("web")
      let result = try host.tryAttach(web)
      expectOneErrorLine(result, naming: [what == "of another version" ? "protocols OpenFlow14" : path])
      #expect(result.duration < .milliseconds(4000), "\(result)")
      #expect(try web.links() == ["lo"])
      let doctor = try host.wirehook("doctor")
      #expect(doctor.stdout.contains("antispoof of network ovsnet"), "\(doctor)")
      stranger?.stop()
      if what == "of another version" {
        try ovs.vsctl("clear bridge br1 protocols")
      } else {
        try Command.require(["mv", "-f", "\(path).away", path])
      }
      #expect(try host.wirehook("gc").succeeded)
      try expectUnchanged(ovs, since: before, what)
      try host.attach(web)
      #expect(try ovs.senderFlows().count > 10)
      #expect(try !host.wirehook("doctor").stdout.contains("antispoof"))
    }
  }
}

extension [UInt8] {
  /// The frame with another EtherType.
  fileprivate func replacingType(with type: UInt16) -> [UInt8] {
    self[..<12] + [UInt8(type >> 8), UInt8(type & 0xff)] + self[14...]
  }
}
