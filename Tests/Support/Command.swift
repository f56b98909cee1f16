import Foundation
import Glibc

/// One run of a program: bytes in, bytes out, an end that always comes.
package struct Command: Sendable {
  package var words: [String]
  package var input: [UInt8] = []
  /// The whole environment; nil: that of the tests.
  package var environment: [String: String]?
  /// The program is killed with SIGKILL when it runs past this.
  package var limit: Duration = .seconds(20)
  /// The signal that is sent at `limit`.
  package var limitSignal: Int32 = SIGKILL

  package init(_ words: [String]) { self.words = words }

  /// What came of it.
  package struct Result: Sendable, CustomStringConvertible {
    package var command: String
    /// The exit code; nil where a signal ended it.
    package var exitCode: Int32?
    package var signal: Int32?
    package var stdout: String
    package var stderr: String
    package var duration: Duration
    /// A runtime that waits on the pipes would have waited for somebody else after the program's end.
    package var leftPipesOpen: Bool

    package var succeeded: Bool { exitCode == 0 }
    package var description: String {
      let end = exitCode.map { "exit \($0)" } ?? "signal \(signal ?? 0)"
      return
        "\(command)\n  \(end) after \(duration)\n  stdout: \(stdout.prefix(2000))\n  stderr: \(stderr.prefix(2000))"
    }
  }

  /// Runs the program and waits for its end.
  package func run() throws -> Result {
    let start = ContinuousClock.now
    var pipes = try Pipes(input: input)
    defer { pipes.close() }
    let pid = try Spawn.start(words, environment: environment, descriptors: pipes.child)
    pipes.closeChild()

    var status: Int32 = 0
    var ended = false
    var signalled = false
    var endedAt = start
    while true {
      if !ended, waitpid(pid, &status, WNOHANG) == pid {
        ended = true
        endedAt = .now
      }
      if ended, pipes.drained || endedAt.duration(to: .now) > .milliseconds(100) { break }
      if !ended, !signalled, start.duration(to: .now) >= limit {
        signalled = true
        kill(pid, limitSignal)
      } else if !ended, start.duration(to: .now) >= limit + .seconds(20) {
        kill(pid, SIGKILL)
      }
      pipes.pump(milliseconds: waiting(since: start, ended: ended))
    }
    let exited = status & 0x7f == 0
    return Result(
      command: words.joined(separator: " "), exitCode: exited ? (status >> 8) & 0xff : nil,
      signal: exited ? nil : status & 0x7f, stdout: String(decoding: pipes.stdout, as: UTF8.self),
      stderr: String(decoding: pipes.stderr, as: UTF8.self), duration: start.duration(to: endedAt),
      leftPipesOpen: !pipes.drained)
  }

  /// Short waits near the end that is wanted, so that a kill after 3 ms comes after 3 ms.
  private func waiting(since start: ContinuousClock.Instant, ended: Bool) -> Int32 {
    let left = limit - start.duration(to: .now)
    return ended || left < .milliseconds(40) ? 0 : 2
  }
}

extension Command {
  /// Runs a program whose failure ends the test.
  @discardableResult
  package static func require(_ words: [String], input: [UInt8] = []) throws -> String {
    var command = Command(words)
    command.input = input
    let result = try command.run()
    guard result.succeeded else { throw Failure(result.description) }
    return result.stdout
  }
}

/// Something that a test could not do without.
package struct Failure: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// The three pipes of a child, read and written without ever blocking.
private struct Pipes {
  private var input: ArraySlice<UInt8>
  private var ours: [Int32] = [-1, -1, -1]
  private(set) var child: [Int32] = [-1, -1, -1]
  private var received: [[UInt8]] = [[], [], []]
  var stdout: [UInt8] { received[1] }
  var stderr: [UInt8] { received[2] }

  init(input: [UInt8]) throws {
    self.input = input[...]
    signal(SIGPIPE, SIG_IGN)
    for index in 0..<3 {
      let ends = try Spawn.pipe()
      ours[index] = index == 0 ? ends[1] : ends[0]
      child[index] = index == 0 ? ends[0] : ends[1]
      _ = fcntl(ours[index], F_SETFL, O_NONBLOCK)
    }
    if input.isEmpty { end(0) }
  }

  /// Everything that the child wrote is here, and nobody holds the pipes any more.
  var drained: Bool { ours[1] < 0 && ours[2] < 0 }

  mutating func pump(milliseconds: Int32) {
    var waits = ours.enumerated().map { pollfd(fd: $1, events: Int16($0 == 0 ? POLLOUT : POLLIN), revents: 0) }
    guard waits.contains(where: { $0.fd >= 0 }) else {
      usleep(milliseconds == 0 ? 100 : 500)
      return
    }
    guard poll(&waits, nfds_t(waits.count), milliseconds) > 0 else {
      if milliseconds == 0 { usleep(100) }
      return
    }
    if waits[0].revents != 0 { feed() }
    if waits[1].revents != 0 { take(1) }
    if waits[2].revents != 0 { take(2) }
  }

  private mutating func feed() {
    let count = input.withUnsafeBytes { write(ours[0], $0.baseAddress, min($0.count, 1 << 20)) }
    if count > 0 { input = input.dropFirst(count) }
    if input.isEmpty || (count < 0 && errno != EAGAIN && errno != EINTR) { end(0) }
  }

  private mutating func take(_ index: Int) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(ours[index], &buffer, buffer.count)
    if count > 0 { received[index] += buffer.prefix(count) }
    if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { end(index) }
  }

  private mutating func end(_ index: Int) {
    if ours[index] >= 0 { Glibc.close(ours[index]) }
    ours[index] = -1
  }

  mutating func closeChild() {
    for index in 0..<3 where child[index] >= 0 {
      Glibc.close(child[index])
      child[index] = -1
    }
  }

  mutating func close() {
    closeChild()
    for index in 0..<3 { end(index) }
  }
}
