import Glibc
import Testing
import WireCore

@testable import WireState

@Suite struct TransactionTests {
  private struct Other: Error {}

  @Test func whatThrowsLeavesNothing() throws {
    let scratch = try Scratch()
    let store = try scratch.open()
    #expect(throws: Other.self) {
      try store.transaction(failure: { _ in Other() }) { () throws(Other) in
        do { try store.record(.sample("c1")) } catch { throw Other() }
        throw Other()
      }
    }
    #expect(try store.containers().isEmpty)
    #expect(throws: StateError.self) {
      try store.transaction { () throws(StateError) in
        try store.record(.sample("c1"))
        throw StateError(.refused, "no")
      }
    }
    #expect(try store.containers().isEmpty)
    try store.transaction { () throws(StateError) in try store.record(.sample("c1")) }
    #expect(try store.containers().count == 1)
  }

  @Test func aWriterWaitsAndThenSaysThatItIsBusy() throws {
    let scratch = try Scratch()
    let store = try Store.open(directory: scratch.directory, bootID: "boot-1", busyMilliseconds: 20)
    let other = try RawConnection(scratch.file)
    #expect(other.refusal(of: "BEGIN IMMEDIATE") == nil)
    let error = #expect(throws: StateError.self) {
      try store.transaction { () throws(StateError) in try store.record(.sample("c1")) }
    }
    #expect(error?.kind == .busy)
    #expect(other.refusal(of: "COMMIT") == nil)
    try store.transaction { () throws(StateError) in try store.record(.sample("c1")) }
  }

  @Test func aProcessThatIsKilledInsideLeavesTheOldState() async throws {
    let scratch = try Scratch()
    do {
      let store = try scratch.open()
      try store.record(.sample("before"))
    }
    let directory = scratch.directory
    let before = try scratch.bytes()
    await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
      let store = try Store.open(directory: directory, bootID: "boot-1")
      try store.database.execute(Worker.writeEarly)
      try store.transaction { () throws(StateError) in
        try store.removeContainer(id: "before")
        for number in 0..<200 { try store.record(.sample("after\(number)")) }
        kill(getpid(), SIGKILL)
      }
    }
    #expect(try scratch.bytes() != before, "the test is void: nothing had been written when the process died")
    #expect(try RawConnection(scratch.file).rows("SELECT id FROM container") == [["before"]])
    #expect(try scratch.open().containers().map(\.id) == ["before"])
  }

  @Test(arguments: 1...12)
  func killedAtAnyMomentTheStateIsWhole(_ milliseconds: Int) async throws {
    let scratch = try Scratch()
    _ = try scratch.open()
    let directory = scratch.directory
    await #expect(processExitsWith: .signal(SIGALRM)) {
      [directory = directory as String, milliseconds = milliseconds as Int] in
      // Nobody handles SIGALRM: it ends the process as SIGKILL does, at a moment of the kernel's choice.
      var timer = itimerval()
      timer.it_value.tv_usec = milliseconds * 1000 + 137 * milliseconds
      setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
      for round in 0..<1_000_000 {
        let store = try Store.open(directory: directory, bootID: "boot-1")
        try store.database.execute(Worker.writeEarly)
        try Worker.change(store, round)
      }
    }
    try Worker.checkIsWhole(scratch)
  }

  @Test func writersOfManyThreadsNeverTakeTheSameTwice() async throws {
    let scratch = try Scratch()
    let directory = scratch.directory
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<8 { group.addTask { try Worker.attach(25, "t\(worker)", directory) } }
      try await group.waitForAll()
    }
    #expect(try scratch.open().containers().count == 200)
    try Worker.checkIsWhole(scratch)
  }

  @Test func writersOfManyProcessesNeverTakeTheSameTwice() async throws {
    let scratch = try Scratch()
    let directory = scratch.directory
    // The very first ones on a fresh host included: nobody has made the file yet.
    await withTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask {
          await #expect(processExitsWith: .success) { [directory = directory as String, worker = worker as Int] in
            try Worker.attach(50, "p\(worker)", directory)
          }
        }
      }
    }
    #expect(try scratch.open().containers().count == 200)
    try Worker.checkIsWhole(scratch)
  }
}

/// What several writers do at once.
private enum Worker {
  static func attach(_ count: Int, _ name: String, _ directory: String) throws(StateError) {
    for number in 0..<count {
      let store = try Store.open(directory: directory, bootID: "boot-1", busyMilliseconds: 60_000)
      try store.transaction { () throws(StateError) in try take(store, "\(name)-\(number)") }
    }
  }

  /// Makes SQLite write what was changed to the file at once, over the old state, not only when it commits.
  static let writeEarly = "PRAGMA cache_size=1;PRAGMA cache_spill=1"

  /// Forty attaches, and the detach of those of the round before.
  static func change(_ store: borrowing Store, _ round: Int) throws(StateError) {
    try store.transaction { () throws(StateError) in
      for number in 0..<40 {
        try store.removeContainer(id: "\(round - 1)-\(number)")
        try take(store, "\(round)-\(number)")
      }
    }
  }

  private static func take(_ store: borrowing Store, _ id: String) throws(StateError) {
    guard let first = IPAddress("10.0.0.0"), let last = IPAddress("10.0.255.255"), let eth0 = InterfaceName("eth0"),
      let address = try store.nextAddress(segment: "s", range: first...last, avoiding: { _ in false })
    else { throw StateError(.refused, "exhausted") }
    try store.record(.sample(id))
    try store.claimLease(segment: "s", address: address, owner: id, interface: eth0, container: id)
    // A port of the address, so that two with the same would show.
    try store.claimPort(HostPort(.tcp, address, 80), container: id)
  }

  static func checkIsWhole(_ scratch: Scratch) throws {
    let raw = try RawConnection(scratch.file)
    #expect(try raw.rows("SELECT count(*) % 40 FROM container") == [["0"]])
    #expect(try raw.rows("PRAGMA integrity_check") == [["ok"]])
    #expect(try raw.rows("PRAGMA foreign_key_check").isEmpty)
    let odd = try raw.rows(
      """
      SELECT id FROM container WHERE (SELECT count(*) FROM lease WHERE container = id) <> 1
        OR (SELECT count(*) FROM port WHERE container = id) <> 1
      """)
    #expect(odd.isEmpty)
  }
}
