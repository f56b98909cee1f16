import Foundation
import Glibc
import Support
import WireCore
import WireLinux

/// A folder that goes with the test.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = "/tmp/wirehook-ovsdb-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A server that does as a test says, on a thread of its own and a socket that goes with the test.
final class FakeServer: @unchecked Sendable {
  let address: DatabaseAddress
  private let scratch: Scratch
  private let listener: Int32
  private let done = DispatchSemaphore(value: 0)

  init(_ script: @escaping @Sendable (Conversation) -> Void) throws {
    scratch = try Scratch()
    let path = "\(scratch.path)/db.sock"
    address = .unix(path: path)
    listener = try listeningSocket(at: path)
    Thread { [self] in
      defer { done.signal() }
      let file = accept(listener, nil, nil)
      guard file >= 0 else { return }
      let conversation = Conversation(file: file)
      script(conversation)
      close(file)
    }.start()
  }

  /// Ends the listening, and waits for the script.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    done.wait()
    close(listener)
  }

  /// Runs the test's side against a script.
  static func with(
    _ script: @escaping @Sendable (Conversation) -> Void, _ body: (DatabaseAddress) throws -> Void
  ) throws {
    let server = try FakeServer(script)
    defer { server.stop() }
    try body(server.address)
  }
}

/// The server's side of one connection. Nothing waits for more than 5 s.
struct Conversation: Sendable {
  let file: Int32

  init(file: Int32) {
    self.file = file
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// What has come; empty at the end.
  func read() -> String { String(decoding: readBytes(), as: UTF8.self) }

  func readBytes() -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(file, &buffer, buffer.count, 0)
    return Array(buffer.prefix(max(0, count)))
  }

  /// False when the client has gone.
  @discardableResult
  func write(_ text: String) -> Bool { write(Array(text.utf8)) }

  @discardableResult
  func write(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Waits until the client has gone.
  func waitForEnd() { while !read().isEmpty {} }
}

/// A socket that listens at `path`.
func listeningSocket(at path: String, backlog: Int32 = 8) throws -> Int32 {
  let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  var name = sockaddr_un()
  name.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
  let bound = withUnsafePointer(to: &name) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
  guard bound == 0, listen(file, backlog) == 0 else { throw Failure("listen at \(path): errno \(errno)") }
  return file
}

extension Deadline {
  /// Long enough for a busy machine.
  static var soon: Deadline { .after(milliseconds: 10_000) }
  /// Short enough for a test that waits for it.
  static var brief: Deadline { .after(milliseconds: 200) }
}
