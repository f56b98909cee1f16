import Foundation
import Support
import Testing

/// What is refused leaves nothing, and the line names the key, the value and what was expected.
@Suite(needsRoot) struct RefusalTests {
  @Test(arguments: [
    (["wirehook.port": "8080:80"], ["wirehook.port", "wirehook.ports"]),
    (["wirehook.netwrok": "front"], ["wirehook.netwrok", "wirehook.network"]),
    (["wirehook.ip": "10.210.9.9"], ["wirehook.ip", "10.210.9.9", "10.210.4.0/24"]),
    (["wirehook.ip": "10.210.4.1"], ["10.210.4.1", "gateway"]),
    (["wirehook.ip": "10.210.4.255"], ["10.210.4.255", "broadcast"]),
    (["wirehook.ip": "10.210.4.0"], ["10.210.4.0"]),
    (["wirehook.ip": "10.210.4"], ["wirehook.ip", "\"10.210.4\""]),
    (["wirehook.ip": "10.210.4.9/33"], ["wirehook.ip", "10.210.4.9/33"]),
    (["wirehook.network": "nosuch"], ["nosuch"]),
    (["wirehook.network": "fron"], ["fron", "front"]),
    (["wirehook.network": "bridge:nosuch", "wirehook.ip": "10.1.1.2/24"], ["nosuch"]),
    (["wirehook.network": "front:0123456789abcdef"], ["wirehook.network", "0123456789abcdef"]),
    (["wirehook.network": "front:lo"], ["wirehook.network", "lo"]),
    (["wirehook.network": "front:."], ["wirehook.network"]),
    (["wirehook.network": "front:a/b"], ["wirehook.network", "a/b"]),
    (["wirehook.network": "front:a b"], ["wirehook.network", "a b"]),
    (["wirehook.network": "front:eth0,front:eth0"], ["wirehook.network", "eth0"]),
    (["wirehook.ip.eth7": "10.210.4.9"], ["wirehook.ip.eth7"]),
    (["wirehook.mac": "01:00:5e:00:00:01"], ["wirehook.mac", "01:00:5e:00:00:01"]),
    (["wirehook.mac": "02:42"], ["wirehook.mac", "02:42"]),
    (["wirehook.mtu": "20"], ["wirehook.mtu", "20"]),
    (["wirehook.mtu": "1e3"], ["wirehook.mtu", "1e3"]),
    (["wirehook.gateway": "10.210.4"], ["wirehook.gateway", "10.210.4"]),
    (["wirehook.routes": "10.0.0.0/8"], ["wirehook.routes", "10.0.0.0/8"]),
    (["wirehook.routes": "10.0.0.0/8 dev eth9"], ["wirehook.routes", "eth9"]),
    (["wirehook.bandwidth": "up=1mbit"], ["wirehook.bandwidth", "up"]),
    (["wirehook.bandwidth": "ingress=fast"], ["wirehook.bandwidth", "fast"]),
    (["wirehook.snat": "front"], ["wirehook.snat", "front"]),
    (["wirehook.allow": "10.0.0.0/40"], ["wirehook.allow", "10.0.0.0/40"]),
    (["wirehook.vlan": "5000"], ["wirehook.vlan", "5000"]),
  ])
  func anAnnotationThatCannotBeIsNamed(annotations: [String: String], parts: [String]) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let before = try host.snapshot()
      let result = try host.tryAttach(web, annotations)
      expectOneErrorLine(result, naming: parts)
      try expectUnchanged(host, since: before)
      #expect(try web.links() == ["lo"])
    }
  }

  @Test(arguments: ["macvlan", "ipvlan", "ovn", "ovs", "vhost"])
  func aDriverThatIsNotInThisVersionIsNamed(driver: String) throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "other", #"{"driver": "\#(driver)", "bridge": "wh-other", "subnets": [{"subnet": "10.9.0.0/24"}]}"#)
      let result = try host.tryAttach(host.container("web"), ["wirehook.network": "other"])
      expectOneErrorLine(result, naming: [driver])
    }
  }

  /// crun drops a hook's standard error.
  @Test func theErrorStandsInTheLogToo() throws {
    try Sandbox.with { host in
      let result = try host.tryAttach(host.container("web"), ["wirehook.ip": "10.210.9.9"])
      expectOneErrorLine(result, naming: ["10.210.9.9"])
      let log = try String(contentsOfFile: host.logFile, encoding: .utf8)
      #expect(log.contains(result.stderr.dropFirst("wirehook: ".count).dropLast()), "\(log)")
    }
  }

  @Test func anAddressInUseNamesItsOwner() throws {
    try Sandbox.with { host in
      _ = try host.started("first", ["wirehook.ip": "10.210.4.9"])
      try expectRefused(
        host, host.container("second"), ["wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80"],
        naming: "10.210.4.9", "first")
      let third = try host.started("third", ["wirehook.ports": "8080:80"])
      #expect(try third.links() == ["eth0", "lo"])
    }
  }

  @Test func aRangePartlyTakenIsRefusedWhole() throws {
    try Sandbox.with { host in
      _ = try host.started("first", ["wirehook.ports": "9005:80"])
      try expectRefused(
        host, host.container("second"), ["wirehook.ports": "9000-9010:9000-9010"], naming: "9005", "first")
      _ = try host.started("third", ["wirehook.ports": "9000-9004:9000-9004,9006-9010:9006-9010"])
    }
  }

  @Test func aRefusedAttachOnAFreshHostLeavesNoAddressAndNoRule() throws {
    try Sandbox.with { host in
      let program = try host.serve(8080)
      defer { program.stop() }
      let web = try host.container("web")
      expectOneErrorLine(try host.tryAttach(web, ["wirehook.ports": "8080:80"]), naming: ["8080"])
      #expect(try host.list().isEmpty)
      #expect(try !host.links().contains { $0.hasPrefix("veth") || $0.hasPrefix("wh") && $0 != "wh-front" })
    }
  }

  @Test func longIDsAndNamesOfFifteenBytesWork() throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "fifteen", #"{"driver": "bridge", "bridge": "bridge-fifteen-", "subnets": [{"subnet": "10.213.0.0/24"}]}"#)
      let common = String(repeating: "0123456789abcdef", count: 2)
      let annotations = ["wirehook.network": "front,fifteen:fifteen-bytes-l", "wirehook.bandwidth": "egress=10mbit"]
      let containers = try ["1", "2", ""].map { suffix in
        try host.started(common + suffix + String(repeating: "z", count: suffix.isEmpty ? 0 : 200), annotations)
      }
      for container in containers { #expect(try container.links() == ["eth0", "fifteen-bytes-l", "lo"]) }
      #expect(try host.links().filter { $0.utf8.count > 15 } == [])
      #expect(try host.json("link show master bridge-fifteen-").array.count == 3)
      for container in containers { try host.stop(container) }
      #expect(try host.list().isEmpty)
    }
  }

  @Test(arguments: ["a:b", "web+1", "w.e_b-2", "ünïcode", "with space"])
  func anIDMayBeAnyNameThatARuntimeAllows(id: String) throws {
    try Sandbox.with { host in
      let web = try host.started(id)
      #expect(try web.links() == ["eth0", "lo"])
      try host.stop(web)
      #expect(try host.list().isEmpty)
    }
  }
}
