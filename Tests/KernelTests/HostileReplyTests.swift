import CMnl
import Support
import Testing
import WireCore
import WireLinux

@testable import WireNetlink

/// What claims to come from the kernel is read without a trap, whatever it is. Needs no root.
@Suite struct HostileReplyTests {
  @Test func anAttributeThatIsLongerThanItsMessageIsRefused() {
    for bytes in [[3, 0, 1, 0], [0, 0, 1, 0], [9, 0, 1, 0, 1, 1, 1, 1], [255, 255, 1, 0]] as [[UInt8]] {
      #expect(throws: NetlinkError.self) { try forEachAttribute(in: bytes.span.bytes) { _, _ in } }
    }
  }

  @Test func anAttributeAtTheEndNeedsNoPadding() throws {
    let bytes: [UInt8] = [5, 0, 0x03, 0x80, 7, 0xaa, 0xaa, 0xaa, 6, 0, 2, 0, 8, 9]
    var found: [(Int, [UInt8])] = []
    try forEachAttribute(in: bytes.span.bytes) { (type, value) throws(NetlinkError) in
      found.append((type, value.array))
    }
    #expect(found.map(\.0) == [3, 2])
    #expect(found.map(\.1) == [[7], [8, 9]])
  }

  @Test func anErrorIsReadWithAndWithoutTheRequest() throws {
    let sentence = Array("\u{9}\u{0}\u{1}\u{0}busy\u{0}\u{0}\u{0}\u{0}".utf8)
    var request = [UInt8](repeating: 0, count: 20)
    request[0] = 20
    let code: [UInt8] = [0xf0, 0xff, 0xff, 0xff]
    let capped = try Answer((code + request.prefix(16) + sentence).span.bytes, flags: 0x300)
    let whole = try Answer((code + request + sentence).span.bytes, flags: 0x200)
    for answer in [capped, whole] {
      #expect(answer.errno == 16)
      #expect(answer.extack == "busy")
    }
    request[3] = 0x7f
    #expect(throws: NetlinkError.self) { try Answer((code + request).span.bytes, flags: 0x200) }
    for broken in [[1, 0, 0, 0], [0, 0, 0, 0x80], [0, 0, 0], []] as [[UInt8]] {
      #expect(throws: NetlinkError.self) { try Answer(broken.span.bytes, flags: 0) }
    }
  }

  @Test func damagedMessagesAreReadOrRefused() throws {
    var random = Dice(seed: 42)
    let messages = try samples()
    for round in 0..<40_000 {
      var bytes = messages[round % messages.count]
      for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
        bytes[Int.random(in: bytes.indices, using: &random)] =
          [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
      // Not to crash is the test.
      _ = try? Link(message: bytes.span.bytes)
      _ = try? BridgeMode(message: bytes.span.bytes)
      _ = try? BridgePortState(message: bytes.span.bytes)
      _ = try? PortVLANs(message: bytes.span.bytes)
      _ = try? Route(message: bytes.span.bytes)
      _ = try? Address(message: bytes.span.bytes)
      _ = try? Rule(message: bytes.span.bytes)
      _ = try? IPAddress(floodOf: 3, message: bytes.span.bytes)
      _ = try? Listener(message: bytes.span.bytes, port: 0)
      _ = try? ConntrackTuple(message: bytes.span.bytes)
      _ = try? Answer(bytes.span.bytes, flags: UInt16.random(in: 0...0x3ff, using: &random))
    }
  }

  /// Requests without their netlink header: the kernel's messages about links and routes are of the same form.
  private func samples() throws -> [[UInt8]] {
    var settings = LinkSettings(mac: MACAddress(1), mtu: 1, master: 1, isUp: true, alias: "x")
    settings.port = BridgePortSettings(hairpin: true, isIsolated: false)
    settings.makesLinkLocal = false
    var batch = Batch()
    batch.createBridge(try name("wh0"), settings, filtersVLANs: true)
    batch.createVXLAN(try name("vx0"), settings, VXLANSettings(id: 42, local: address("192.0.2.1"), link: 3))
    batch.appendFlood(3, to: address("192.0.2.9"))
    batch.addAddress(Address(prefix("fd00::1/64"), link: 3))
    batch.addRoute(Route(.ipv4, to: prefix("10.0.0.0/8"), via: address("10.0.0.254"), link: 3))
    batch.addRule(Rule(.ipv4, from: prefix("10.0.0.0/24"), table: 4242, priority: 9))
    var all: [[UInt8]] = [[UInt8](repeating: 0, count: 80)]
    var rest = Array(batch.bytes)[...]
    while let low = rest.first {
      let length = Int(low) | Int(rest[rest.startIndex + 1]) << 8
      all.append(Array(rest.prefix(length).dropFirst(16)))
      rest = rest.dropFirst((length + 3) & ~3)
    }
    return all
  }
}
