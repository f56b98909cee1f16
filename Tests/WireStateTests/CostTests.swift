import Testing
import WireCore
import WireLinux

@testable import WireState

/// Nothing scans all leases, whatever is asked.
@Suite struct CostTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Statements that read a whole table because that is what they are for.
  private static let listings = [
    "SELECT * FROM container ORDER BY", "SELECT * FROM network ORDER BY", "SELECT sql FROM sqlite_schema",
    "SELECT 1 FROM sqlite_schema LIMIT 1", "SELECT boot FROM meta",
  ]

  @Test func everyStatementSearchesByAnIndex() throws {
    let store = try scratch.open()
    try Self.useAll(of: store)
    // The table-valued function lists what this connection has compiled.
    let statements = try store.database.all("SELECT sql FROM sqlite_stmt") { row throws(StateError) in try row.text(0) }
    #expect(statements.count > 30)
    let raw = try RawConnection(scratch.file)
    for sql in statements where !sql.hasPrefix("PRAGMA") && !sql.contains("sqlite_stmt") {
      guard !Self.listings.contains(where: { sql.hasPrefix($0) }) else { continue }
      for step in try raw.rows("EXPLAIN QUERY PLAN " + sql).map({ $0[3] }) {
        #expect(!step.hasPrefix("SCAN") || step == "SCAN CONSTANT ROW", "\(step) in \(sql)")
        #expect(!step.contains("TEMP B-TREE") || !sql.contains("lease"), "\(step) in \(sql)")
      }
    }
  }

  @Test func twentyThousandLeasesCostNoMoreThanAHundred() throws {
    let store = try scratch.open()
    let small = try Self.fill(store, segment: "small", count: 100)
    let large = try Self.fill(store, segment: "large", count: 20_000)
    let few = try Self.instructions(of: store, "small", small)
    let many = try Self.instructions(of: store, "large", large)
    #expect(many < few * 3 / 2, "\(few) instructions with 100 leases, \(many) with 20,000")
  }

  /// Half held, half free.
  private static func fill(
    _ store: borrowing Store, segment: String, count: Int
  ) throws -> ClosedRange<IPAddress> {
    let range = try address("10.0.0.0")...IPAddress(.ipv4, 0x0a00_0000 + UInt128(count) + 10)
    let eth0 = try link("eth0")
    try store.transaction { () throws(StateError) in
      for number in 0..<count {
        let id = "\(segment)\(number % 2)"
        if number < 2 { try store.record(.sample(id)) }
        guard let next = try store.nextAddress(segment: segment, range: range, avoiding: { _ in false }) else { return }
        try store.claimLease(segment: segment, address: next, owner: "\(number)", interface: eth0, container: id)
      }
      try store.removeContainer(id: "\(segment)0")
    }
    return range
  }

  /// Instructions of SQLite's machine for a fresh address, one from the queue, one remembered, and a detach.
  private static func instructions(
    of store: borrowing Store, _ segment: String, _ range: ClosedRange<IPAddress>
  ) throws -> Int64 {
    let before = try Self.counter(store)
    let eth0 = try link("eth0")
    try store.transaction { () throws(StateError) in
      try store.record(.sample("new"))
      for _ in 0..<20 {
        guard let next = try store.nextAddress(segment: segment, range: range, avoiding: { _ in false }) else {
          throw StateError(.refused, "exhausted")
        }
        try store.claimLease(segment: segment, address: next, owner: "new", interface: eth0, container: "new")
        _ = try store.rememberedAddress(segment: segment, owner: "20", interface: eth0, family: .ipv4)
        _ = try store.holder(segment: segment, address: next)
      }
      try store.removeContainer(id: "new")
    }
    return try Self.counter(store) - before
  }

  /// Virtual machine instructions that all statements of the connection have run.
  private static func counter(_ store: borrowing Store) throws -> Int64 {
    try store.database.first("SELECT sum(nstep) FROM sqlite_stmt") { row throws(StateError) in try row.integer(0) } ?? 0
  }

  private static func useAll(of store: borrowing Store) throws {
    let eth0 = try link("eth0")
    let wildcard = HostPort(.tcp, .any(.ipv4), 80)
    let range = try address("10.0.0.1")...address("10.0.0.3")
    for last in ["10.0.0.3", "10.0.0.2"] {
      try store.transaction { () throws(StateError) in
        try store.record(.sample("c1"))
        try store.updateStatus(.attached, of: "c1")
        try store.claimLink(eth0, container: "c1")
        let own = range.lowerBound
        try store.claimLease(segment: "s", address: own, owner: "o", interface: eth0, container: "c1")
        let range = range.lowerBound...(IPAddress(last) ?? own)
        _ = try store.nextAddress(segment: "s", range: range) { $0 < range.upperBound }
        try store.claimPort(wildcard, container: "c1")
        try store.rememberPort(owner: "o", transport: .tcp, address: own, containerPort: 1, hostPort: 2)
        try store.setMarker(NetworkMarker(name: "n", fingerprint: "f", bridgeIndex: 1))
      }
      _ = try store.container(named: "none")
      _ = try store.containers(idPrefix: "c")
      _ = try store.container(netns: NamespaceIdentity(device: 1, inode: 1))
      _ = try store.containers()
      _ = try (store.links(of: "c1"), store.leases(of: "c1"), store.ports(of: "c1"), store.owner(ofLink: eth0))
      _ = try (store.holder(segment: "s", address: range.lowerBound), store.portHolder(wildcard))
      _ = try store.rememberedAddress(segment: "s", owner: "o", interface: eth0, family: .ipv4)
      _ = try store.rememberedPort(owner: "o", transport: .tcp, address: range.lowerBound, containerPort: 1)
      _ = try (store.marker(ofNetwork: "n"), store.markers())
      try store.releasePort(wildcard, container: "c1")
      try store.removeMarker(ofNetwork: "n")
      try store.removeContainer(id: "c1")
    }
  }
}
