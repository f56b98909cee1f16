import Testing
import WireCore
import WireJSON

@testable import WireOVSDB

/// The text that is sent.
@Suite struct OperationTests {
  private static let uuidText = "5a8e3a5e-1b2c-4d5e-8f90-0123456789ab"

  private static func uuid() throws -> OVSUUID { try #require(OVSUUID(uuidText)) }

  private func text(_ operations: [OVSDBOperation]) -> [String] { operations.map { JSONWriter.compact($0.json) } }

  @Test func eachOperationHasItsForm() throws {
    let row = [OVSDBOperation.Condition("_uuid", .equal, .uuid(try Self.uuid()))]
    #expect(
      text([
        .select(.openVSwitch, where: [], columns: ["next_cfg"]),
        .insert(.port, row: [.init("name", .string("a\"b")), .init("interfaces", .named("i0"))], named: "p0"),
        .update(.port, where: row, row: [.init("tag", .integer(10)), .init("trunks", .set([]))]),
        .mutate(.bridge, where: [], [.init("ports", .delete, .set([.uuid(try Self.uuid())]))]),
        .delete(.qos, where: [.marked(.port, "wh1")]),
        .wait(.bridge, where: [.named("br1")], columns: ["name"], until: .unequal, rows: [], milliseconds: 0),
        .comment("wirehook: add-port"),
      ]) == [
        #"{"op":"select","table":"Open_vSwitch","where":[],"columns":["next_cfg"]}"#,
        #"{"op":"insert","table":"Port","row":{"name":"a\"b","interfaces":["named-uuid","i0"]},"uuid-name":"p0"}"#,
        #"{"op":"update","table":"Port","where":[["_uuid","==",["uuid","\#(Self.uuidText)"]]],"row":{"tag":10,"trunks":["set",[]]}}"#,
        #"{"op":"mutate","table":"Bridge","where":[],"mutations":[["ports","delete",["set",[["uuid","\#(Self.uuidText)"]]]]]}"#,
        #"{"op":"delete","table":"QoS","where":[["external_ids","includes",["map",[["wirehook-port","wh1"]]]]]}"#,
        #"{"op":"wait","table":"Bridge","where":[["name","==","br1"]],"columns":["name"],"until":"!=","rows":[],"timeout":0}"#,
        #"{"op":"comment","comment":"wirehook: add-port"}"#,
      ])
  }

  @Test func anAccessPortIsTwoRows() throws {
    var port = PortSpec(try #require(InterfaceName("wh1")), .system)
    port.vlan = .access(10)
    port.isProtected = true
    port.isTransient = true
    port.externalIDs = StringMap([.network: "front", .container: "c1", .interface: "eth0"])
    port.interfaceExternalIDs = ["iface-id": "c1/eth0", "attached-mac": "0a:57:0a:00:00:02"]
    port.policing = .init(rate: 20_000, burst: 2_000)
    #expect(
      text(port.inserts(0)) == [
        #"{"op":"insert","table":"Interface","row":{"name":"wh1","ingress_policing_rate":20000,"ingress_policing_burst":2000,"#
          + #""external_ids":["map",[["attached-mac","0a:57:0a:00:00:02"],["iface-id","c1/eth0"]]]},"uuid-name":"interface0"}"#,
        #"{"op":"insert","table":"Port","row":{"name":"wh1","interfaces":["named-uuid","interface0"],"tag":10,"vlan_mode":"access","#
          + #""trunks":["set",[]],"protected":true,"other_config":["map",[["transient","true"]]],"external_ids":["map",["#
          + #"["wirehook-container","c1"],["wirehook-interface","eth0"],["wirehook-network","front"]]]},"uuid-name":"port0"}"#,
      ])
  }

