import Testing
import WireCore
import WirePlan

@Suite struct PlannerTests {
  @Test func aContainerThatAsksForNothingGetsAnAddressOfEachFamily() throws {
    let attachment = try Planning().attach("c1", [("wirehook.network", "front")])
    let eth0 = try #require(attachment.interfaces.first)
    #expect(eth0.name.description == "eth0")
    #expect(eth0.addresses.map { $0.description } == ["10.210.5.0/22", "fd42:210:4::2/64"])
    #expect(eth0.gateways.map { $0.description } == ["10.210.4.1", "fd42:210:4::1"])
    #expect(eth0.defaultRoutes == [.ipv4, .ipv6])
    #expect(eth0.mac.description == "0a:57:0a:d2:05:00")
    #expect(eth0.mtu == 1500)
    #expect(eth0.noWayBack.isEmpty)
  }

  @Test func aRestartGetsTheSameAddressAndMAC() throws {
    let planning = Planning()
    let before = try planning.attach("a1", name: "web", [("wirehook.network", "front")])
    planning.book.addresses = [:]
    let after = try planning.attach("b2", name: "web", [("wirehook.network", "front")])
    #expect(before.interfaces[0].addresses == after.interfaces[0].addresses)
    #expect(before.interfaces[0].mac == after.interfaces[0].mac)
  }

  @Test func excludedAddressesAreNotGiven() throws {
    let planning = Planning()
    var given: [String] = []
    for number in 1...4 {
      let attachment = try planning.attach("c\(number)", [("wirehook.network", "front")])
      given.append(attachment.interfaces[0].addresses[0].address.description)
    }
    #expect(given == ["10.210.5.0", "10.210.5.1", "10.210.5.2", "10.210.5.4"])
  }

  @Test func anExhaustedPoolSaysSo() throws {
    let planning = Planning()
    for number in 0..<7 { _ = try planning.attach("c\(number)", [("wirehook.network", "front")]) }
    let error = try planning.refusal("late", [("wirehook.network", "front")])
    #expect(error.contains("10.210.5.0-10.210.5.7 is taken"))
    #expect(error.contains("wirehook gc"))
  }

  @Test(arguments: [
    ("10.210.4.1", "gateway"), ("10.210.4.0", "network or broadcast"), ("10.210.7.255", "network or broadcast"),
    ("10.1.2.3", "outside network front"),
  ])
  func aStaticAddressIsChecked(_ address: String, _ why: String) throws {
    let error = try Planning().refusal("c1", [("wirehook.network", "front"), ("wirehook.ip", address)])
    #expect(error.contains(why), "\(error)")
    #expect(error.contains(address))
  }

  @Test func aGivenAddressLeavesTheOtherFamilyToThePool() throws {
    let attachment = try Planning().attach("c1", [("wirehook.network", "front"), ("wirehook.ip", "10.210.6.9")])
    #expect(attachment.interfaces[0].addresses.map { $0.description } == ["10.210.6.9/22", "fd42:210:4::2/64"])
  }

  @Test func aHostWithoutIPv6GetsIPv4Alone() throws {
    var planning = Planning()
    planning.host.ipv6 = false
    let attachment = try planning.attach("c1", [("wirehook.network", "front")])
    #expect(attachment.interfaces[0].addresses.map { $0.family } == [.ipv4])
  }

  @Test func theFirstNetworkWithAGatewayGivesTheDefaultRoute() throws {
    let attachment = try Planning().attach("c1", [("wirehook.network", "inner,back,front")])
    #expect(attachment.interfaces.map { $0.defaultRoutes } == [[], [.ipv4], [.ipv6]])
    #expect(attachment.interfaces.map { $0.sourceTable } == [nil, 5701, 5702])
    #expect(attachment.interfaces[0].noWayBack == [.ipv4])
  }

  @Test func withSeveralInterfacesEachAnswersThroughItsOwnTable() throws {
    let attachment = try Planning().attach("c1", [("wirehook.network", "back,front:san0")])
    let rules = Step.all(of: attachment).compactMap { step -> String? in
      guard case .rule(let from, let table) = step else { return nil }
      return "\(from) \(table)"
    }
    #expect(rules == ["10.220.0.2 5700", "10.210.5.0 5701", "fd42:210:4::2 5701"])
  }

  @Test func aBridgeOnTheSpotNeedsALength() throws {
    let error = try Planning().refusal("c1", [("wirehook.network", "bridge:br3"), ("wirehook.ip", "170.19.0.1")])
    #expect(error.contains("ADDRESS/LENGTH"))
  }

  @Test func aBridgeOnTheSpotTakesItsOwnAddressAsGateway() throws {
    var planning = Planning()
    planning.bridgeAddresses = [try #require(Prefix("170.19.0.3/24"))]
    let attachment = try planning.attach("c1", [("wirehook.network", "bridge:br3"), ("wirehook.ip", "170.19.0.1/24")])
    #expect(attachment.interfaces[0].gateways.map { $0.description } == ["170.19.0.3"])
    #expect(attachment.interfaces[0].noWayBack.isEmpty)
  }

  @Test func aGatewayThatIsNotThisHostMeansNoWayBack() throws {
    let attachment = try Planning().attach(
      "c1",
      [
        ("wirehook.network", "bridge:br3"), ("wirehook.ip", "170.19.0.1/24"), ("wirehook.gateway", "170.19.0.254"),
        ("wirehook.ports", "8080:80"),
      ])
    #expect(attachment.interfaces[0].noWayBack == [.ipv4])
    #expect(Step.all(of: attachment).contains(.noWayBack(attachment.interfaces[0].addresses[0].address)))
  }

  @Test func aGatewayThatCannotBeReachedIsRefused() throws {
    let error = try Planning().refusal("c1", [("wirehook.network", "front"), ("wirehook.gateway", "192.0.2.1")])
    #expect(error.contains("192.0.2.1") && error.contains("10.210.4.0/22"))
  }

  @Test func anAddressByItselfMayHaveAGatewayElsewhere() throws {
    let attachment = try Planning().attach(
      "c1", [("wirehook.network", "bridge:br3"), ("wirehook.ip", "198.51.100.7/32"), ("wirehook.gateway", "192.0.2.1")])
    let isOnLink = Step.all(of: attachment).contains { step in
      guard case .route(let route) = step else { return false }
      return route.destination == nil && route.onlink
    }
    #expect(isOnLink)
  }

  @Test func anMTULargerThanTheBridgesIsRefused() throws {
    var planning = Planning()
    planning.bridgeMTU = 1400
    let error = try planning.refusal("c1", [("wirehook.network", "front"), ("wirehook.mtu", "9000")])
    #expect(error.contains("1400"))
    #expect(try planning.attach("c2", [("wirehook.network", "front")]).interfaces[0].mtu == 1400)
  }

  @Test func aPlanSurvivesItsRecord() throws {
    let attachment = try Planning().attach(
      "c1", name: "web",
      [
        ("wirehook.network", "front,back"), ("wirehook.ports", "8080:80,[::1]:8443:443,53:53/udp,90"),
        ("wirehook.allow", "192.168.0.0/16"), ("wirehook.routes", "100.1.2.0/24 dev eth0"),
        ("wirehook.bandwidth", "ingress=100mbit,egress=20mbit"),
        ("wirehook.sysctl", "net.ipv4.conf.eth0.arp_notify=1"), ("wirehook.snat", "203.0.113.5"),
      ])
    #expect(try Recorded.roundTrip(attachment) == attachment)
  }
}
