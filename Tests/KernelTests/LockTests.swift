import Glibc
import Testing
import WireLinux

@Suite struct LockTests {
  @Test func aLockIsWaitedForAndItsHolderNamed() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/lock"
    let lock = try RangeLock(path: path)
    let offset = UInt64(Int64.max)
    // flock(1) takes another kind of lock: so a program that takes ours.
    let child = try Child(locking: path, at: offset)
    #expect(try lock.tryLock(offset) == false)
    #expect(try lock.tryLock(offset - 1))
    let clock = ContinuousClock()
    let start = clock.now
    let expected = LockError.held(path: path, pid: child.pid, name: ProcessIdentity.name(ofPid: child.pid))
    #expect(throws: expected) { try lock.lock(offset, until: .after(milliseconds: 60)) }
    #expect((.milliseconds(50)...(.seconds(20))).contains(clock.now - start))
    child.killSoon()
    try lock.lock(offset, until: .soon)
    lock.unlock(offset)
    child.wait()
  }

  @Test func sharedLocksGoTogether() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/lock"
    let lock = try RangeLock(path: path)
    let child = try Child(locking: path, at: 5, type: Int16(F_RDLCK))
    #expect(try lock.tryLock(5, .shared))
    #expect(try lock.tryLock(5, .exclusive) == false)
    kill(child.pid, SIGKILL)
    child.wait()
    #expect(try lock.tryLock(5, .exclusive))
  }
}
