import Testing
import WireCore
import WirePlan

@Suite struct PortPlannerTests {
  private func ports(_ planning: Planning, _ id: String, name: String? = nil, _ text: String) throws -> [String] {
    try planning.attach(id, name: name, [("wirehook.network", "front"), ("wirehook.ports", text)])
      .ports.map { "\($0.mapping) -> \($0.targets.map { $0.description }.joined(separator: " "))" }
  }

  @Test func aPortWithoutAddressIsPublishedInBothFamilies() throws {
    #expect(try ports(Planning(), "c1", "8080:80") == ["8080:80/tcp -> 10.210.5.0 fd42:210:4::2"])
  }

  @Test func anAddressDecidesTheFamily() throws {
    let published = try ports(Planning(), "c1", "127.0.0.1:5353:53/udp,[::1]:8443:443")
    #expect(published == ["127.0.0.1:5353:53/udp -> 10.210.5.0", "[::1]:8443:443/tcp -> fd42:210:4::2"])
  }

  @Test func rangesArePublishedPortByPort() throws {
    #expect(try ports(Planning(), "c1", "9000-9002:80-82").count == 3)
  }

  @Test func aHostRangeForOnePortTakesTheFirstFree() throws {
    var planning = Planning()
    planning.ports.listening = [9000]
    _ = try ports(planning, "c1", "9001:80")
    #expect(try ports(planning, "c2", "9000-9005:80")[0].hasPrefix("9002:80/tcp"))
  }

  @Test func aPortOfAProgramOfTheHostIsRefusedByName() throws {
    var planning = Planning()
    planning.ports.listening = [8080]
    let error = try planning.refusal("c1", [("wirehook.network", "front"), ("wirehook.ports", "8080:80")])
    #expect(error.contains("\"nginx\" (pid 812)"))
  }

  @Test func aPortOfAnotherContainerIsRefusedByName() throws {
    let planning = Planning()
    _ = try ports(planning, "c1", "192.168.1.9:8080:80")
    _ = try ports(planning, "c2", "192.168.1.10:8080:80")
    let error = try planning.refusal("c3", [("wirehook.network", "front"), ("wirehook.ports", "8080:80")])
    #expect(error.contains("c1"))
  }

  @Test func aRangePartlyTakenIsRefusedWhole() throws {
    let planning = Planning()
    _ = try ports(planning, "c1", "8002:80")
    #expect(
      try planning.refusal("c2", [("wirehook.network", "front"), ("wirehook.ports", "8000-8003:80-83")]).contains("c1"))
  }

  @Test func aChosenPortLiesOutsideTheEphemeralRangeAndIsKept() throws {
    let planning = Planning()
    let first = try ports(planning, "a1", name: "web", "80")
    planning.book.ports = []
    planning.book.addresses = [:]
    #expect(try ports(planning, "b2", name: "web", "80") == first)
    let port = try #require(planning.book.ports.first?.port)
    #expect(!planning.ports.ephemeral.contains(port) && port >= 1024)
  }

  @Test func whereThePortsAreAllEphemeralNoneIsChosen() throws {
    var planning = Planning()
    planning.ports.ephemeral = 1024...65_535
    let error = try planning.refusal("c1", [("wirehook.network", "front"), ("wirehook.ports", "80")])
    #expect(error.contains("1024-65535"))
  }

  @Test func theAllowListOfOnePortWins() throws {
    let attachment = try Planning().attach(
      "c1",
      [
        ("wirehook.network", "front"), ("wirehook.ports", "8080:80,8443:443"), ("wirehook.allow", "10.0.0.0/8"),
        ("wirehook.allow.8080", "192.168.0.0/16"),
      ])
    #expect(attachment.ports.map { $0.allow?.map { $0.description } } == [["192.168.0.0/16"], ["10.0.0.0/8"]])
  }

  @Test func anAllowListForAPortThatIsNotPublishedIsRefused() throws {
    #expect(throws: WireError.self) {
      try Planning().attach(
        "c1", [("wirehook.network", "front"), ("wirehook.ports", "8080:80"), ("wirehook.allow.8081", "10.0.0.0/8")])
    }
  }
}
