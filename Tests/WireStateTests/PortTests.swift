import Testing
import WireCore

@testable import WireState

@Suite struct PortTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func port(_ text: String, _ number: UInt16 = 80, _ transport: TransportProtocol = .tcp) throws -> HostPort {
    HostPort(transport, try address(text), number)
  }

  @Test(arguments: [
    ("0.0.0.0", "0.0.0.0"), ("0.0.0.0", "192.168.1.9"), ("192.168.1.9", "0.0.0.0"), ("192.168.1.9", "192.168.1.9"),
    ("::", "::1"), ("fe80::1", "::"),
  ])
  func aPortTakenTwiceNamesItsOwner(_ first: String, _ second: String) throws {
    let store = try scratch.open()
    try store.record(.sample("c1"))
    try store.record(.sample("c2"))
    try store.claimPort(port(first), container: "c1")
    let error = #expect(throws: StateError.self) { try store.claimPort(port(second), container: "c2") }
    #expect(try error?.kind == .portTaken(by: "c1", port(first)))
    let holder = try #require(try store.portHolder(port(second)))
    #expect(holder.container == "c1")
    #expect(try holder.port == port(first))
    #expect(try store.ports(of: "c2").isEmpty)
  }

  @Test func aPortOnTwoAddressesBelongsToTwo() throws {
    let store = try scratch.open()
    for id in ["c1", "c2", "c3"] { try store.record(.sample(id)) }
    try store.claimPort(port("192.168.1.9"), container: "c1")
    try store.claimPort(port("192.168.1.10"), container: "c2")
    try store.claimPort(port("::"), container: "c3")
    try store.claimPort(port("0.0.0.0", 80, .udp), container: "c3")
    #expect(try store.portHolder(port("192.168.1.10"))?.container == "c2")
    #expect(try store.portHolder(port("192.168.1.11")) == nil)
    #expect(try store.portHolder(port("0.0.0.0")) != nil)
    #expect(try store.releasePort(port("192.168.1.9"), container: "c1"))
    #expect(try !store.releasePort(port("192.168.1.10"), container: "c1"))
    #expect(try store.portHolder(port("192.168.1.9")) == nil)
  }

  @Test func onesOwnPortMayBeTakenAgainButNotOverlapped() throws {
    let store = try scratch.open()
    try store.record(.sample("c1"))
    try store.claimPort(port("127.0.0.1"), container: "c1")
    try store.claimPort(port("127.0.0.1"), container: "c1")
    let error = #expect(throws: StateError.self) { try store.claimPort(port("0.0.0.0"), container: "c1") }
    #expect(try error?.kind == .portTaken(by: "c1", port("127.0.0.1")))
  }

  @Test func aPortThatIsRefusedLeavesTheTransactionUsable() throws {
    let store = try scratch.open()
    try store.transaction { () throws(StateError) in
      try store.record(.sample("c1"))
      try store.claimPort(HostPort(.tcp, .any(.ipv4), 9000), container: "c1")
      try store.record(.sample("c2"))
      do throws(StateError) { try store.claimPort(HostPort(.tcp, .loopback(.ipv4), 9000), container: "c2") } catch {}
      try store.claimPort(HostPort(.tcp, .loopback(.ipv4), 9001), container: "c2")
    }
    #expect(try store.ports(of: "c1").map(\.description) == ["0.0.0.0:9000/tcp"])
    #expect(try store.ports(of: "c2").map(\.description) == ["127.0.0.1:9001/tcp"])
  }

  @Test func aLinkNameTakenTwiceNamesItsOwner() throws {
    let store = try scratch.open()
    for id in ["c1", "c2"] { try store.record(.sample(id)) }
    for _ in 1...2 { try store.claimLink(link("wh1"), container: "c1") }
    let error = #expect(throws: StateError.self) { try store.claimLink(link("wh1"), container: "c2") }
    #expect(error?.kind == .linkTaken(by: "c1"))
  }

  @Test func aChosenPortIsRememberedUntilManyOthersWereChosen() throws {
    let store = try scratch.open()
    func remembered(_ owner: String) throws -> UInt16? {
      try store.rememberedPort(owner: owner, transport: .tcp, address: .any(.ipv4), containerPort: 80)
    }
    func remember(_ owner: String, _ port: UInt16) throws(StateError) {
      try store.rememberPort(owner: owner, transport: .tcp, address: .any(.ipv4), containerPort: 80, hostPort: port)
    }
    try remember("old", 20_000)
    try remember("web", 20_001)
    try remember("web", 20_002)
    #expect(try remembered("web") == 20_002)
    #expect(try store.rememberedPort(owner: "web", transport: .udp, address: .any(.ipv4), containerPort: 80) == nil)
    try store.transaction { () throws(StateError) in
      for number in 1..<Store.rememberedPorts { try remember("n\(number)", UInt16(number)) }
    }
    #expect(try remembered("old") == nil)
    #expect(try remembered("web") == 20_002)
    #expect(try RawConnection(scratch.file).rows("SELECT count(*) FROM chosen_port") == [["\(Store.rememberedPorts)"]])
  }
}
