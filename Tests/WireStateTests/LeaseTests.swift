import Testing
import WireCore

@testable import WireState

@Suite struct LeaseTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func neverGivenAddressesComeFirstThenTheOneFreeForLongest() throws {
    let store = try scratch.open()
    let pool = try Pool("10.0.0.1", "10.0.0.5")
    #expect(try (1...3).map { try pool.give(store, "c\($0)") } == ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    try store.removeContainer(id: "c2")
    try store.removeContainer(id: "c1")
    #expect(try (4...7).map { try pool.give(store, "c\($0)") } == ["10.0.0.4", "10.0.0.5", "10.0.0.2", "10.0.0.1"])
    #expect(try pool.give(store, "c8") == nil)
    try store.removeContainer(id: "c5")
    #expect(try pool.give(store, "c8") == "10.0.0.5")
  }

  @Test func aPoolEndsAtTheLastAddressThereIs() throws {
    let store = try scratch.open()
    let pool = try Pool("255.255.255.254", "255.255.255.255")
    #expect(try (1...3).map { try pool.give(store, "c\($0)") } == ["255.255.255.254", "255.255.255.255", nil])
    let six = try Pool("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    #expect(try (4...5).map { try six.give(store, "c\($0)") } == ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nil])
  }

  @Test func whatIsAvoidedIsPassedOverAndComesBackWhenItNoLongerIs() throws {
    let store = try scratch.open()
    let pool = try Pool("10.0.0.1", "10.0.0.4")
    let avoided: Set = ["10.0.0.1", "10.0.0.3"]
    #expect(try (1...3).map { try pool.give(store, "c\($0)", avoiding: avoided) } == ["10.0.0.2", "10.0.0.4", nil])
    #expect(try (3...5).map { try pool.give(store, "c\($0)") } == ["10.0.0.1", "10.0.0.3", nil])
    try store.removeContainer(id: "c1")
    #expect(try pool.give(store, "c6", avoiding: ["10.0.0.2"]) == nil)
  }

  @Test func whatIsAvoidedWithoutEndIsRefusedInTime() throws {
    let store = try scratch.open()
    #expect(
      try store.nextAddress(
        segment: "s", range: address("fd00::")...address("fd00::ffff:ffff:ffff"), avoiding: { _ in true }) == nil)
  }

  @Test func anAddressTakenByHandIsNotGivenAndJoinsTheRotationOnceFree() throws {
    let store = try scratch.open()
    let pool = try Pool("10.0.0.1", "10.0.0.3")
    try pool.claim(store, "10.0.0.2", "static")
    #expect(try (1...2).map { try pool.give(store, "c\($0)") } == ["10.0.0.1", "10.0.0.3"])
    #expect(try pool.give(store, "c3") == nil)
    try store.removeContainer(id: "c1")
    try store.removeContainer(id: "static")
    #expect(try (4...6).map { try pool.give(store, "c\($0)") } == ["10.0.0.1", "10.0.0.2", nil])
  }

  @Test func anAddressOutsideOfTheRangeIsNeverGiven() throws {
    let store = try scratch.open()
    let pool = try Pool("10.0.0.1", "10.0.0.2")
    try pool.claim(store, "10.0.0.9", "static")
    try store.removeContainer(id: "static")
    #expect(try (1...3).map { try pool.give(store, "c\($0)") } == ["10.0.0.1", "10.0.0.2", nil])
  }

  @Test func aRangeMayGrowAndShrink() throws {
    let store = try scratch.open()
    let small = try Pool("10.0.0.1", "10.0.0.2")
    let large = try Pool("10.0.0.1", "10.0.0.4")
    #expect(try (1...3).map { try small.give(store, "c\($0)") } == ["10.0.0.1", "10.0.0.2", nil])
    #expect(try (3...5).map { try large.give(store, "c\($0)") } == ["10.0.0.3", "10.0.0.4", nil])
    for id in ["c4", "c1"] { try store.removeContainer(id: id) }
    #expect(try (6...7).map { try small.give(store, "c\($0)") } == ["10.0.0.1", nil])
    #expect(try (8...9).map { try large.give(store, "c\($0)") } == ["10.0.0.4", nil])
  }

  @Test func rangesThatOverlapNeverGiveTheSameTwice() throws {
    let store = try scratch.open()
    let pools = [try Pool("10.0.0.1", "10.0.0.6"), try Pool("10.0.0.4", "10.0.0.8")]
    var given: Set<String> = []
    for round in 0..<8 {
      let address = try pools[round % 2].give(store, "c\(round)") ?? pools[1 - round % 2].give(store, "c\(round)")
      #expect(given.insert(try #require(address)).inserted)
    }
    #expect(try pools.allSatisfy { try $0.give(store, "last") == nil })
    for round in 0..<8 { try store.removeContainer(id: "c\(round)") }
    #expect(try (0..<6).allSatisfy { try pools[0].give(store, "d\($0)") != nil })
    #expect(try (6..<8).allSatisfy { try pools[1].give(store, "d\($0)") != nil })
  }

  @Test func aRestartGetsItsAddressesAgain() throws {
    let store = try scratch.open()
    let pool = try Pool("10.0.0.1", "10.0.0.9")
    let first = try pool.give(store, "c1", owner: "web")
    try pool.claim(store, "fd00::7", "c1", owner: "web")
    try store.removeContainer(id: "c1")
    for other in 2...6 { _ = try pool.give(store, "c\(other)") }
    let eth0 = try link("eth0")
    #expect(
      try store.rememberedAddress(segment: "s", owner: "web", interface: eth0, family: .ipv4)?.description == first)
    #expect(
      try store.rememberedAddress(segment: "s", owner: "web", interface: eth0, family: .ipv6)?.description == "fd00::7")
    #expect(try store.rememberedAddress(segment: "s", owner: "web", interface: link("eth1"), family: .ipv4) == nil)
    #expect(try store.rememberedAddress(segment: "t", owner: "web", interface: eth0, family: .ipv4) == nil)
    #expect(try store.rememberedAddress(segment: "s", owner: "c2", interface: eth0, family: .ipv4) == nil)
    try pool.claim(store, "10.0.0.1", "c7", owner: "other")
    #expect(try store.rememberedAddress(segment: "s", owner: "web", interface: eth0, family: .ipv4) == nil)
  }

  @Test func theAddressHadLastIsTheOneRemembered() throws {
    let store = try scratch.open()
    let pool = try Pool("10.0.0.1", "10.0.0.9")
    _ = try pool.give(store, "a", owner: "web")
    _ = try pool.give(store, "b", owner: "web")
    try store.removeContainer(id: "b")
    try store.removeContainer(id: "a")
    let found = try store.rememberedAddress(segment: "s", owner: "web", interface: link("eth0"), family: .ipv4)
    #expect(found?.description == "10.0.0.1")
  }

  @Test func anAddressTakenTwiceNamesItsHolder() throws {
    let store = try scratch.open()
    let pool = try Pool("10.0.0.1", "10.0.0.9")
    try pool.claim(store, "10.0.0.7", "c1")
    let error = #expect(throws: StateError.self) { try pool.claim(store, "10.0.0.7", "c2") }
    #expect(error?.kind == .addressTaken(by: "c1"))
    #expect(try store.holder(segment: "s", address: address("10.0.0.7")) == "c1")
  }

  @Test func theSameContainerMayTakeItsOwnAgain() throws {
    // Restart without a poststop in between: the id that comes again must not be refused by its own address.
    let store = try scratch.open()
    let pool = try Pool("10.0.0.1", "10.0.0.9")
    for _ in 1...2 {
      try store.transaction { () throws(StateError) in
        try store.record(.sample("X"))
        try store.claimLease(
          segment: "s", address: pool.range.lowerBound, owner: "X", interface: pool.eth0, container: "X")
        try store.claimPort(HostPort(.tcp, .any(.ipv4), 8080), container: "X")
      }
    }
    #expect(try store.leases(of: "X").count == 1)
    #expect(try store.ports(of: "X").count == 1)
    #expect(try store.containers().count == 1)
  }

  @Test func aLeaseNeedsARecordedContainer() throws {
    let store = try scratch.open()
    let error = #expect(throws: StateError.self) {
      try store.claimLease(
        segment: "s", address: address("10.0.0.1"), owner: "a", interface: link("eth0"), container: "nobody")
    }
    #expect(error?.kind == .refused)
  }

  @Test func twelveNewContainersFitIntoASmallPoolAfterAReboot() throws {
    let pool = try Pool("10.0.0.1", "10.0.0.14")
    do {
      let store = try scratch.open(boot: "boot-1")
      for number in 1...12 { #expect(try pool.give(store, "old\(number)") != nil) }
      try store.claimPort(HostPort(.tcp, .any(.ipv4), 80), container: "old1")
      try store.claimLink(link("wh1"), container: "old1")
      try store.setMarker(NetworkMarker(name: "front", fingerprint: "f", bridgeIndex: 3))
    }
    let store = try scratch.open(boot: "boot-2")
    #expect(try store.containers().isEmpty)
    #expect(try store.markers().isEmpty)
    #expect(try store.owner(ofLink: link("wh1")) == nil)
    #expect(try store.portHolder(HostPort(.tcp, .any(.ipv4), 80)) == nil)
    let given = try (1...12).map { try pool.give(store, "new\($0)") }
    #expect(given.prefix(3) == ["10.0.0.13", "10.0.0.14", "10.0.0.1"])
    #expect(Set(given).count == 12 && !given.contains(nil))
  }

  @Test func forgottenAddressesOfALongQueueCanStillBeGiven() throws {
    let store = try scratch.open()
    let bound = Store.rememberedLeases
    let pool = try Pool("10.0.0.0", "10.0.255.255")
    try store.transaction { () throws(StateError) in
      for _ in 0..<(bound + 50) {
        guard let address = try store.nextAddress(segment: "s", range: pool.range, avoiding: { _ in false }) else {
          break
        }
        try store.record(.sample("c"))
        try store.claimLease(segment: "s", address: address, owner: "c", interface: pool.eth0, container: "c")
        try store.removeContainer(id: "c")
      }
    }
    let kept = try RawConnection(scratch.file).rows("SELECT count(*), min(address) = x'0a000032' FROM lease")
    #expect(kept == [["\(bound)", "1"]])
    // The cursor is beyond what was forgotten; in a range that it has reached the end of, it looks again.
    let start = try Pool("10.0.0.0", "10.0.0.49")
    #expect(try start.give(store, "d") == "10.0.0.0")
  }
}

/// A range on segment `s` that gives addresses to containers.
private struct Pool {
  let range: ClosedRange<IPAddress>
  let eth0: InterfaceName

  init(_ first: String, _ last: String) throws {
    range = try address(first)...address(last)
    eth0 = try link("eth0")
  }

  func give(
    _ store: borrowing Store, _ container: String, owner: String? = nil, avoiding: Set<String> = []
  ) throws -> String? {
    let next = try store.nextAddress(segment: "s", range: range) { avoiding.contains($0.description) }
    guard let next else { return nil }
    try claim(store, next.description, container, owner: owner)
    return next.description
  }

  func claim(_ store: borrowing Store, _ text: String, _ container: String, owner: String? = nil) throws {
    if try store.container(id: container) == nil { try store.record(.sample(container)) }
    try store.claimLease(
      segment: "s", address: address(text), owner: owner ?? container, interface: eth0, container: container)
  }
}
