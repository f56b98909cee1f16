import Foundation
import Glibc
import Support
import Testing
import WireCore
import WireLinux

@testable import WireOVSDB

/// A real ovsdb-server and a real ovs-vswitchd.
@Suite(.enabled(if: Tool.root.isThere && Tool.ovs.isThere, "needs root and Open vSwitch"))
struct OpenVSwitchTests {
  @Test func anAttachIsThreeRoundTrips() throws {
    try RealSwitch.with { _, real in
      try real.makePair("wh1")
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      let look = try ovs.look(at: "br1", container: "c1", until: .soon)
      #expect(look.switch.datapathTypes.contains("netdev"))
      #expect(look.bridge?.network == "front")
      #expect(look.ports.isEmpty)

      var port = try PortSpec.of("c1", "wh1")
      port.vlan = .access(10)
      port.isProtected = true
      port.interfaceExternalIDs = ["iface-id": "c1/eth0", "attached-mac": "0a:57:0a:00:00:02"]
      let configuration = try ovs.addPorts([port], to: "br1", until: .soon)
      let settled = try #require(try ovs.settle(configuration, [interface("wh1")], until: .soon).first)
      #expect(settled.ofport ?? -1 > 0)
      #expect(
        try real.vsctl("get port wh1 tag vlan_mode protected other_config") == "10\naccess\ntrue\n{transient=\"true\"}")
      #expect(try real.vsctl("get interface wh1 external_ids:iface-id") == "\"c1/eth0\"")
      #expect(try real.vsctl("port-to-br wh1") == "br1")
      #expect(try ovs.look(at: "br1", container: "c1", until: .soon).ports.map(\.name) == ["wh1"])

      let rows = try ovs.ports(until: .soon)
      #expect(rows.map(\.bridge) == ["br1", "br1"])
      let row = try #require(rows.last)
      #expect((row.port.name, row.port.vlan, row.port.isProtected) == ("wh1", .access(10), true))
      #expect(row.port.externalIDs == port.externalIDs)
      #expect(row.interfaces == [settled])
    }
  }

  @Test func aBridgeIsMadeAsItIsConfigured() throws {
    try RealSwitch.with { _, real in
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      #expect(
        try real.vsctl("get bridge br1 datapath_type fail_mode other_config external_ids")
          == "netdev\nstandalone\n{hwaddr=\"0a:57:0a:00:00:01\"}\n{wirehook-network=front}")
      let link = try real.host.json("link show dev br1")[0]
      #expect(link["address"].string == "0a:57:0a:00:00:01")
      #expect(link["mtu"].int == 1450)
      let again = try #require(throws: OVSDBError.self) { try ovs.createBridge(real.spec(bridge: "br1"), until: .soon) }
      #expect(again.kind == .bridgeExists("br1"))
      #expect(again.description.hasSuffix(#"the creation of bridge "br1": there is a bridge "br1" already"#))
      #expect(try ovs.bridges(until: .soon).map(\.name) == ["br1"])
    }
  }

  @Test func aBridgeWithPortsOrOfOthersStays() throws {
    try RealSwitch.with { _, real in
      try real.makePair("wh1")
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      try real.vsctl("add-br theirs -- set bridge theirs datapath_type=netdev -- add-port br1 wh1")
      let foreign = try #require(throws: OVSDBError.self) { try ovs.removeBridge(named: "theirs", until: .soon) }
      #expect(foreign.kind == .notOurs(bridge: "theirs"))
      let used = try #require(throws: OVSDBError.self) { try ovs.removeBridge(named: "br1", until: .soon) }
      #expect(used.kind == .bridgeInUse("br1"))
      try real.vsctl("del-port wh1")
      let removed = try #require(try ovs.removeBridge(named: "br1", until: .soon))
      _ = try ovs.settle(removed, [], until: .soon)
      #expect(try real.vsctl("list-br") == "theirs")
      #expect(try !real.host.links().contains("br1"))
      #expect(try ovs.removeBridge(named: "br1", until: .soon) == nil)
    }
  }

  @Test func onlyPortsWithOurMarkAreRemoved() throws {
    try RealSwitch.with { _, real in
      for name in ["wh1", "wh2", "u1"] { try real.makePair(name) }
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      _ = try ovs.addPorts([.of("c1", "wh1"), .of("c2", "wh2")], to: "br1", until: .soon)
      try real.vsctl("add-port br1 u1")
      #expect(try ovs.removePorts(named: ["wh1", "wh2", "u1", "gone"], .container, "c1", until: .soon) != nil)
      #expect(try real.vsctl("list-ports br1") == "u1\nwh2")
      #expect(try ovs.removePorts(named: ["wh1"], .container, "c1", until: .soon) == nil)
      #expect(try ovs.removePorts([], until: .soon) == nil)

      let left = try ovs.look(at: "br1", container: "c2", until: .soon).ports
      for _ in 0..<2 { #expect(try ovs.removePorts(left, until: .soon) != nil) }
      #expect(try real.vsctl("list-ports br1") == "u1")
      #expect(try real.vsctl("--columns=name list interface").contains("wh2") == false)
    }
  }

  @Test func aLimitComesAndGoesWithItsPort() throws {
    try RealSwitch.with { _, real in
      try real.makePair("wh1")
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      var port = try PortSpec.of("c1", "wh1")
      port.queueing = .limited(to: 20_000_000)
      port.policing = .init(rate: 10_000, burst: 1_000)
      _ = try ovs.settle(ovs.addPorts([port], to: "br1", until: .soon), [interface("wh1")], until: .soon)
      #expect(try eventually { try real.host.sh("tc qdisc show dev wh1").contains("htb") })
      #expect(try real.vsctl("get interface wh1 ingress_policing_rate ingress_policing_burst") == "10000\n1000")
      #expect(try real.host.sh("tc class show dev wh1").contains("20Mbit"))
      #expect(try real.host.sh("tc qdisc show dev wh1").contains("ingress"))

      // The same name again, as a container that starts anew has it.
      let old = try ovs.look(at: "br1", container: "c1", until: .soon).ports
      _ = try ovs.settle(
        ovs.addPorts([port], to: "br1", replacing: old, until: .soon), [interface("wh1")], until: .soon)
      #expect(try real.vsctl("--columns=type list qos").split(separator: "\n").count == 1)
      #expect(try real.vsctl("get port wh1 qos") == real.vsctl("--columns=_uuid --bare list qos"))

      let new = try ovs.look(at: "br1", container: "c1", until: .soon).ports
      #expect(new.map(\.uuid) != old.map(\.uuid))
      _ = try ovs.removePorts(new, until: .soon)
      #expect(try real.vsctl("list qos") + real.vsctl("list-ports br1") == "")
    }
  }

  @Test func ofTwoWhoAddTheSamePortExactlyOneWins() throws {
    try RealSwitch.with { _, real in
      try real.makePair("wh1")
      let (first, second) = (try real.connect(), try real.connect())
      try real.makeBridge(on: first)
      // Both are on their way before either is answered.
      let changes = [
        try first.beginAdding([.of("c1", "wh1")], to: "br1", until: .soon),
        try second.beginAdding([.of("c2", "wh1")], to: "br1", until: .soon),
      ]
      var failures: [OVSDBError] = []
      for (ovs, change) in zip([first, second], changes) {
        do { _ = try ovs.finish(change, until: .soon) } catch let error as OVSDBError { failures.append(error) }
      }
      #expect(failures.map(\.kind) == [.portExists("wh1")])
      #expect(try real.vsctl("list-ports br1") == "wh1")
    }
  }

  @Test func ofManyAtOnceNoneIsLost() throws {
    try RealSwitch.with { _, real in
      let names = (1...24).map { "wh\($0)" }
      for name in names { try real.makePair(name) }
      try real.makeBridge(on: real.connect())
      let address = real.address
      let numbers = try concurrently(names, width: 8) { name in
        let ovs = try OpenVSwitch(address, until: .soon)
        let configuration = try ovs.addPorts([.of("c-\(name)", name)], to: "br1", until: .soon)
        return try ovs.settle(configuration, [interface(name)], until: .soon).first?.ofport ?? -1
      }
      #expect(Set(numbers).count == names.count)
      #expect(Set(try real.vsctl("list-ports br1").split(separator: "\n").map(String.init)) == Set(names))
    }
  }

  @Test func aNameThatAnInterfaceInABondHasIsTaken() throws {
    try RealSwitch.with { _, real in
      for name in ["wh1", "wh2"] { try real.makePair(name) }
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      try real.vsctl("add-bond br1 bond0 wh1 wh2")
      let error = try #require(throws: OVSDBError.self) {
        try ovs.addPorts([.of("c1", "wh1")], to: "br1", until: .soon)
      }
      #expect(error.kind == .portExists("wh1"))
    }
  }

  @Test func aBridgeThatIsGoneIsNamed() throws {
    try RealSwitch.with { _, real in
      let ovs = try real.connect()
      #expect(try ovs.look(at: "br1", container: nil, until: .soon).bridge == nil)
      let error = try #require(throws: OVSDBError.self) {
        try ovs.addPorts([.of("c1", "wh1")], to: "br1", until: .soon)
      }
      #expect(error.kind == .bridgeMissing("br1"))
      #expect(error.step == #"waiting for the reply to the addition of port "wh1""#)
    }
  }

  @Test func aLinkThatIsNotThereFailsInOpenVSwitchsWords() throws {
    try RealSwitch.with { _, real in
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      let configuration = try ovs.addPorts([.of("c1", "nosuch")], to: "br1", until: .soon)
      let error = try #require(throws: OVSDBError.self) {
        try ovs.settle(configuration, [interface("nosuch")], until: .soon)
      }
      #expect(error.kind == .interface(name: "nosuch", error: "could not open network device nosuch (No such device)"))
      let broken = try #require(try ovs.ports(until: .soon).last?.interfaces.first)
      #expect((broken.ofport, broken.error) == (-1, "could not open network device nosuch (No such device)"))
    }
  }

  /// The database takes any datapath; ovs-vswitchd says why not in its log alone.
  @Test func aDatapathThatIsNotThereIsAnError() throws {
    try RealSwitch.with { _, real in
      let ovs = try real.connect()
      var bridge = try real.spec(bridge: "br1")
      bridge.datapathType = "nosuch"
      let configuration = try ovs.createBridge(bridge, until: .soon)
      let error = try #require(throws: OVSDBError.self) {
        try ovs.settle(configuration, [bridge.name], until: .soon)
      }
      #expect(
        error.kind == .interface(name: "br1", error: "ovs-vswitchd gave it no port number; its log says why"))
      #expect(try ovs.removeBridge(named: "br1", until: .soon) != nil)
    }
  }

  @Test func aLimitOfSomebodyElsesStays() throws {
    try RealSwitch.with { _, real in
      try real.makePair("wh1")
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      _ = try ovs.addPorts([.of("c1", "wh1")], to: "br1", until: .soon)
      try real.vsctl("set port wh1 qos=@q -- --id=@q create qos type=linux-htb")
      _ = try ovs.removePorts(named: ["wh1"], .container, "c1", until: .soon)
      #expect(try real.vsctl("list-ports br1") == "")
      #expect(try real.vsctl("--bare --columns=type list qos") == "linux-htb")
    }
  }

  @Test func whatIsLeftOfAPortThatSomebodyRemovedGoes() throws {
    try RealSwitch.with { _, real in
      try real.makePair("wh1")
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      var port = try PortSpec.of("c1", "wh1")
      port.queueing = .limited(to: 20_000_000)
      _ = try ovs.addPorts([port], to: "br1", until: .soon)
      try real.vsctl("del-port wh1")
      #expect(try real.vsctl("--bare --columns=type list qos") == "linux-htb")
      #expect(try ovs.removePorts(named: ["wh1"], .container, "c2", until: .soon) == nil)
      #expect(try ovs.removePorts(named: ["wh1"], .container, "c1", until: .soon) != nil)
      #expect(try real.vsctl("list qos") == "")
    }
  }

  @Test func aTunnelToTheSameRemoteTwiceIsOpenVSwitchsError() throws {
    try RealSwitch.with { _, real in
      let ovs = try real.connect()
      try real.makeBridge(on: ovs)
      func tunnel(_ name: String) throws -> PortSpec {
        var port = PortSpec(try interface(name), .vxlan)
        port.options = ["remote_ip": "192.168.77.2", "local_ip": "192.168.77.1", "key": "42", "dst_port": "4789"]
        port.externalIDs = StringMap([.tunnel: "front"])
        return port
      }
      _ = try ovs.settle(ovs.addPorts([tunnel("wx1")], to: "br1", until: .soon), [interface("wx1")], until: .soon)
      let error = try #require(throws: OVSDBError.self) {
        try ovs.settle(ovs.addPorts([tunnel("wx2")], to: "br1", until: .soon), [interface("wx2")], until: .soon)
      }
      #expect(error.kind == .interface(name: "wx2", error: "could not add network device wx2 to ofproto (File exists)"))
      #expect(try ovs.removePorts(named: ["wx1", "wx2"], .tunnel, "front", until: .soon) != nil)
      #expect(try real.vsctl("list-ports br1") == "")
    }
  }
}
