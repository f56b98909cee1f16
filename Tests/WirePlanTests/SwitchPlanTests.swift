import Testing
import WireConfig
import WireCore
import WirePlan

/// What a plan has on Open vSwitch that it has not on a Linux bridge, and the other way round.
@Suite struct SwitchPlanTests {
  private func steps(
    _ planning: Planning = Planning(), _ annotations: [(String, String)] = []
  ) throws -> (interface: AttachedInterface, steps: [Step]) {
    let attachment = try planning.attach("c1", [("wirehook.network", "blue")] + annotations)
    return (attachment.interfaces[0], Step.all(of: attachment))
  }

  @Test func theHostEndIsSilentAndNobodysButTheSwitchs() throws {
    let (interface, steps) = try steps()
    guard case .veth(let pair) = steps.first else { throw PlanningFailure() }
    #expect(pair.isSilent && pair.bridge == nil)
    #expect(steps.contains(.guardIngress(interface.hostLink)))
    #expect(steps.contains(.checksumsInSoftware(interface.name)))
    guard case .switchPort(let port) = steps[1] else { throw PlanningFailure() }
    #expect(port.bridge.description == "br1" && port.vlan == .access(10) && port.isProtected)
    #expect(port.network == "blue" && port.container == "c1" && port.mac == interface.mac)
  }

  @Test func whatItSendsIsCheckedByTheSwitch() throws {
    let (interface, steps) = try steps()
    let check = try #require(interface.switchSenderCheck)
    #expect(steps.filter { $0.place == .switch }.last == .checkSwitchSender(check))
    #expect(check.check.mac == interface.mac && check.check.addresses == interface.addresses.map { $0.address })
    #expect(check.bridge.description == "br1" && check.database.description == "unix:/db.sock")
    let onLinux = try Planning().attach("c2", [])
    #expect(onLinux.interfaces[0].antispoof && onLinux.interfaces[0].switchSenderCheck == nil)
    #expect(Step.all(of: onLinux).allSatisfy { $0.place != .switch })
  }

  /// The other kinds of bridges, and what the network's file says of them.
  @Test(arguments: [
    ("", true), (", \"antispoof\": true", true), (", \"antispoof\": false", false),
    (", \"managed\": false", false), (", \"managed\": false, \"antispoof\": true", true),
  ])
  func theNetworkSaysWhetherItIsChecked(_ keys: String, _ isChecked: Bool) throws {
    var planning = Planning()
    planning.networks["blue"] = planning.networks["blue"]?.replacing("\"vlan\": 10", with: "\"vlan\": 10\(keys)")
    let (interface, steps) = try steps(planning, [("wirehook.ip", "100.1.1.9/24")])
    #expect(interface.antispoof == isChecked)
    #expect((interface.switchSenderCheck != nil) == isChecked)
    #expect(steps.count { if case .checkSwitchSender = $0 { true } else { false } } == (isChecked ? 1 : 0))
    #expect(!steps.contains { if case .checkSender = $0 { true } else { false } })
  }

  @Test func aSwitchThatIsAskedOverTheNetworkIsToldOnlyIfItMust() throws {
    var planning = Planning()
    planning.networks["blue"] = planning.networks["blue"]?.replacing("unix:/db.sock", with: "tcp:10.0.0.9:6640")
    #expect(try !steps(planning).interface.antispoof)
    planning.networks["blue"] = planning.networks["blue"]?.replacing("\"vlan\": 10", with: "\"antispoof\": true")
    let refusal = try planning.refusal("c3", [("wirehook.network", "blue")])
    #expect(refusal.contains("network blue: antispoof") && refusal.contains("tcp:10.0.0.9:6640"), "\(refusal)")
  }

  @Test func aRecordFromBeforeStaysUnchecked() throws {
    var (interface, _) = try steps()
    interface.antispoof = false
    #expect(interface.switchSenderCheck == nil)
  }

  @Test func theKernelsDatapathNeedsNoGuardAndCompletesChecksums() throws {
    var planning = Planning()
    planning.isUserspace = false
    let (interface, steps) = try steps(planning)
    #expect(!steps.contains(.guardIngress(interface.hostLink)))
    #expect(!steps.contains(.checksumsInSoftware(interface.name)))
  }

