import Glibc
import Testing

@testable import WireLinux

@Suite struct LogTests {
  @Test func aLogTakesLinesAndNeverFails() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/log"
    let log = Log(.file(path: path), threshold: .info).with("WIREHOOK_CONTAINER", "web\n1")
    #expect(log.write(.error, "a\nb"))
    #expect(log.write(.debug, "quiet") == false)
    let text = try shell("cat \(path)")
    #expect(text.hasSuffix("Z error wirehook: a\\x0ab WIREHOOK_CONTAINER=web\\x0a1\n"))
    #expect(text.split(separator: "\n").count == 1)
    #expect(try shell("stat -c %a \(path)") == "640\n")
    #expect(Log(.file(path: "/nowhere/log")).write(.error, "x") == false)
  }

  @Test func theJournalGetsOneDatagram() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/socket"
    let journal = try Descriptor.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    try withUnsafeBytes(of: &name) { bytes in
      let start = try #require(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self))
      try #require(bind(journal.raw, start, socklen_t(bytes.count)) == 0)
    }
    let log = Log(.journald).with("WIREHOOK_CONTAINER", "web")
    #expect(Log.send(log.datagram(.warning, "port 80: taken\n"), to: path))
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(journal.raw, &buffer, buffer.count, 0)
    #expect(
      String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        == "MESSAGE=port 80: taken\\x0a\nPRIORITY=4\nSYSLOG_IDENTIFIER=wirehook\nWIREHOOK_CONTAINER=web\n")
    #expect(Log.send("x", to: scratch.path + "/none") == false)
    // A journal that reads nothing must not hold us up: its queue fills, and lines are lost.
    #expect((0..<100_000).contains { _ in !Log.send("x", to: path) })
  }
}
