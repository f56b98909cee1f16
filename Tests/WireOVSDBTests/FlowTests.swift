import Support
import Testing
import WireCore

@testable import WireOVSDB

/// The bytes of OpenFlow, and what a real switch makes of them.
@Suite struct FlowTests {
  static func senders(_ addresses: [String], free: [Family] = [], port: UInt16 = 1) throws -> SenderFlows {
    SenderFlows(
      link: try interface("wh1"), port: port, mac: MACAddress(0x0a57_0a00_0001),
      addresses: addresses.compactMap { IPAddress($0) }, free: free)
  }

  @Test func aFlowIsWrittenAsTheStandardSays() throws {
    let flow = Flow(
      cookie: 0x5748_0000_0000_0001, priority: 65000,
      [.arpSource(try #require(IPAddress("10.0.0.1"))), .lacks(.isChecked), .etherType(0x0806), .inPort(1)],
      .again(.isChecked))
    let bytes = OpenFlowMessage.bundled(.add(flow), 7).bytes
    // One line each: header, bundle; header; cookie, table and command, priority, any port; match; instruction; actions.
    let expected = """
      05 22 00 98 00 00 00 07  00 00 00 01 00 00 00 03
      05 0e 00 88 00 00 00 07
      57 48 00 00 00 00 00 01  00 00 00 00 00 00 00 00
      00 00 00 00 00 00 fd e8  ff ff ff ff ff ff ff ff ff ff ff ff 00 00 00 00
      00 01 00 26  00 01 1f 08 00 00 00 00 80 00 00 00  80 00 00 04 00 00 00 01
      80 00 0a 02 08 06  80 00 2c 04 0a 00 00 01  00 00
      00 04 00 30 00 00 00 00
      ff ff 00 18 00 00 23 20 00 07 07 c0 00 01 1e 04 00 00 00 00 00 00 00 01
      ff ff 00 10 00 00 23 20 00 0e ff f8 00 00 00 00
      """
    #expect(bytes == expected.split { " \n".contains($0) }.compactMap { UInt8($0, radix: 16) })
  }

  @Test func removalsAreByCookieAndPort() {
    let bytes = FlowChange.remove(.ours, inPort: 3).body
    #expect(Array(bytes[..<18]) == [0x57, 0x48, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 3])
    #expect(Array(bytes.suffix(16)) == [0, 1, 0, 12, 0x80, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 0])
  }

  @Test func aCookieIsOursAndTheHostEndsOwn() throws {
    let cookies = try ["wh1", "wh2", "whabcdefghijkl"].map { FlowCookies.cookie(of: try interface($0)) }
    #expect(Set(cookies).count == 3)
    #expect(cookies.allSatisfy { $0 >> 48 == 0x5748 })
    #expect(cookies[0] == 0x5748_0000_0000_0000 | StableHash.of("wh1") >> 16)
  }

  @Test func aFamilyWithoutAnAddressHasNoSender() throws {
    let flows = try Self.senders(["10.0.0.1"]).flows
    // Of IPv6 none but what comes from nobody.
    #expect(flows.count == 14)
    #expect(try Self.senders([], free: Family.allCases).flows.count == 11)
  }

  @Test func whatIsCutOffIsNoFlow() throws {
    var entry: [UInt8] = [0, 56, 0, 0] + [UInt8](repeating: 0, count: 44)
    entry += [0, 1, 0, 4, 0, 0, 0, 0]
    #expect(Flow.list(entry[...])?.count == 1)
    for count in 1..<entry.count { #expect(Flow.list(entry[..<count]) == nil, "\(count)") }
    for (index, value) in [(0, 0xff), (1, 1), (1, 0), (49, 2), (50, 0xff), (51, 3), (51, 9)] as [(Int, UInt8)] {
      var damaged = entry
      damaged[index] = value
      #expect(Flow.list(damaged[...]) == nil, "byte \(index)")
    }
  }
}

/// The same before a real ovs-vswitchd.
@Suite(.enabled(if: Tool.root.isThere && Tool.ovs.isThere, "needs root and Open vSwitch"))
struct FlowTableTests {
  private func with(_ body: (RealSwitch, DatabaseAddress) throws -> Void) throws {
    try RealSwitch.with { _, real in
      try real.makeBridge(on: real.connect())
      try body(real, try #require(real.address.managementSocket(of: interface("br1"))))
    }
  }

  @Test func theSwitchReadsTheFlowsAsTheyWereMeant() throws {
    try with { real, socket in
      let senders = try FlowTests.senders(["10.0.0.1", "fd00::1", "fe80::1"], port: 5)
      let table = try FlowTable(socket, until: .soon)
      try table.apply(senders.changes, until: .soon)
      let cookie = String(FlowCookies.cookie(of: try interface("wh1")), radix: 16)
      let (no, mac) = ("reg15=0/0x80000000,in_port=N", "dl_src=0a:57:0a:00:00:01")
      let ok = "actions=load:0x1->NXM_NX_REG15[31],resubmit(,0)"
      let advertises = "icmp6,reg15=0/0xc0000000,in_port=N,icmp_type=136"
      let expected = [
        "priority=65506,icmp6,\(no),icmp_type=134 actions=drop",
        "priority=65505,\(advertises),icmp_code=0,nd_target=fd00::1 actions=load:0x1->NXM_NX_REG15[30],resubmit(,0)",
        "priority=65505,\(advertises),icmp_code=0,nd_target=fe80::1 actions=load:0x1->NXM_NX_REG15[30],resubmit(,0)",
        "priority=65504,\(advertises) actions=drop",
        "priority=65503,arp,\(no),\(mac),arp_spa=10.0.0.1,arp_sha=0a:57:0a:00:00:01 \(ok)",
        "priority=65503,arp,\(no),\(mac),arp_spa=0.0.0.0,arp_sha=0a:57:0a:00:00:01 \(ok)",
        "priority=65503,ip,\(no),\(mac),nw_src=10.0.0.1 \(ok)",
        "priority=65503,ip,\(no),\(mac),nw_src=0.0.0.0,nw_dst=224.0.0.0/3 \(ok)",
        "priority=65503,ipv6,\(no),\(mac),ipv6_src=fd00::1 \(ok)",
        "priority=65503,ipv6,\(no),\(mac),ipv6_src=fe80::1 \(ok)",
        "priority=65503,ipv6,\(no),\(mac),ipv6_src=::,ipv6_dst=ff00::/8 \(ok)",
        "priority=65502,arp,\(no) actions=drop", "priority=65502,ip,\(no) actions=drop",
        "priority=65502,ipv6,\(no) actions=drop", "priority=65502,\(no),dl_type=0x8100 actions=drop",
        "priority=65502,\(no),dl_type=0x88a8 actions=drop", "priority=65501,\(no),\(mac) \(ok)",
        "priority=65500,\(no) actions=drop",
      ]
      #expect(try real.senderFlows() == expected.map { "cookie=0x\(cookie), \($0)" }.sorted())
      #expect(Set(try table.flows(.ours, until: .soon)) == Set(senders.flows), "and they are read back")
      #expect(try real.flows(of: "br1").last == "priority=0 actions=NORMAL")
    }
  }

  @Test func flowsAreReplacedAndRemovedByTheirCookies() throws {
    try with { real, socket in
      try real.ofctl("add-flow", "br1", "cookie=0x77,priority=5,in_port=5,actions=drop")
      let table = try FlowTable(socket, until: .soon)
      // An earlier life of port 5, of another host end.
      let earlier = SenderFlows(
        link: try interface("wh0"), port: 5, mac: MACAddress(0x0a57_0a00_0009), addresses: [], free: Family.allCases)
      try table.apply(earlier.changes, until: .soon)
      let senders = try FlowTests.senders(["10.0.0.1"], port: 5)
      try table.apply(senders.changes, until: .soon)
      #expect(Set(try table.flows(.ours, until: .soon)) == Set(senders.flows))
      // It has got another number.
      let moved = try FlowTests.senders(["10.0.0.1"], port: 6)
      try table.apply(moved.changes, until: .soon)
      #expect(Set(try table.flows(.ours, until: .soon)) == Set(moved.flows))
      try table.apply([.remove(.of(interface("wh1")))], until: .soon)
      #expect(try table.flows(.ours, until: .soon) == [])
      #expect(try real.flows(of: "br1").contains { $0.hasPrefix("cookie=0x77") }, "a user's flow stays")
    }
  }

  @Test func aThousandHostEndsAreListed() throws {
    try with { real, socket in
      let table = try FlowTable(socket, until: .soon)
      var wanted: Set<Flow> = []
      for number in UInt16(1)...300 {
        let senders = SenderFlows(
          link: try interface("wh\(number)"), port: number, mac: MACAddress(UInt64(number)),
          addresses: ["10.0.0.1", "fd00::1"].compactMap { IPAddress($0) }, free: [])
        wanted.formUnion(senders.flows)
        try table.apply(senders.changes, until: .soon)
      }
      #expect(wanted.count > 4000)
      #expect(Set(try table.flows(.ours, until: .soon)) == wanted, "more than one message holds")
    }
  }

  @Test func whatTheSwitchRefusesIsNamedAndNothingIsSet() throws {
    try with { real, socket in
      let table = try FlowTable(socket, until: .soon)
      let good = try FlowTests.senders(["10.0.0.1"]).flows[0]
      // IPv4's field in frames of any kind.
      let bad = Flow(cookie: good.cookie, priority: 1, [.source(.any(.ipv4))], .drop)
      let error = try #require(throws: OVSDBError.self) {
        try table.apply([.add(good), .add(bad)], until: .soon)
      }
      guard case .flowsRefused(type: 4, _) = error.kind else {
        Issue.record("\(error)")
        return
      }
      #expect(error.description.contains("the flows were refused: bad match (type 4, code "))
    }
  }

  @Test func aBridgeThatDoesNotAllowOurVersionIsNamed() throws {
    try with { real, socket in
      try real.vsctl("set bridge br1 protocols=OpenFlow10,OpenFlow13")
      let error = try #require(throws: OVSDBError.self) {
        try FlowTable(socket, until: .soon).apply([.remove(.ours)], until: .soon)
      }
      #expect(error.kind == .openFlowVersion)
      #expect(error.description.hasSuffix("the bridge does not speak OpenFlow 1.4"))
      try real.vsctl("set bridge br1 protocols=OpenFlow10,OpenFlow14")
      try FlowTable(socket, until: .soon).apply([.remove(.ours)], until: .soon)
    }
  }
}