  @Test func aTrunkNamesEachVLAN() throws {
    var port = PortSpec(try #require(InterfaceName("wh1")), .system)
    port.vlan = VLANMembership("trunk:10,20-22")
    #expect(
      try #require(text(port.inserts(3)).last)
        == #"{"op":"insert","table":"Port","row":{"name":"wh1","interfaces":["named-uuid","interface3"],"tag":["set",[]],"#
        + #""vlan_mode":"trunk","trunks":["set",[10,20,21,22]]},"uuid-name":"port3"}"#)
  }

  @Test func aTunnelHasOptionsAndNothingElse() throws {
    var port = PortSpec(try #require(InterfaceName("wx1")), .vxlan)
    port.options = ["remote_ip": "192.168.1.10", "key": "flow"]
    port.externalIDs = StringMap([.tunnel: "front"])
    #expect(
      text(port.inserts(0)) == [
        #"{"op":"insert","table":"Interface","row":{"name":"wx1","type":"vxlan","options":["map",[["key","flow"],"#
          + #"["remote_ip","192.168.1.10"]]]},"uuid-name":"interface0"}"#,
        #"{"op":"insert","table":"Port","row":{"name":"wx1","interfaces":["named-uuid","interface0"],"#
          + #""external_ids":["map",[["wirehook-tunnel","front"]]]},"uuid-name":"port0"}"#,
      ])
  }

  @Test func aLimitIsARowThatKnowsItsPort() throws {
    var port = PortSpec(try #require(InterfaceName("wh1")), .system)
    port.queueing = .limited(to: 20_000_000)
    port.externalIDs = StringMap([.container: "c1"])
    #expect(
      text(port.inserts(0))[1]
        == #"{"op":"insert","table":"QoS","row":{"type":"linux-htb","other_config":["map",[["max-rate","20000000"]]],"#
        + #""external_ids":["map",[["wirehook-container","c1"],["wirehook-port","wh1"]]]},"uuid-name":"qos0"}"#)
  }

  @Test func aBridgeComesWithItsOwnPort() throws {
    var bridge = BridgeSpec(
      try #require(InterfaceName("br1")), datapathType: "netdev", externalIDs: StringMap([.network: "front"]))
    bridge.mac = MACAddress(0x0a57_0a00_0001)
    bridge.mtu = 1450
    #expect(
      text(bridge.inserts) == [
        #"{"op":"insert","table":"Interface","row":{"name":"br1","type":"internal","mtu_request":1450},"uuid-name":"interface0"}"#,
        #"{"op":"insert","table":"Port","row":{"name":"br1","interfaces":["named-uuid","interface0"]},"uuid-name":"port0"}"#,
        #"{"op":"insert","table":"Bridge","row":{"name":"br1","datapath_type":"netdev","fail_mode":"standalone","#
          + #""ports":["named-uuid","port0"],"other_config":["map",[["hwaddr","0a:57:0a:00:00:01"]]],"#
          + #""external_ids":["map",[["wirehook-network","front"]]]},"uuid-name":"bridge"}"#,
      ])
  }

  @Test func valuesAreReadAsTheyAreWritten() throws {
    let values: [OVSDBValue] = [
      .string("x"), .integer(-1), .bool(true), .uuid(try Self.uuid()), .named("p0"), .set([]),
      .set([.integer(1), .integer(2)]), .map(["a": "b"]), .map([.init(.integer(0), .uuid(try Self.uuid()))]),
    ]
    for value in values { #expect(OVSDBValue(value.json) == value) }
  }

  @Test func otherFormsAreNoValues() {
    let text = JSONValue.string
    for json in [
      .null, .number(1.5), .object([]), .array([]), .array([text("set")]), .array([text("set"), .integer(1)]),
      .array([text("uuid"), text("x")]), .array([text("map"), .array([.array([text("a")])])]),
      .array([text("x"), text("y")]),
    ] as [JSONValue] {
      #expect(OVSDBValue(json) == nil)
    }
  }

  @Test func aMapKeepsTheOrderOfItsKeysAndEachOnce() {
    var map: StringMap = ["b": "1", "a": "2", "b": "3"]
    #expect(map.pairs.map(\.key) == ["a", "b"])
    #expect(map["b"] == "3")
    map["a"] = nil
    #expect(map == ["b": "3"])
  }
}
