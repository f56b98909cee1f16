import Foundation
import Support
import Testing

/// The host goes down and comes up: links, rules and processes are gone, and what is on disk may have stayed.
@Suite(needsRoot) struct RebootTests {
  private static let nextBoot = "00000000-0000-4000-8000-000000000002"

  private func annotations(_ number: Int) -> [String: String] {
    ["wirehook.ip": "10.210.4.\(100 + number)", "wirehook.ports": "\(8000 + number):80"]
  }

  /// What a reboot takes of a host; a namespace that was pinned is gone as well, and its links, which the kernel takes down only
  /// after it, in its own time.
  private func reboot(_ host: Sandbox, _ containers: [Container]) throws {
    for container in containers { container.kill() }
    try #require(
      try eventually(within: .seconds(15)) {
        try host.json("link show").array.allSatisfy { $0["ifalias"].string?.hasPrefix("wirehook: eth0 of ") != true }
      })
    try host.nft("flush ruleset")
    try host.ip("link del wh-front")
    try host.setSysctl("net/ipv4/ip_forward", "0")
  }

  /// state_dir on tmpfs: the engine starts its containers again, all at once, and nothing is known of them.
  @Test func containersThatAreStartedAgainAfterTheirStateIsGoneGetWhatTheyAskFor() throws {
    try Sandbox.with { host in
      let old = try (0..<12).map { try host.started("c\($0)", annotations($0)) }
      try reboot(host, old)
      try FileManager.default.removeItem(atPath: host.stateFolder)
      try expectAllWired(host, under: [])
    }
  }

  /// state_dir on disk: everything of the older boot is void.
  @Test func recordsOfAnOlderBootHoldNobodyUp() throws {
    try Sandbox.with { host in
      let old = try (0..<12).map { try host.started("old\($0)", annotations($0)) }
      try reboot(host, old)
      try expectAllWired(host, under: try host.boot(as: Self.nextBoot))
    }
  }

  /// What the unit at boot runs, before any container.
  @Test(arguments: ["ls", "check", "gc", "repair"]) func theToolsAreContentWithAFileOfAnOlderBoot(command: String)
    throws
  {
    try Sandbox.with { host in
      try reboot(host, [try host.started("old", annotations(0))])
      let apart = try host.boot(as: Self.nextBoot)
      let result = try host.run(apart + [Built.path("wirehook"), command, "--config", host.configFile])
      #expect(result.exitCode == 0, "\(result)")
      #expect(!result.stdout.contains("old"), "\(result)")
    }
  }

  @Test func aContainerKeepsItsAddressAcrossABoot() throws {
    try Sandbox.with { host in
      let old = try ["a", "b", "c"].map { try host.started($0) }
      let addresses = try old.map { try $0.addresses("eth0") }
      try reboot(host, old)
      let apart = try host.boot(as: Self.nextBoot)
      for (id, had) in zip(["c", "a", "b"], [addresses[2], addresses[0], addresses[1]]) {
        let again = try host.container(id)
        #expect(try host.tryAttach(again, under: apart).succeeded)
        #expect(try again.addresses("eth0") == had)
      }
    }
  }

  /// The database of Open vSwitch is on disk: ports of the older boot stand in it, without a device.
  @Test(.enabled(if: Tool.ovs.isThere, "needs Open vSwitch"))
  func portsOfAnOlderBootInTheSwitchAreReplacedOrCollected() throws {
    try RealSwitch.withNetwork { host, ovs in
      let old = try (0..<4).map { try host.started("c\($0)") }
      for container in old { container.kill() }
      try host.nft("flush ruleset")
      for server in RealSwitch.Server.allCases.reversed() { ovs.kill(server) }
      for server in RealSwitch.Server.allCases { try ovs.start(server) }
      let apart = try host.boot(as: Self.nextBoot)
      let again = try (0..<2).map { try host.container("c\($0)") }
      for container in again {
        let result = try host.tryAttach(container, under: apart)
        #expect(result.succeeded, "\(result)")
        #expect(try container.pings("100.1.1.254", attempts: 3, within: 6))
      }
      let collected = try host.run(apart + [Built.path("wirehook"), "gc", "--config", host.configFile])
      #expect(collected.exitCode == 0, "\(collected)")
      let owners = try ovs.rows("Port").compactMap { $0["external_ids"]["wirehook-container"].string }
      #expect(owners.sorted() == ["c0", "c1"])
    }
  }

  private func expectAllWired(_ host: Sandbox, under wrapper: [String]) throws {
    let containers = try (0..<12).map { try host.container("c\($0)") }
    let results = try concurrently(containers, width: 12) { container in
      try host.tryAttach(container, annotations(Int(container.id.dropFirst()) ?? 0), under: wrapper)
    }
    #expect(results.filter { !$0.succeeded }.map(\.description) == [])
    let checked = try host.run(wrapper + [Built.path("wirehook"), "check", "--config", host.configFile])
    #expect(checked.exitCode == 0, "\(checked)")
    for number in [0, 5, 11] {
      try containers[number].serve(80)
      #expect(try host.outside.ask(Sandbox.address4, UInt16(8000 + number)).server == "c\(number)")
    }
  }
}
