import Foundation
import Glibc
import Support

/// A socket that is not the database that it should be, or one that stands between the hook and the real one.
final class FakeDatabase: @unchecked Sendable {
  enum Behaviour: Sendable {
    /// Accepts and closes.
    case hangsUp
    /// Accepts, reads, and says nothing.
    case silence
    /// Answers the first bytes with this, and is silent then.
    case says(String)
    /// Sends this again and again, as long as somebody reads.
    case endless(String)
    /// Hands everything on to the real database and back, until so many bytes of answers: then it closes, or says no more.
    case cuts(after: Int, of: String, closing: Bool)
  }

  let path: String
  private let behaviour: Behaviour
  private let listener: Int32
  private let lock = NSLock()
  private var stopping = false
  /// One for the listener and for each connection.
  private let threads = DispatchGroup()

  init(at path: String, _ behaviour: Behaviour) throws {
    self.path = path
    self.behaviour = behaviour
    unlink(path)
    listener = try UnixSocket.open(path, Glibc.bind)
    listen(listener, 16)
    spawn { [self] in accept() }
  }

  func stop() {
    lock.withLock { stopping = true }
    threads.wait()
    close(listener)
    unlink(path)
  }

  private var isStopping: Bool { lock.withLock { stopping } }

  private func spawn(_ body: @escaping @Sendable () -> Void) {
    threads.enter()
    Thread { [self] in
      body()
      threads.leave()
    }.start()
  }

  private func accept() {
    while !isStopping {
      guard Self.isReadable(listener) else { continue }
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { continue }
      _ = fcntl(client, F_SETFD, FD_CLOEXEC)
      spawn { [self] in
        serve(client)
        close(client)
      }
    }
  }

  private func serve(_ client: Int32) {
    switch behaviour {
    case .hangsUp: return
    case .silence: drain(client)
    case .says(let text):
      _ = Self.read(client)
      Self.write(client, Array(text.utf8))
      drain(client)
    case .endless(let text):
      while !isStopping, Self.write(client, Array(String(repeating: text, count: 100).utf8)) {}
    case .cuts(let limit, let real, let closing):
      guard let server = try? UnixSocket.open(real, Glibc.connect) else { return }
      relay(client, server, limit)
      if !closing { drain(client) }
      close(server)
    }
  }

  /// Reads and forgets, until the client closes.
  private func drain(_ client: Int32) {
    while !isStopping { if Self.isReadable(client), Self.read(client).isEmpty { return } }
  }

  private func relay(_ client: Int32, _ server: Int32, _ limit: Int) {
    var left = limit
    while !isStopping, left > 0 {
      if Self.isReadable(client, milliseconds: 1) {
        let request = Self.read(client)
        guard !request.isEmpty, Self.write(server, request) else { return }
      }
      if Self.isReadable(server, milliseconds: 1) {
        let answer = Self.read(server)
        guard !answer.isEmpty, Self.write(client, Array(answer.prefix(left))) else { return }
        left -= min(left, answer.count)
      }
    }
  }

  private static func isReadable(_ file: Int32, milliseconds: Int32 = 20) -> Bool {
    var wait = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
    return poll(&wait, 1, milliseconds) > 0
  }

  private static func read(_ file: Int32) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(file, &buffer, buffer.count)
    return Array(buffer.prefix(max(0, count)))
  }

  @discardableResult
  private static func write(_ file: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}

/// A stream socket by the path of its file.
private enum UnixSocket {
  static func open(
    _ path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws -> Int32 {
    let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    // struct sockaddr_un of unix(7): the family, then the path and a NUL.
    let family = withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) }
    let address = family + Array(path.utf8) + [0]
    let outcome = address.withUnsafeBytes { raw in
      raw.withMemoryRebound(to: sockaddr.self) { pointer in
        pointer.baseAddress.map { use(file, $0, socklen_t(address.count)) } ?? -1
      }
    }
    guard outcome == 0 else {
      close(file)
      throw Failure("\(path): \(String(cString: strerror(errno)))")
    }
    return file
  }
}
