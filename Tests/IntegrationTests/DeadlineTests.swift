import Foundation
import Glibc
import Support
import Testing

/// A hook that has to wait says for whom, and ends by its own deadline.
@Suite(needsRoot) struct DeadlineTests {
  /// The locks and the database: somebody keeps all of them locked and does not go on.
  @Test(arguments: [true, false]) func aHookThatWaitsNamesWhomItWaitsFor(atLocks: Bool) throws {
    try Sandbox.with { host in
      try host.writeMain(["timeout_ms": .number(700)])
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.container("web")
      let files = try FileManager.default.contentsOfDirectory(atPath: host.stateFolder)
        .filter { $0.contains("lock") == atLocks }.map { "\(host.stateFolder)/\($0)" }
      try #require(!files.isEmpty)
      let held = try files.map { try RecordLock(file: $0) }
      let result = try host.tryAttach(web, ["wirehook.ports": "8080:80"])
      #expect(result.duration < .seconds(8), "\(result.duration)")
      expectOneErrorLine(result, naming: ["\(getpid())"])
      for lock in held { lock.release() }
      try expectUnchanged(host, since: before)
      try host.attach(web, ["wirehook.ports": "8080:80"])
    }
  }
}

/// A POSIX record lock of this process on a whole file.
private final class RecordLock: @unchecked Sendable {
  private let file: Int32

  init(file path: String) throws {
    file = open(path, O_RDWR | O_CLOEXEC)
    var range = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    guard file >= 0, fcntl(file, F_SETLK, &range) == 0 else { throw Failure("cannot lock \(path)") }
  }

  func release() { close(file) }
}
