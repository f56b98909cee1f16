import Support
import Testing

/// Many containers on one Open vSwitch bridge at once.
@Suite(needsOVS, .serialized) struct OVSCrowdTests {
  @Test func aHundredAttachesSixteenAtATimeAndBack() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp()
      let before = try ovs.look()
      let containers = try concurrently(Array(0..<100), width: 8) { try host.container("c\($0)") }
      let results = try concurrently(containers, width: 16) { try host.tryAttach($0, ["wirehook.ports": "80"]) }
      #expect(results.filter { !$0.succeeded }.map(\.description) == [])
      let addresses = try concurrently(containers, width: 8) { try $0.addresses("eth0") }.flatMap { $0 }
      #expect(addresses.count == 100 && Set(addresses).count == 100)
      let ports = try ovs.rows("Port").filter { $0["external_ids"]["wirehook-container"] != .null }
      #expect(ports.count == 100)
      #expect(Set(ports.map { $0["external_ids"]["wirehook-container"].string }).count == 100)
      #expect(Set(ports.map { $0["name"].string }) == Set(try ovs.ports(of: "br1")))
      let interfaces = try ovs.rows("Interface").filter { $0["external_ids"]["iface-id"] != .null }
      #expect(interfaces.filter { $0["ofport"].int ?? -1 < 1 || !$0["error"].array.isEmpty } == [])
      #expect(Set(interfaces.map { $0["ofport"].int }).count == 100)
      for number in [0, 31, 99] { #expect(try containers[number].pings("100.1.1.254", within: 6)) }

      let ended = try concurrently(containers, width: 16) { container in
        container.kill()
        return try host.tryDetach(container.id)
      }
      #expect(ended.filter { !$0.succeeded }.map(\.description) == [])
      #expect(try ovs.ports(of: "br1") == [])
      try expectUnchanged(ovs, since: before)
    }
  }

  @Test func theVeryFirstHooksMayAllComeAtOnce() throws {
    try RealSwitch.withNetwork(#""vlan": 10"#) { host, ovs in
      let containers = try (0..<16).map { try host.container("c\($0)") }
      let results = try concurrently(containers, width: 16) { try host.tryAttach($0) }
      #expect(results.filter { !$0.succeeded }.map(\.description) == [])
      #expect(try ovs.bridges() == ["br1"])
      #expect(try ovs.ports(of: "br1").count == 17)
      for container in containers { #expect(try container.pings("100.1.1.254", within: 6)) }
    }
  }

  /// Somebody else changes the same bridge at the same time; each transaction is whole.
  @Test func otherToolsMayChangeTheBridgeMeanwhile() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp()
      let containers = try (0..<24).map { try host.container("c\($0)") }
      let outcomes = try concurrently(Array(0..<32), width: 8) { number -> String? in
        guard number % 4 == 3 else {
          let result = try host.tryAttach(containers[number / 4 * 3 + number % 4])
          return result.succeeded ? nil : "\(result)"
        }
        try ovs.vsctl("add-port br1 user\(number) -- set interface user\(number) type=internal")
        return nil
      }
      #expect(outcomes.compactMap { $0 } == [])
      #expect(try ovs.ports(of: "br1").count == 32)
      for container in containers { try host.stop(container) }
      #expect(try ovs.ports(of: "br1") == (0..<32).filter { $0 % 4 == 3 }.map { "user\($0)" }.sorted())
    }
  }
}
