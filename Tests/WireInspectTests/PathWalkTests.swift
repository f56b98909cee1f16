import Glibc
import Testing
import WireCore
import WireEngine
import WireInspect
import WireNFTables
import WireNetlink
import WirePlan
import WireView

/// What is made of the facts, without a kernel.
@Suite struct PathWalkTests {
  private func out(_ host: FakeHost) throws -> PathReport {
    try PathFinder(host).path(
      from: .container(host.containers[0]), to: .outside(FakeHost.outside), port: 443, transport: .tcp, family: .ipv4)
  }

  private func call(_ host: FakeHost, port: UInt16 = 80) throws -> PathReport {
    try PathFinder(host).path(
      from: .outside(FakeHost.outside), to: .container(host.containers[0]), port: port, transport: .tcp, family: .ipv4)
  }

  @Test func aWholeHostPassesBothWays() throws {
    let (out, call) = (try out(FakeHost()), try call(FakeHost()))
    #expect(out.stop == nil && call.stop == nil)
    #expect(out.packet == "tcp 10.210.4.2 -> 192.168.77.2:443")
    #expect(out.request.contains { $0.text.contains("from 10.210.4.2 becomes from 192.168.77.1") })
    #expect(out.answer.contains { $0.text.contains("to 192.168.77.1 becomes to 10.210.4.2") })
    #expect(call.packet == "tcp 192.168.77.2 -> 192.168.77.1:8080")
    #expect(call.request.contains { $0.text.contains("192.168.77.1:8080 becomes 10.210.4.2:80") })
    #expect(call.answer.contains { $0.text.contains("from 10.210.4.2 becomes from 192.168.77.1") })
  }

  @Test func aContainerWithoutADefaultRouteGetsTheOneItHad() throws {
    var host = FakeHost()
    host.refusals = [FakeHost.outside: ENETUNREACH]
    #expect(try out(host).stop?.remedy == "nsenter -t 7 -n ip route add default via 10.210.4.1 dev eth0")
  }

  @Test func aHostThatDoesNotForwardIsNamed() throws {
    var host = FakeHost()
    host.host.forwards = []
    let stop = try out(host).stop
    #expect(stop?.kind == .forwarding && stop?.remedy == "sysctl -w net.ipv4.ip_forward=1")
  }

  @Test func anAnswerThatHasNoWayBackStops() throws {
    var host = FakeHost()
    // The request passes; only what goes back to the caller is refused.
    host.refusals = [FakeHost.outside: ENETUNREACH]
    let report = try PathFinder(host).path(
      from: .host, to: .container(host.containers[0]), port: 80, transport: .tcp, family: .ipv4)
    #expect(report.stop == nil)
    host.refusals = [FakeHost.gateway: ENETUNREACH]
    let back = try PathFinder(host).path(
      from: .host, to: .container(host.containers[0]), port: 80, transport: .tcp, family: .ipv4)
    #expect(back.stop.map { back.answer.contains($0) } ?? false)
  }

  @Test func aPublishedPortThatTheMapLostIsNamed() throws {
    let host = FakeHost(FakeHost.wholeTable.filter { $0.set != .ports4 })
    let stop = try call(host).stop
    #expect(stop?.kind == .nat && stop?.remedy == "wirehook repair web")
  }

  @Test func aPortThatIsNotPublishedIsDroppedByOurOwnRule() throws {
    let stop = try call(FakeHost(), port: 81).stop
    #expect(stop?.kind == .filter && stop?.remedy == "wirehook publish web 81:81")
  }

  @Test func aSourceThatIsNotOnTheListIsDropped() throws {
    let restricted = Element.restricted(.tcp, hostPort: 8080, of: FakeHost.container)
    var elements = FakeHost.wholeTable + [restricted]
    #expect(try call(FakeHost(elements)).stop?.text.contains("is not on the port's list") ?? false)
    let allow = Element.allow(.tcp, hostPort: 8080, of: FakeHost.container, from: Prefix(host: FakeHost.outside))
    elements += [allow].compactMap { $0 }
    #expect(try call(FakeHost(elements)).stop == nil)
  }

