import Testing
import WireCore
import WireLinux

@testable import WireState

@Suite struct ContainerTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func aRecordComesBackAsItWas() throws {
    var container = ContainerRecord.sample("c1", name: "web\0\u{1F600}")
    container.netns = NamespaceIdentity(device: .max, inode: .max)
    container.pidStart = .max
    container.document = String(repeating: "x", count: 100_000)
    do {
      let store = try scratch.open()
      try store.transaction { () throws(StateError) in try store.record(container) }
    }
    let store = try scratch.open()
    #expect(try store.container(id: "c1") == container)
    #expect(try store.container(netns: container.netns) == container)
    #expect(try store.containers() == [container])
  }

  @Test func aRecordThatIsOverwrittenKeepsWhatItHolds() throws {
    let store = try scratch.open()
    try store.record(.sample("c1"))
    try store.claimLink(link("wh1"), container: "c1")
    var again = ContainerRecord.sample("c1", name: "web")
    again.status = .attached
    try store.record(again)
    #expect(try store.container(id: "c1") == again)
    #expect(try store.links(of: "c1") == [link("wh1")])
  }

  @Test func theStatusChangesAlone() throws {
    let store = try scratch.open()
    try store.record(.sample("c1"))
    #expect(try store.updateStatus(.attached, of: "c1"))
    #expect(try store.container(id: "c1")?.status == .attached)
    #expect(try !store.updateStatus(.attached, of: "c2"))
  }

  @Test func aNameIsTheIdFirstAndThenTheNewest() throws {
    let store = try scratch.open()
    try store.record(.sample("old", name: "web", created: 1))
    try store.record(.sample("new", name: "web", created: 3))
    try store.record(.sample("mid", name: "web", created: 2))
    #expect(try store.container(named: "web")?.id == "new")
    try store.record(.sample("web", name: nil, created: 0))
    #expect(try store.container(named: "web")?.id == "web")
    #expect(try store.container(named: "we") == nil)
  }

  @Test(arguments: [
    ("", []), ("a", ["a", "ab"]), ("ab", ["ab", "ab%"]), ("abc", ["abc"]), ("ab%", ["ab%"]), ("_", []), ("b", []),
    ("\u{10FFFF}", ["\u{10FFFF}z"]),
  ])
  func aPrefixFindsAtMostTwo(_ prefix: String, _ expected: [String]) throws {
    let store = try scratch.open()
    for id in ["a", "ab", "abc", "ab%", "c", "\u{10FFFF}z"] { try store.record(.sample(id)) }
    #expect(try store.containers(idPrefix: prefix).map(\.id) == expected)
  }

  @Test func whatIsRemovedIsGoneButItsAddressIsRemembered() throws {
    let store = try scratch.open()
    let port = HostPort(.tcp, .any(.ipv4), 8080)
    try store.record(.sample("c1", name: "web"))
    try store.claimLink(link("wh1"), container: "c1")
    try store.claimPort(port, container: "c1")
    try store.claimLease(
      segment: "s", address: address("10.0.0.5"), owner: "web", interface: link("eth0"), container: "c1")
    #expect(try store.leases(of: "c1").map(\.address) == [address("10.0.0.5")])
    #expect(try store.removeContainer(id: "c1"))
    #expect(try store.owner(ofLink: link("wh1")) == nil)
    #expect(try store.portHolder(port) == nil)
    #expect(try store.holder(segment: "s", address: address("10.0.0.5")) == nil)
    let remembered = try store.rememberedAddress(segment: "s", owner: "web", interface: link("eth0"), family: .ipv4)
    #expect(try remembered == address("10.0.0.5"))
    #expect(try !store.removeContainer(id: "c1"))
  }

  @Test func markersOfNetworksAreKept() throws {
    let store = try scratch.open()
    try store.setMarker(NetworkMarker(name: "front", fingerprint: "a", bridgeIndex: 3))
    try store.setMarker(NetworkMarker(name: "front", fingerprint: "b", bridgeIndex: 4))
    #expect(try store.markers() == [NetworkMarker(name: "front", fingerprint: "b", bridgeIndex: 4)])
    #expect(try store.removeMarker(ofNetwork: "front"))
    #expect(try store.marker(ofNetwork: "front") == nil)
  }
}
