import Support
import Testing
import WireCore
import WireJSON

@testable import WireOVSDB

/// A reply that was damaged on its way is read or refused. Not to crash is the test.
@Suite struct DamagedReplyTests {
  private static let reply = #"""
    {"id":1,"result":[{"rows":[{"datapath_types":["set",["netdev","system"]],"next_cfg":7,"cur_cfg":7,"ovs_version":["set",[]]}]},
    {"rows":[{"_uuid":["uuid","5a8e3a5e-1b2c-4d5e-8f90-0123456789ab"],"name":"br1","datapath_type":"netdev",
    "fail_mode":"standalone","external_ids":["map",[["wirehook-network","front"]]],"other_config":["map",[]]}]},
    {"rows":[{"_uuid":["uuid","5a8e3a5e-1b2c-4d5e-8f90-0123456789ac"],"name":"wh1","interfaces":["uuid",
    "5a8e3a5e-1b2c-4d5e-8f90-0123456789ad"],"tag":10,"vlan_mode":"access","trunks":["set",[1,2]],"protected":true,
    "external_ids":["map",[["a","b"]]],"other_config":["map",[]],"qos":["set",[]]}]},
    {"rows":[{"_uuid":["uuid","5a8e3a5e-1b2c-4d5e-8f90-0123456789ad"],"name":"wh1","type":"","options":["map",[]],"ofport":-1,
    "error":"could not open","link_state":"down","mac_in_use":"0a:57:0a:00:00:02","mtu_request":1450,
    "ingress_policing_rate":0,"external_ids":["map",[]]}]}],"error":null}
    """#

  private func read(_ bytes: [UInt8]) throws {
    var scanner = DocumentScanner()
    guard let end = try scanner.end(in: bytes) else { return }
    let limits = JSONLimits(size: DocumentScanner.sizeLimit, depth: DocumentScanner.depthLimit)
    let message = try JSONValue.parse(Array(bytes[..<end]), limits: limits, duplicates: .lastWins)
    let request = OVSDBConnection.Request(id: 1, count: 4, purpose: "a test")
    let results = try OVSDBResults(message, request, .standard)
    _ = try results.rows(0).map(SwitchRow.init)
    _ = try results.rows(1).map(BridgeRow.init)
    let ports = try results.rows(2).map(PortRow.init)
    let interfaces = try results.rows(3).map(InterfaceRow.init)
    for attached in AttachedPort.join(
      bridgeOfPort: Dictionary(uniqueKeysWithValues: ports.prefix(1).map { ($0.uuid, "br1") }), ports: ports,
      interfaces: interfaces)
    {
      _ = attached.port.vlan
    }
  }

  @Test func theWholeReplyIsRead() throws { try read(Array(Self.reply.utf8)) }

  @Test func damagedRepliesAreReadOrRefused() {
    var random = Dice(seed: 42)
    let pieces = [
      "[", "]", "{", "}", "\"", "\\", ",", "null", "-1", "1e999", "9223372036854775807", "[[]]", "\u{0}", "ö",
    ]
    let whole = Array(Self.reply.utf8)
    var refused = 0
    for _ in 0..<20_000 {
      var bytes = whole
      for _ in 0...Int.random(in: 0...3, using: &random) {
        let start = Int.random(in: bytes.indices, using: &random)
        let end = min(bytes.count, start + Int.random(in: 0...6, using: &random))
        bytes.replaceSubrange(start..<end, with: Array((pieces.randomElement(using: &random) ?? "").utf8))
      }
      do { try read(bytes) } catch { refused += 1 }
    }
    #expect(refused > 10_000)
  }
}
