import Foundation
import Glibc
import Support
import Testing
import WireCore
import WireLinux

@testable import WireOVSDB

@_silgen_name("setfsuid") private func setfsuid(_ uid: UInt32) -> Int32

/// What is at the address, or answers there, is not what it should be: an error in bounded time that says what and where.
@Suite struct HostileServerTests {
  /// The error of an attempt to look at a bridge.
  private func failure(
    at address: DatabaseAddress, until deadline: Deadline = .soon
  ) throws -> OVSDBError {
    let start = ContinuousClock.now
    let error = try #require(throws: OVSDBError.self) {
      try OpenVSwitch(address, until: deadline).look(at: "br1", container: nil, until: deadline)
    }
    #expect(start.duration(to: .now) < .seconds(5))
    #expect(error.address == address)
    #expect(error.description.hasPrefix("\(address): \(error.step): "))
    #expect(!error.description.contains("\n"))
    return error
  }

  private func failure(
    until deadline: Deadline = .soon, of script: @escaping @Sendable (Conversation) -> Void
  ) throws -> OVSDBError {
    var error: OVSDBError?
    try FakeServer.with(script) { error = try failure(at: $0, until: deadline) }
    return try #require(error)
  }

  // MARK: The socket

  @Test func nothingIsThere() throws {
    let scratch = try Scratch()
    let error = try failure(at: .unix(path: "\(scratch.path)/db.sock"))
    #expect(error.kind == .missing)
    #expect(error.description == "unix:\(scratch.path)/db.sock: connecting: there is no such file")
  }

  @Test func aDirectoryIsNoSocket() throws {
    let scratch = try Scratch()
    #expect(try failure(at: .unix(path: scratch.path)).kind == .notASocket("a directory"))
    #expect(try failure(at: .unix(path: "/dev/null")).kind == .notASocket("a device or pipe"))
  }

  @Test func aRegularFileIsNoSocketNorAPathToOne() throws {
    let scratch = try Scratch()
    let path = "\(scratch.path)/db.sock"
    try "x".write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try failure(at: .unix(path: path)).kind == .notASocket("a regular file"))
    #expect(try failure(at: .unix(path: "\(path)/db.sock")).kind == .missing)
  }

  @Test func aSocketThatNobodyListensOnIsRefused() throws {
    let scratch = try Scratch()
    let path = "\(scratch.path)/db.sock"
    close(try listeningSocket(at: path))
    #expect(try failure(at: .unix(path: path)).kind == .refused)
  }

  @Test func aSocketOfAnotherTypeIsNamed() throws {
    let scratch = try Scratch()
    let path = "\(scratch.path)/db.sock"
    let file = try datagramSocket(at: path)
    defer { close(file) }
    #expect(try failure(at: .unix(path: path)).kind == .notASocket("a socket of another type"))
  }

  @Test func aSocketThatWeMayNotUseIsNamed() throws {
    let scratch = try Scratch()
    let path = "\(scratch.path)/db.sock"
    let file = try listeningSocket(at: path)
    defer { close(file) }
    chmod(path, 0)
    let kind = Mailbox<Result<OVSDBError.Kind, any Error>>()
    Thread { [self] in
      // Of this thread alone, and with it go root's rights over files.
      _ = setfsuid(65534)
      kind.put(Result { try failure(at: .unix(path: path)).kind })
    }.start()
    #expect(try kind.take().get() == .permission)
  }

  @Test func aServerThatIsTooBusyToAcceptIsATimeout() throws {
    let scratch = try Scratch()
    let path = "\(scratch.path)/db.sock"
    let file = try listeningSocket(at: path, backlog: 0)
    let waiting = try OVSDBConnection(.unix(path: path), until: .soon)
    defer { close(file) }
    let error = try failure(at: .unix(path: path), until: .brief)
    #expect((error.step, error.kind) == ("connecting", .timeout))
    _ = waiting
  }

  @Test func aPathThatIsTooLongIsRefused() throws {
    let error = try failure(at: .unix(path: "/" + String(repeating: "x", count: 300)))
    #expect(error.kind == .system(SystemError("connect", EINVAL)))
  }

  @Test func aPortThatNobodyListensOnIsRefused() throws {
    let loopback = try #require(IPAddress("127.0.0.1"))
    #expect(try failure(at: .tcp(loopback, port: 1)).kind == .refused)
    let loopback6 = try #require(IPAddress("::1"))
    #expect(try failure(at: .tcp(loopback6, port: 1)).address.description == "tcp:[::1]:1")
  }

  // MARK: The conversation

  @Test func aServerThatSpeaksHTTPIsNamed() throws {
    let error = try failure {
      _ = $0.read()
      $0.write("HTTP/1.1 400 Bad Request\r\n\r\n")
      $0.waitForEnd()
    }
    #expect(error.kind == .garbage(#"found "HTTP/1.1 400 Bad Request\x0d\x0a\x0d\x0a""#))
    #expect(error.step == #"waiting for the reply to a question about bridge "br1""#)
  }

  @Test func aServerThatClosesAtOnceIsNamed() throws {
    #expect(try failure { _ in }.kind == .closed)
    #expect(try failure { _ = $0.read() }.kind == .closed)
  }

  @Test func aServerThatClosesHalfWayIsNamed() throws {
    let error = try failure {
      _ = $0.read()
      $0.write(#"{"id":1,"result":[{"ro"#)
    }
    #expect(error.kind == .closed)
  }

  @Test func silenceEndsAtTheDeadline() throws {
    #expect(try failure(until: .brief) { $0.waitForEnd() }.kind == .timeout)
    let half = try failure(until: .brief) {
      $0.write(#"{"id":1,"result":[{"ro"#)
      $0.waitForEnd()
    }
    #expect(half.kind == .timeout)
  }

  @Test(arguments: [
    "\u{1}\u{2}\u{7f}", #"{"id":1,"result":[}"#, #"{"id":1,"result":]}"#, #"{"id":1,"result":["\#u{0}"]}"#,
    #"{"id":1}"#, #"{"id":1,"result":{},"error":null}"#, #"{"id":1,"result":[],"error":null}"#,
    #"{"id":1,"result":[{},{}],"error":null}"#, #"{"id":1,"result":[null,null],"error":null}"#,
    #"{"id":1,"result":[{"rows":1},{"rows":1}],"error":null}"#,
    #"{"id":1,"result":[{"rows":[{}]},{"rows":[]}],"error":null}"#,
    #"{"id":1,"result":[{"rows":[{"datapath_types":1,"next_cfg":"x","cur_cfg":0,"ovs_version":"3"}]},{"rows":[]}],"error":null}"#,
    #"{"id":1,"result":[{"rows":[{"datapath_types":["set",[1]],"next_cfg":0,"cur_cfg":0,"ovs_version":"3"}]},{"rows":[]}]}"#,
  ])
  func garbageIsRefused(text: String) throws {
    let error = try failure {
      _ = $0.read()
      $0.write(text)
      $0.waitForEnd()
    }
    guard case .garbage = error.kind else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func endlessNestingEnds() throws {
    let error = try failure { conversation in
      _ = conversation.write("{\"id\":")
      while conversation.write(String(repeating: "[", count: 1000)) {}
    }
    #expect(error.kind == .garbage("more than 64 levels of nesting"))
  }

  @Test func anEndlessStringEndsAtTheLimit() throws {
    let error = try failure { conversation in
      _ = conversation.write("{\"id\":\"")
      while conversation.write(String(repeating: "x", count: 1 << 16)) {}
    }
    #expect(error.kind == .tooLarge(limit: 16 << 20))
  }

  @Test func endlessWhiteSpaceEndsAtTheLimit() throws {
    let error = try failure { conversation in
      while conversation.write(String(repeating: " \n", count: 1 << 15)) {}
    }
    #expect(error.kind == .tooLarge(limit: 16 << 20))
  }

  @Test func repliesToOthersForEverEnd() throws {
    let error = try failure { conversation in
      while conversation.write(#"{"id":77,"result":[],"error":null}"#) {}
    }
    #expect(error.kind == .garbage("1001 messages, and none of them is the reply"))
  }

  /// Each piece comes in time, but the answer does not.
  @Test func aTrickleEndsAtTheDeadline() throws {
    let error = try failure(until: .brief) { conversation in
      _ = conversation.write("{\"id\":\"")
      while conversation.write("x") {}
    }
    #expect(error.kind == .timeout)
  }

  /// The send buffer is full, and nobody reads.
  @Test func aServerThatDoesNotReadIsATimeout() throws {
    try FakeServer.with({ _ in usleep(1_000_000) }) { address in
      let connection = try OVSDBConnection(address, until: .soon)
      let error = try #require(throws: OVSDBError.self) {
        let text = String(repeating: "x", count: 4 << 20)
        _ = try connection.send([.comment(text)], for: "a comment", until: .brief)
      }
      #expect((error.step, error.kind) == ("sending a comment", .timeout))
    }
  }

  private func datagramSocket(at path: String) throws -> Int32 {
    let file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard bound == 0 else { throw Failure("bind: errno \(errno)") }
    return file
  }
}

/// One value from one thread to another.
final class Mailbox<Value>: @unchecked Sendable {
  private var value: Value?
  private let full = DispatchSemaphore(value: 0)

  func put(_ value: Value) {
    self.value = value
    full.signal()
  }

  func take() throws -> Value {
    full.wait()
    guard let value else { throw Failure("an empty mailbox") }
    return value
  }
}