  @Test func aNetworkWithoutAWayOutIsNamed() throws {
    let host = FakeHost(FakeHost.wholeTable + [.internal(FakeHost.bridge)])
    #expect(try out(host).stop?.text.contains("wh-front is internal, without a way out") ?? false)
  }

  @Test func aProgramOnLoopbackAloneIsNamed() throws {
    var host = FakeHost()
    host.web.listeners[0].listener.address = .loopback(.ipv4)
    #expect(try call(host).stop?.text.contains("listens on 127.0.0.1 only") ?? false)
    host.web.listeners = []
    #expect(try call(host).stop?.text == "nothing listens on tcp port 80")
  }

  @Test func aPortOfOpenVSwitchInAnotherVLANIsNamed() throws {
    var host = FakeHost()
    host.containers[0].attachment.interfaces[0].switchPort = SwitchPort(database: .unix(path: "/db"), isUserspace: true)
    host.switchPorts = ["whabc": SwitchPortFacts(bridge: "wh-front", vlan: VLANMembership("20"))]
    let stop = try out(host).stop
    #expect(stop?.text == "whabc is in VLAN 20 of wh-front, and was put into no VLAN")
    #expect(stop?.remedy == "ovs-vsctl clear port whabc tag")
  }

  @Test func anotherTablesRuleIsNamedWithItsCommand() throws {
    var host = FakeHost()
    host.host.tables = [FilterTable(.inet, "mine", chains: [FilterChain("guard", hook: .forward, drops: true)])]
    let stop = try out(host).stop
    #expect(stop?.text == "table inet mine chain guard drops it (policy drop)")
    #expect(stop?.remedy == "nft 'add rule inet mine guard iifname \"wh-front\" accept'")
  }

  private func filtering(_ port: [ClosedRange<UInt16>], bridge: [ClosedRange<UInt16>]) -> FakeHost {
    var host = FakeHost()
    var facts = BridgeFacts()
    facts.mode.filtersVLANs = true
    let members = { (index: UInt32, ranges: [ClosedRange<UInt16>]) in
      var vlans = PortVLANs(link: index)
      (vlans.untagged, vlans.members) = (ranges.first?.lowerBound, ranges)
      return vlans
    }
    facts.vlans = ["whabc": members(4, port), "wh-front": members(3, bridge)]
    facts.isAsked = false
    host.bridgeFacts = facts
    host.containers[0].attachment.interfaces[0].vlan = VLANMembership("10")
    return host
  }

  @Test func aBridgeThatFiltersVLANsIsLookedAtPortByPort() throws {
    #expect(try out(filtering([10...10], bridge: [10...20])).stop == nil)
    let apart = try out(filtering([10...10], bridge: [11...20])).stop
    #expect(apart?.text == "whabc is in VLAN 10 of wh-front, and wh-front is not")
    #expect(apart?.remedy == "bridge vlan add dev wh-front vid 10 pvid untagged self")
    let moved = try out(filtering([12...12], bridge: [10...10])).stop
    #expect(moved?.remedy == "bridge vlan add dev whabc vid 10 pvid untagged")
    let none = try out(filtering([], bridge: [10...10])).stop
    #expect(none?.text == "whabc is in no VLAN of wh-front that takes untagged frames (PVID)")
    #expect(none?.remedy == "bridge vlan add dev whabc vid 10 pvid untagged")
  }

  @Test func aMACThatTheBridgeDoesNotKnowIsFlooded() throws {
    var host = FakeHost()
    host.bridgeFacts = BridgeFacts()
    #expect(try call(host).request.contains { $0.kind == .fdb && $0.text.hasSuffix("is, and floods") })
    host.bridgeFacts?.ports["whabc"] = BridgePortState()
    host.bridgeFacts?.ports["whabc"]?.floods = false
    let report = try call(host)
    #expect(report.stop == nil && report.remedies.contains("bridge link set dev whabc flood on"))
  }
}
