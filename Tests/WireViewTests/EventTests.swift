import Testing
import WireCore
import WireJSON
import WirePlan

@testable import WireView

@Suite struct MomentTests {
  @Test(
    arguments: [
      ("10m", 1_000_000 - 600), ("1h30m", 1_000_000 - 5400), ("90s", 1_000_000 - 90), ("@5", 5),
      ("1970-01-02", 86_400), ("2025-11-25T10:42:08Z", 1_764_067_328), ("2025-11-25 10:42", 1_764_067_320),
      ("2025-11-25T11:42:08.123+01:00", 1_764_067_328), ("2000-02-29", 951_782_400), ("0s", 1_000_000),
    ] as [(String, Int64)])
  func isRead(_ text: String, _ moment: Int64) { #expect(Moment.parse(text, now: 1_000_000) == moment) }

  @Test(arguments: [
    "", "10", "m", "yesterday", "2025-13-01", "2025-11-25T25:00", "2025-11-25T10", "1h-2m", "99999999999999999999s",
    "2025-11-25T10:42:08+1", "@", "@x", "٣m",
  ])
  func isRefused(_ text: String) { #expect(Moment.parse(text, now: 0) == nil) }

  /// Every day of some centuries, there and back.
  @Test func theCalendarIsItsOwnInverse() {
    for day in stride(from: Int64(-200_000), through: 200_000, by: 37) {
      let moment = day * 86_400 + 45_296
      #expect(Moment.timestamp(Moment.text(moment)) == moment)
    }
  }
}

@Suite struct EventTests {
  @Test(
    arguments: [
      (
        "2026-11-25T10:42:08Z info wirehook: attached container web: eth0 10.0.0.2/24 on front WIREHOOK_CONTAINER=web",
        Event.Kind.attach, "web", "eth0 10.0.0.2/24 on front"
      ),
      ("2026-11-25T10:42:08Z info wirehook: detached container web WIREHOOK_CONTAINER=web", .detach, "web", ""),
      (
        "2026-11-25T10:42:08Z error wirehook: a failed: b; c WIREHOOK_CONTAINER=x y", .refused, "x y", "a failed: b; c"
      ),
      ("2026-11-25T10:42:08Z warning wirehook: hm", .warning, nil, "hm"),
      (
        "2026-11-25T10:42:08Z info wirehook: network front stands on bridge b", .network, nil,
        "network front stands on bridge b"
      ),
      // A value that a user chose is not taken for the field.
      (
        "2026-11-25T10:42:08Z error wirehook: name \"a WIREHOOK_CONTAINER=b\" failed: c WIREHOOK_CONTAINER=web",
        .refused,
        "web", "name \"a WIREHOOK_CONTAINER=b\" failed: c"
      ),
    ] as [(String, Event.Kind, String?, String)])
  func aLineIsRead(_ line: String, _ kind: Event.Kind, _ container: String?, _ text: String) throws {
    let event = try #require(Event(line: line))
    #expect(event.kind == kind && event.container == container && event.text == text, "\(event)")
    #expect(event.time == 1_795_603_328)
  }

  @Test(arguments: ["", "x", "2026-11-25T10:42:08Z info kernel: x", "yesterday info wirehook: x", "a b c d"])
  func anotherProgramsLineIsNone(_ line: String) { #expect(Event(line: line) == nil) }

  @Test func anEntryOfTheJournalIsTheSame() throws {
    let entry = JSONValue.object([
      .init("__REALTIME_TIMESTAMP", .string("1795603328000000")), .init("PRIORITY", .string("6")),
      .init("MESSAGE", .string("attached container web: eth0")), .init("WIREHOOK_CONTAINER", .string("web")),
    ])
    let line = "2026-11-25T10:42:08Z info wirehook: attached container web: eth0 WIREHOOK_CONTAINER=web"
    #expect(Event(journal: entry) == Event(line: line))
    #expect(Event(journal: .object([.init("MESSAGE", .string("x"))])) == nil)
  }

  @Test func aLineForATerminalHasNoControls() throws {
    let event = try #require(Event(line: "2026-11-25T10:42:08Z error wirehook: a\u{1b}[2J WIREHOOK_CONTAINER=w\u{7}"))
    let line = event.line(.plain) { _ in nil }
    #expect(line == "2026-11-25T10:42:08Z  refused    w\\x07  a\\x1b[2J")
    #expect(event.line(.plain) { _ in "name" }.contains("  name  "))
  }
}

@Suite struct PortCountersTests {
  private static func element(_ address: String, _ port: Int64, _ packets: Int64, _ bytes: Int64) -> JSONValue {
    let counter = JSONValue.object([.init("packets", .integer(packets)), .init("bytes", .integer(bytes))])
    let value = JSONValue.object([.init("concat", .array([.string(address), .integer(port)]))])
    return .object([.init("elem", .object([.init("val", value), .init("counter", counter)]))])
  }

  private static func set(_ name: String, _ elements: [JSONValue]) -> JSONValue {
    .object([.init("set", .object([.init("name", .string(name)), .init("elem", .array(elements))]))])
  }

  @Test func bothFamiliesAreAddedUp() throws {
    let sets = [
      Self.set("requests_tcp4", [Self.element("10.0.0.2", 8080, 3, 300), Self.element("10.0.0.3", 8080, 9, 900)]),
      Self.set("requests_tcp6", [Self.element("fd00::2", 8080, 1, 50)]),
      Self.set("requests_udp4", [Self.element("10.0.0.2", 8080, 7, 700)]),
      Self.set("answers_tcp4", [Self.element("10.0.0.2", 8080, 2, 2000)]),
      Self.set("answers_tcp6", [.string("odd"), Self.element("nonsense", 1, 1, 1), Self.element("fd00::2", -1, 1, 1)]),
    ]
    let counters = PortCounters(nft: .object([.init("nftables", .array(sets))]))
    let port = PublishedPort(
      mapping: Sample.port(8080, 80), targets: [Sample.address("10.0.0.2"), Sample.address("fd00::2")], allow: nil)
    let (received, sent) = counters.counters(of: port)
    #expect(received == TrafficCounters(bytes: 350, packets: 4))
    #expect(sent == TrafficCounters(bytes: 2000, packets: 2))
  }

  @Test func otherJSONIsNoCounters() {
    for value in [JSONValue.null, .array([]), .object([.init("nftables", .integer(1))])] {
      let port = PublishedPort(mapping: Sample.port(1, 1), targets: [Sample.address("10.0.0.2")], allow: nil)
      #expect(PortCounters(nft: value).counters(of: port).received == TrafficCounters())
    }
  }
}
