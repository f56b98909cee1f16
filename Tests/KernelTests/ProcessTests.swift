import Foundation
import Glibc
import Testing

@testable import WireLinux

@Suite struct ProcessTests {
  @Test(arguments: [
    ("7 (a) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 2", "a", false, 4242),
    (
      "7 (a b) c) (d) Z 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 18446744073709551615 1", "a b) c) (d", true,
      UInt64.max
    ),
    ("7 ()) X 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 1", ")", true, 1),
  ])
  func aNameMayHoldAnything(_ line: String, _ name: String, _ isDead: Bool, _ startTime: UInt64) throws {
    let status = try #require(ProcessStatus(line: Array(line.utf8)))
    #expect(status.name == name)
    #expect(status.isDead == isDead)
    #expect(status.startTime == startTime)
  }

  @Test(arguments: [
    "", "7", "7 (a", "7 a) S 1", ")(", "7 (a) S 1 2 3", "7 (a) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 x",
  ])
  func aBrokenLineIsRefused(_ line: String) { #expect(ProcessStatus(line: Array(line.utf8)) == nil) }

  @Test func aProcessIsItselfUntilItEnds() throws {
    let child = try Child()
    let identity = try #require(try ProcessIdentity.of(pid: child.pid))
    let handle = try ProcessHandle(pid: child.pid)
    #expect(handle.identity == identity)
    #expect(identity.isAlive)
    let isAlive = handle.isAlive
    #expect(isAlive)
    #expect(!ProcessIdentity(pid: child.pid, startTime: identity.startTime + 1).isAlive)
    kill(child.pid, SIGKILL)
    while handle.isAlive { usleep(1000) }
    // It is a zombie now: nobody has waited for it.
    #expect(!identity.isAlive)
    #expect(throws: SystemError.self) { _ = try ProcessHandle(pid: child.pid) }
    child.wait()
    #expect(try ProcessIdentity.of(pid: child.pid) == nil)
  }

  @Test(arguments: [0, -1, Int32.max, Int32.min]) func aPidThatIsNoneHasNoProcess(_ pid: Int32) {
    #expect(throws: SystemError.self) { _ = try ProcessHandle(pid: pid) }
    #expect(!ProcessIdentity(pid: pid, startTime: 1).isAlive)
  }

  @Test func theBootHasAName() throws { #expect(UUID(uuidString: try ProcessIdentity.bootID()) != nil) }
}
