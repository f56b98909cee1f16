import Glibc
import Testing
import WireCore

@testable import WireState

@Suite struct FileTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// The kind of error that opening throws, and the text.
  private func refusal() -> StateError? {
    do throws(StateError) {
      _ = try scratch.open()
      return nil
    } catch {
      return error
    }
  }

  @Test func theFileIsForItsOwnerOnly() throws {
    let previous = umask(0)
    defer { umask(previous) }
    _ = try scratch.open()
    var status = stat()
    #expect(stat(scratch.file, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test(arguments: [0, 1, 15, 100, 512, 4096, 100_000])
  func aFileThatIsNoDatabaseIsCorrupt(_ size: Int) throws {
    try scratch.write((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) })
    let error = refusal()
    // No bytes at all are a database that nothing was written to; SQLite takes one byte for none.
    #expect(error?.kind == (size <= 1 ? nil : .corrupt))
    if let error { #expect(error.detail.contains(scratch.file)) }
  }

  @Test func aDatabaseOfAnotherProgramIsForeign() throws {
    #expect(try RawConnection(scratch.file).refusal(of: "CREATE TABLE cache(url TEXT)") == nil)
    let before = try scratch.bytes()
    #expect(refusal()?.kind == .foreign)
    #expect(try scratch.bytes() == before)
    #expect(try RawConnection(scratch.file).refusal(of: "DROP TABLE cache; PRAGMA application_id=7") == nil)
    #expect(refusal()?.kind == .foreign)
  }

  @Test func aFileOfALaterReleaseIsRefusedWithItsVersion() throws {
    _ = try scratch.open()
    #expect(try RawConnection(scratch.file).refusal(of: "PRAGMA user_version=9; CREATE TABLE new(x)") == nil)
    let error = refusal()
    #expect(error?.kind == .newer(version: 9))
    #expect(error?.detail.contains("version 9") == true)
  }

  @Test(arguments: [
    "DROP TRIGGER port_overlap", "CREATE TABLE more(x)", "DROP INDEX lease_free", "PRAGMA user_version=0",
    "DELETE FROM meta", "DROP TABLE network; CREATE VIEW network AS SELECT 1",
    "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'PRIMARY KEY(segment, address)', 'PRIMARY KEY(segment, address, owner)')",
  ])
  func tablesThatAreNotOursAreDamage(_ sql: String) throws {
    _ = try scratch.open()
    #expect(try RawConnection(scratch.file).refusal(of: sql) == nil)
    #expect(refusal()?.kind == .corrupt)
  }

  @Test(arguments: ["VACUUM", "ANALYZE", "PRAGMA page_size=8192; VACUUM", "PRAGMA auto_vacuum=FULL; VACUUM", "REINDEX"])
  func aFileThatSomebodyTidiedIsWhole(_ sql: String) throws {
    do {
      let store = try scratch.open()
      try store.transaction { () throws(StateError) in try Self.exercise(store) }
    }
    #expect(try RawConnection(scratch.file).refusal(of: sql) == nil)
    do {
      let store = try scratch.open()
      #expect(try store.containers().count == 20)
      try store.transaction { () throws(StateError) in try Self.exercise(store) }
    }
    #expect(try RawConnection(scratch.file).refusal(of: "VACUUM; DROP TRIGGER port_overlap") == nil)
    #expect(refusal()?.kind == .corrupt)
  }

  @Test func aCutFileIsCorrupt() throws {
    do {
      let store = try scratch.open()
      for number in 0..<50 { try store.record(.sample("c\(number)")) }
    }
    let bytes = try scratch.bytes()
    for size in [4096, 8192, bytes.count / 2, bytes.count - 4096] {
      try scratch.write(Array(bytes.prefix(size)))
      #expect(refusal()?.kind == .corrupt, "cut to \(size) bytes")
    }
  }

  @Test func aBrokenPageIsFoundAtTheFirstOpenOfABoot() throws {
    do {
      let store = try scratch.open()
      for number in 0..<50 { try store.record(.sample("c\(number)")) }
    }
    var bytes = try scratch.bytes()
    for index in bytes.count - 4096..<bytes.count { bytes[index] = 0x5a }
    try scratch.write(bytes)
    #expect(throws: StateError.self) { _ = try scratch.open(boot: "boot-2") }
  }

  @Test func hostileValuesAreErrorsNotTraps() throws {
    do {
      let store = try scratch.open()
      try store.record(.sample("c1"))
    }
    let id = "CAST(x'ff00fe' AS TEXT)"
    for sql in [
      "UPDATE container SET name = CAST(x'ff00fe' AS TEXT)", "UPDATE container SET pid = 9223372036854775807",
      "UPDATE container SET document = CAST(zeroblob(20000000) AS TEXT)",
      "UPDATE container SET created = -9223372036854775808, id = \(id)",
      "PRAGMA ignore_check_constraints=ON; UPDATE container SET status = 77",
    ] {
      let saved = try scratch.bytes()
      #expect(try RawConnection(scratch.file).refusal(of: sql) == nil)
      let store = try scratch.open()
      let error = #expect(throws: StateError.self, "\(sql)") { try store.containers() }
      #expect(error?.kind == .corrupt)
      try scratch.write(saved)
    }
  }

  @Test func randomDamageEndsInAnAnswerOrAnError() throws {
    do {
      let store = try scratch.open()
      try store.transaction { () throws(StateError) in try Self.exercise(store) }
    }
    let whole = try scratch.bytes()
    var random = Generator(state: 42)
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        // The head of a page is where its structure lies.
        let page = Int.random(in: 0..<bytes.count / 4096, using: &random) * 4096
        let offset =
          Bool.random(using: &random)
          ? Int.random(in: 0..<128, using: &random) : Int.random(in: 0..<4096, using: &random)
        bytes[page + offset] = UInt8.random(in: .min ... .max, using: &random)
      }
      try scratch.write(bytes)
      unlink(scratch.file + "-journal")
      let boot = Bool.random(using: &random) ? "boot-1" : "boot-2"
      #expect(outcome(boot)?.detail.isEmpty != true)
    }
  }

  private func outcome(_ boot: String) -> StateError? {
    do throws(StateError) {
      let store = try scratch.open(boot: boot)
      try store.transaction { () throws(StateError) in try Self.exercise(store) }
      return nil
    } catch {
      return error
    }
  }

  /// A bit of everything.
  private static func exercise(_ store: borrowing Store) throws(StateError) {
    guard let eth0 = InterfaceName("eth0"), let first = IPAddress("10.0.0.1"), let last = IPAddress("10.0.0.250") else {
      return
    }
    for number in 0..<20 {
      let id = "c\(number)"
      guard try !store.removeContainer(id: id) else { continue }
      try store.record(.sample(id, name: "name\(number)"))
      try store.claimLink(InterfaceName("wh\(number)") ?? eth0, container: id)
      let next = try store.nextAddress(segment: "s", range: first...last, avoiding: { _ in false })
      try store.claimLease(segment: "s", address: next ?? first, owner: id, interface: eth0, container: id)
      try store.claimPort(HostPort(.tcp, .any(.ipv4), UInt16(8000 + number)), container: id)
      _ = try store.ports(of: id)
      _ = try store.leases(of: id)
      _ = try store.rememberedAddress(segment: "s", owner: id, interface: eth0, family: .ipv4)
      try store.rememberPort(
        owner: id, transport: .tcp, address: first, containerPort: 80, hostPort: UInt16(8000 + number))
    }
    _ = try store.containers()
    _ = try store.markers()
  }

  @Test func aBadFileIsSetAsideWithItsJournal() throws {
    #expect(try Store.setAside(directory: scratch.directory) == nil)
    for number in 1...2 {
      try scratch.write(Array("not a database, but long enough to be taken for one".utf8))
      let journal = try #require(fopen(scratch.file + "-journal", "w"))
      fclose(journal)
      #expect(refusal()?.kind == .corrupt)
      #expect(try Store.setAside(directory: scratch.directory) == "\(scratch.file).corrupt-\(number)")
      #expect(refusal() == nil)
      #expect(try Store.setAside(directory: scratch.directory) != nil)
      unlink("\(scratch.file).corrupt-\(number + 1)")
      unlink("\(scratch.file).corrupt-\(number + 1)-journal")
    }
    #expect(
      scratch.names == [
        "state.db.corrupt-1", "state.db.corrupt-1-journal", "state.db.corrupt-2", "state.db.corrupt-2-journal",
      ])
  }

  @Test func readingMakesNothing() throws {
    func listing(_ boot: String) throws -> [String]? {
      guard let store = try Store.openForReading(directory: scratch.directory, bootID: boot) else { return nil }
      return try store.containers().map(\.id)
    }
    #expect(try listing("boot-1") == nil)
    #expect(scratch.names.isEmpty)
    do {
      let store = try scratch.open()
      try store.record(.sample("c1"))
    }
    #expect(try listing("boot-1") == ["c1"])
    #expect(try listing("boot-2") == nil)
    guard let reader = try Store.openForReading(directory: scratch.directory, bootID: "boot-1") else {
      Issue.record("nothing to read")
      return
    }
    let error = #expect(throws: StateError.self) { try reader.record(.sample("c2")) }
    #expect(error?.detail.contains("readonly") == true)
  }

  @Test func whatCannotBeOpenedSaysWhy() throws {
    let missing = #expect(throws: StateError.self) {
      _ = try Store.open(directory: scratch.directory + "/missing", bootID: "b")
    }
    #expect(missing?.kind == .inaccessible(errno: ENOENT))
    #expect(symlink("/dev/shm/elsewhere.db", scratch.file) == 0)
    guard case .inaccessible = refusal()?.kind else {
      Issue.record("a symbolic link was followed")
      return
    }
    #expect(access("/dev/shm/elsewhere.db", F_OK) != 0)
  }
}

/// A generator with a seed, so that a failure comes again.
private struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}
