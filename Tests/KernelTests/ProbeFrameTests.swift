import Testing
import WireCore
import WireLinux

/// What is heard on a wire while somebody asks for an address. Needs no root.
@Suite struct ProbeFrameTests {
  private let own = MACAddress(0x02_0000_0000_01)
  private let other = MACAddress(0x02_0000_0000_02)

  private func holder(_ frame: [UInt8], _ texts: String...) throws -> MACAddress? {
    ProbeFrame.holder(of: texts.map { address($0) }, in: frame[...], besides: own)?.mac
  }

  @Test func anAnswerSaysWhoHasTheAddress() throws {
    var answer = ProbeFrame.question(for: address("192.0.2.5"), from: other)
    answer[21] = 2
    answer.replaceSubrange(28..<32, with: [192, 0, 2, 7])
    #expect(try holder(answer, "192.0.2.7") == other)
    #expect(try holder(answer, "192.0.2.5") == nil)

    var advertisement = ProbeFrame.question(for: address("fd00::5"), from: other)
    advertisement[54] = 136
    #expect(try holder(advertisement, "fd00::1", "fd00::5") == other)
    #expect(try holder(advertisement, "fd00::6") == nil)
  }

  @Test func whoAsksForItWithoutAnAddressIsAboutToTakeIt() throws {
    for text in ["192.0.2.5", "fd00::5"] {
      #expect(try holder(ProbeFrame.question(for: address(text), from: other), text) == other)
      #expect(try holder(ProbeFrame.question(for: address(text), from: own), text) == nil)
    }
    // One that has an address of its own only wants to reach it.
    var request = ProbeFrame.question(for: address("192.0.2.5"), from: other)
    request.replaceSubrange(28..<32, with: [192, 0, 2, 9])
    #expect(try holder(request, "192.0.2.5") == nil)
  }

  @Test func anyBytesAreReadWithoutATrap() throws {
    var seed: UInt64 = 7
    func dice(_ limit: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % limit
    }
    for round in 0..<20_000 {
      var frame = ProbeFrame.question(for: address(round % 2 == 0 ? "192.0.2.5" : "fd00::5"), from: other)
      for _ in 0..<dice(5) { frame[dice(frame.count)] = UInt8(dice(256)) }
      frame.removeLast(dice(4) == 0 ? dice(frame.count + 1) : 0)
      _ = try holder(frame, "192.0.2.5", "fd00::5")
    }
  }
}
