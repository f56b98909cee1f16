import Support
import Testing

/// What crashes leave in the database, and who takes it away (field case B55).
@Suite(needsOVS) struct OVSCollectTests {
  /// A port of somebody else whose device does not exist, which the daemon reports as an error for ever.
  private func makeForeign(_ ovs: RealSwitch) throws {
    try ovs.tryVsctl(["add-port", "br1", "foreign", "--", "set", "port", "foreign", "external_ids:owner=them"])
      .requireSuccess()
    #expect(try ovs.row("Interface", "foreign")["error"].string?.contains("could not open network device") == true)
  }

  @Test func portsWithoutDevicesGoAndForeignOnesStay() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp()
      try makeForeign(ovs)
      let before = try ovs.look()
      let containers = try (0..<20).map { try host.started("c\($0)") }
      #expect(try ovs.ports(of: "br1").count == 21)
      for container in containers { container.kill() }
      // The kernel removes the pairs of a dead namespace on its own time; after a reboot they are gone with it.
      let gone = try eventually(within: .seconds(5)) {
        try ovs.rows("Interface").filter { $0["link_state"].string == "up" && $0["type"].string == "" }.isEmpty
      }
      #expect(gone)
      try ovs.restart(.daemon)
      let broken = try ovs.rows("Interface").filter { $0["error"].string?.contains("could not open") == true }
      #expect(broken.count == 21)
      let dry = try host.wirehook("gc", "--dry-run")
      #expect(dry.stdout.contains("c7") && !dry.stdout.contains("foreign"), "\(dry)")
      #expect(try ovs.ports(of: "br1").count == 21)
      #expect(try host.wirehook("gc").exitCode == 0)
      #expect(try ovs.ports(of: "br1") == ["foreign"])
      try expectUnchanged(ovs, since: before)
    }
  }

  /// The state folder is on tmpfs; OVS keeps its database. `transient` is for OVS to heed, and not all services call it.
  @Test func portsThatNoRecordKnowsGoAsWell() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp()
      try makeForeign(ovs)
      let lost = try host.started("lost")
      lost.kill()
      try host.sh("rm -r \(host.stateFolder)")
      _ = try host.started("live")
      #expect(try host.wirehook("gc").exitCode == 0)
      #expect(try ovs.ports(ofContainer: "lost") == [])
      #expect(try ovs.ports(ofContainer: "live").count == 1)
      #expect(try ovs.ports(of: "br1").contains("foreign"))
    }
  }

  /// The dead one's rows and the new one's have the same container, the same `iface-id`, and often the same port name.
  @Test func whatACrashLeftNeverHarmsTheLiveOne() throws {
    try RealSwitch.withNetwork { host, ovs in
      let wish = ["wirehook.ip": "100.1.1.6", "wirehook.ports": "8080:80"]
      try host.started("web", wish).kill()
      let web = try host.started("web", wish)
      #expect(try ovs.ports(ofContainer: "web").count == 1)
      #expect(try ovs.rows("Interface", "external_ids:iface-id=web.eth0").count == 1)
      #expect(try host.wirehook("gc").exitCode == 0)
      #expect(try ovs.ports(ofContainer: "web").count == 1)
      try web.serve(80)
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
    }
  }

  @Test func thePortOfALiveContainerIsNotCollected() throws {
    try RealSwitch.withNetwork { host, ovs in
      let web = try host.started("web")
      let before = try ovs.configuration()
      #expect(try host.wirehook("gc", "--dry-run").stdout == "nothing is left\n")
      #expect(try host.wirehook("gc").exitCode == 0)
      #expect(try ovs.configuration() == before)
      #expect(try web.pings("100.1.1.254"))
    }
  }

  @Test func marksThatSomebodyCopiedToAnotherPortDoNotMakeItOurs() throws {
    try RealSwitch.withNetwork { host, ovs in
      let web = try host.started("web")
      try ovs.vsctl("add-port br1 theirs -- set interface theirs type=internal external_ids:iface-id=web.eth0")
      try host.stop(web)
      #expect(try ovs.ports(of: "br1") == ["theirs"])
    }
  }

  @Test func aDetachFindsThePortWhoseDeviceIsLongGone() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp()
      let before = try ovs.look()
      let web = try host.started("web")
      try host.ip("link del \(ovs.hostEnd(of: "web"))")
      try host.stop(web)
      try expectUnchanged(ovs, since: before)
    }
  }
}

extension Command.Result {
  fileprivate func requireSuccess() throws { if !succeeded { throw Failure("\(self)") } }
}