  @Test func whatAContainerSendsIsHeldBackAtItsOwnEnd() throws {
    let rate = try #require(Rate("8mbit"))
    let (interface, steps) = try steps(Planning(), [("wirehook.bandwidth", "ingress=8mbit,egress=8mbit")])
    #expect(steps.contains(.ingressLimit(interface.hostLink, rate)))
    #expect(steps.contains(.ownEgressLimit(interface.name, rate, mtu: 1500)))
    #expect(interface.shaper == nil)
    guard case .switchPort(let port) = steps[1] else { throw PlanningFailure() }
    #expect(port.queueing == .host && port.egress == nil)
  }

  @Test(arguments: [true, false]) func theSwitchLimitsWhereTheNetworkSaysSo(isUserspace: Bool) throws {
    let rate = try #require(Rate("8mbit"))
    var planning = Planning()
    planning.isUserspace = isUserspace
    planning.networks["blue"] = planning.networks["blue"]?.replacing(
      "db.sock\"", with: "db.sock\", \"limits\": \"ovs\"")
    let (interface, steps) = try steps(planning, [("wirehook.bandwidth", "ingress=8mbit,egress=8mbit")])
    guard case .switchPort(let port) = steps[1] else { throw PlanningFailure() }
    #expect(port.queueing == .limited(rate))
    #expect(port.egress == (isUserspace ? nil : rate))
    #expect(steps.contains(.ownEgressLimit(interface.name, rate, mtu: 1500)) == isUserspace)
    #expect(!steps.contains(.ingressLimit(interface.hostLink, rate)))
  }

  @Test func aSwitchRemembersNamesSoEachLifeHasAnother() throws {
    var planning = Planning()
    let first = try steps(planning).interface.hostLink
    planning.life = 2
    #expect(try steps(planning).interface.hostLink != first)
    let front = try planning.attach("c2", [("wirehook.network", "front")]).interfaces[0].hostLink
    planning.life = 3
    #expect(try planning.attach("c2", [("wirehook.network", "front")]).interfaces[0].hostLink == front)
  }

  @Test func theSameAddressMayStandInTwoVLANs() throws {
    let planning = Planning()
    for (id, vlan) in [("a", "20"), ("b", "30")] {
      let wish = [("wirehook.network", "ovs:br1"), ("wirehook.ip", "100.1.1.6/24"), ("wirehook.vlan", vlan)]
      #expect(try planning.attach(id, wish).interfaces[0].addresses[0].description == "100.1.1.6/24")
    }
  }

  @Test func aTrunkIsForOpenVSwitchAlone() throws {
    #expect(try steps(Planning(), [("wirehook.vlan", "trunk:10,20-29")]).interface.vlan == .trunk([10...10, 20...29]))
    let refusal = try Planning().refusal("c2", [("wirehook.network", "front"), ("wirehook.vlan", "trunk:10")])
    #expect(refusal.hasPrefix("annotation wirehook.vlan \"trunk:10\" failed: network front is a Linux bridge"))
  }

  @Test func aTunnelLowersTheMTU() throws {
    var planning = Planning()
    planning.tunnelMTU = 1450
    #expect(try steps(planning).interface.mtu == 1450)
    #expect(try planning.refusal("c2", [("wirehook.network", "blue"), ("wirehook.mtu", "1500")]).contains("1450"))
  }

  @Test func whatIsRecordedIsReadAgain() throws {
    let attachment = try Planning().attach(
      "c1",
      [("wirehook.network", "blue,ovs:br2"), ("wirehook.ip.eth1", "100.2.1.6/24"), ("wirehook.vlan.eth1", "trunk:5-9")])
    #expect(try Recorded.roundTrip(attachment) == attachment)
  }

  @Test func theGatewayStandsOnAPortInTheNetworksVLAN() throws {
    let name = try #require(InterfaceName("br1"))
    #expect(LinkNames.vlanLink(bridge: name, vlan: 10).description == "br1.10")
    let long = try #require(InterfaceName("bridge-of-lan12"))
    #expect(LinkNames.vlanLink(bridge: long, vlan: 10).description.utf8.count <= InterfaceName.limit)
  }

  private struct PlanningFailure: Error {}
}
