import Glibc
import Support
import Testing

/// The real servers, stopped, killed and started again.
@Suite(needsOVS) struct OVSServersTests {
  private func withWarmNetwork(_ body: (Sandbox, RealSwitch) throws -> Void) throws {
    try RealSwitch.withNetwork { host, ovs in
      try ovs.writeMain(["timeout_ms": .number(1000)])
      try host.warmUp()
      try body(host, ovs)
    }
  }

  /// Refuses while the server does not answer; afterwards nothing is left, and the next attach works.
  private func expectRefused(
    _ host: Sandbox, _ ovs: RealSwitch, while server: RealSwitch.Server, isDown: Bool
  ) throws {
    let before = try ovs.look()
    isDown ? ovs.kill(server) : ovs.pause(server)
    let web = try host.container("web")
    let result = try host.tryAttach(web, ["wirehook.ip": "100.1.1.6", "wirehook.ports": "8080:80"])
    expectOneErrorLine(result, naming: [server == .database ? ovs.socket : "ovs-vswitchd"])
    #expect(result.duration < .seconds(6), "\(result)")
    #expect(try web.links() == ["lo"])
    if isDown { try ovs.start(server) } else { ovs.proceed(server) }
    #expect(try host.wirehook("gc").exitCode == 0)
    try expectUnchanged(ovs, since: before)
    try host.attach(web, ["wirehook.ip": "100.1.1.6", "wirehook.ports": "8080:80"])
    try web.serve(80)
    #expect(try host.outside.ask(Sandbox.address4, 8080, within: .seconds(3)).server == "web")
  }

  @Test(arguments: [true, false]) func anAttachWithoutTheDaemonIsRefused(isDown: Bool) throws {
    try withWarmNetwork { host, ovs in
      try host.warmUp()
      try expectRefused(host, ovs, while: .daemon, isDown: isDown)
    }
  }

  @Test(arguments: [true, false]) func anAttachWithoutTheDatabaseIsRefused(isDown: Bool) throws {
    try withWarmNetwork { host, ovs in try expectRefused(host, ovs, while: .database, isDown: isDown) }
  }

  @Test func theVeryFirstAttachWithoutTheDaemonLeavesNoBridge() throws {
    try RealSwitch.withNetwork { host, ovs in
      try ovs.writeMain(["timeout_ms": .number(800)])
      ovs.kill(.daemon)
      let web = try host.container("web")
      expectOneErrorLine(try host.tryAttach(web), naming: ["ovs-vswitchd"])
      #expect(try web.links() == ["lo"])
      try ovs.start(.daemon)
      try host.attach(web)
      #expect(try web.pings("100.1.1.254", within: 6))
    }
  }

  /// No lock is held while a database hangs.
  @Test func aCleanUpThatWaitsForTheDatabaseHoldsNobodyUp() throws {
    try withWarmNetwork { host, ovs in
      try host.writeNetwork("front", #"{"bridge": "wh-front", "subnets": [{"subnet": "10.210.4.0/24"}]}"#)
      try ovs.writeMain(["timeout_ms": .number(8000)])
      try host.warmUp(["wirehook.network": "front"])
      ovs.pause(.database)
      defer { ovs.proceed(.database) }
      let collecting = try Spawn.start([
        "nsenter", "--net=\(host.netns)", "--", Built.path("wirehook"), "gc", "--config", host.configFile,
      ])
      defer {
        kill(collecting, SIGKILL)
        waitpid(collecting, nil, 0)
      }
      for number in 0..<10 {
        let result = try host.tryAttach(host.container("c\(number)"), ["wirehook.network": "front"])
        #expect(result.succeeded && result.duration < .seconds(5), "\(result)")
      }
      #expect(kill(collecting, 0) == 0)
    }
  }

  @Test func aDaemonThatWakesUpInTimeIsWaitedFor() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp()
      ovs.pause(.daemon)
      let web = try host.container("web")
      let results = try concurrently([true, false], width: 2) { attaching -> Command.Result? in
        if attaching { return try host.tryAttach(web) }
        usleep(1_000_000)
        ovs.proceed(.daemon)
        return nil
      }
      let result = try #require(results.compactMap { $0 }.first)
      #expect(result.succeeded && result.duration > .milliseconds(900), "\(result)")
      #expect(try web.pings("100.1.1.254", within: 6))
    }
  }

  /// A container's end is never held up by servers that are away; what stays in the database goes later.
  @Test(arguments: RealSwitch.Server.allCases, [true, false])
  func aDetachWithoutAServerEndsInTime(server: RealSwitch.Server, isDown: Bool) throws {
    try withWarmNetwork { host, ovs in
      let before = try ovs.look()
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      web.kill()
      isDown ? ovs.kill(server) : ovs.pause(server)
      let result = try host.tryDetach("web")
      #expect(result.duration < .seconds(6), "\(result)")
      #expect(result.signal == nil)
      if isDown { try ovs.start(server) } else { ovs.proceed(server) }
      #expect(try host.tryDetach("web").succeeded)
      #expect(try host.wirehook("gc").exitCode == 0)
      try expectUnchanged(ovs, since: before)
    }
  }

  @Test func aRestartedSwitchCarriesOn() throws {
    try RealSwitch.withNetwork(#""vlan": 10"#) { host, ovs in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
      let before = try ovs.configuration()
      for server in RealSwitch.Server.allCases { try ovs.restart(server) }
      let again = try eventually { try host.outside.ask(Sandbox.address4, 8080).server == "web" }
      #expect(again)
      // Flows do not outlive the switch; the units of systemd run this after each of its starts.
      #expect(try host.wirehook("repair").exitCode == 0)
      #expect(try ovs.configuration() == before)
      #expect(try host.wirehook("check").exitCode == 0)
      let next = try host.started("next")
      #expect(try next.pings("100.1.1.254", within: 6))
    }
  }
}
