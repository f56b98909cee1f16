package import WireCore

/// The addresses of a pool in the order in which they are given: those never given, by a cursor that passes over the
/// range once, then the one that has been free for longest, by a queue.
///
/// A lease belongs to the queue of the pool in whose range it was first claimed. The cursor takes into its pool whatever
/// it meets that belongs to none or to another: addresses claimed by hand before the pool was used, or under an earlier
/// configuration. So each step is one search in an index, however many leases there are.
extension Store {
  /// The next free address of a range, nil if it has none. Not claimed yet, but its turn has passed, unless the
  /// transaction fails.
  ///
  /// `range` is all that the pool may give, of one family; its first address names the pool. `avoiding` is true for an
  /// address that must not be given now: the gateway, one that is excluded or in use on the host.
  package func nextAddress(
    segment: String, range: ClosedRange<IPAddress>, avoiding: (IPAddress) -> Bool
  ) throws(StateError) -> IPAddress? {
    guard range.lowerBound.family == range.upperBound.family else { return nil }
    let pool = Pool(segment: segment, range: range)
    let reached = try adapt(pool)
    if let address = try advance(pool, from: reached, avoiding) { return address }
    if let address = try longestFree(pool, avoiding) { return address }
    guard reached != nil else { return nil }
    // Nothing left where the cursor had passed by, unless an address was refused then, or forgotten since: look once
    // more at all of the range before saying so. Only a pool that is exhausted pays for this.
    if let address = try advance(pool, from: nil, avoiding) { return address }
    return try longestFree(pool, avoiding)
  }
}

/// A range of addresses on a segment.
private struct Pool {
  let segment: String
  let range: ClosedRange<IPAddress>

  var first: IPAddress { range.lowerBound }
  var last: IPAddress { range.upperBound }
}

/// Passes over the addresses of a range, one by one.
private struct Cursor {
  /// The address to look at; nil at the end of the range.
  private(set) var next: IPAddress?
  private(set) var passed: IPAddress?
  private let last: IPAddress
  private var refusals = 0

  /// The caller may refuse so many addresses at a time: IPv6 ranges have no end.
  private static let refusalLimit = 1 << 20

  init(next: IPAddress?, last: IPAddress) {
    self.next = next
    self.last = last
  }

  mutating func pass() {
    passed = next
    next = next.flatMap { $0 < last ? $0.next : nil }
  }

  /// Passes over what is avoided; true if it stands at an address below `limit` that is not.
  mutating func finds(below limit: IPAddress?, _ avoiding: (IPAddress) -> Bool) -> Bool {
    while let candidate = next, limit.map({ candidate < $0 }) ?? true, refusals < Self.refusalLimit {
      guard avoiding(candidate) else { return true }
      refusals += 1
      pass()
    }
    return false
  }
}

extension Store {
  /// The last address that the cursor has passed, after fitting the pool's record to its range; nil: none yet.
  private func adapt(_ pool: Pool) throws(StateError) -> IPAddress? {
    let recorded = try database.first(
      "SELECT last, reached FROM pool WHERE segment = ? AND first = ?", [.text(pool.segment), .address(pool.first)]
    ) { row throws(StateError) in (last: try row.address(0), reached: try row.optionalAddress(1)) }
    guard let recorded else { return nil }
    guard recorded.last != pool.last else { return recorded.reached }
    // The range was changed. What lies outside leaves the queue, or each look at the queue would pass over it.
    try database.run(
      "UPDATE lease SET pool = x'' WHERE segment = ? AND pool = ? AND address > ?",
      [.text(pool.segment), .address(pool.first), .address(pool.last)])
    let reached = recorded.reached.map { min($0, pool.last) }
    try save(pool, reached)
    return reached
  }

  /// Moves the cursor to the next address that has no lease, held or free.
  private func advance(
    _ pool: Pool, from reached: IPAddress?, _ avoiding: (IPAddress) -> Bool
  ) throws(StateError) -> IPAddress? {
    if let reached, reached >= pool.last { return nil }
    var cursor = Cursor(next: reached.map { $0.next } ?? pool.first, last: pool.last)
    guard let start = cursor.next else { return nil }
    var isFound = false
    var strangers = false
    try database.rows(
      """
      SELECT address, pool FROM lease
      WHERE segment = ? AND address BETWEEN ? AND ? AND length(address) = ? ORDER BY address
      """,
      [.text(pool.segment), .address(start), .address(pool.last), .integer(Int64(start.family.byteCount))]
    ) { row throws(StateError) in
      let taken = try row.address(0)
      isFound = cursor.finds(below: taken, avoiding)
      guard !isFound, cursor.next == taken else { return false }
      let owner = try row.optionalAddress(1)
      strangers = strangers || owner != pool.first
      cursor.pass()
      return true
    }
    if !isFound { isFound = cursor.finds(below: nil, avoiding) }
    let found = isFound ? cursor.next : nil
    if isFound { cursor.pass() }
    guard let passed = cursor.passed else { return nil }
    if strangers { try adopt(pool, start...passed) }
    try save(pool, passed)
    return found
  }

  /// Takes leases of no pool or another into this one; those that are free go to the end of its queue.
  private func adopt(_ pool: Pool, _ passed: ClosedRange<IPAddress>) throws(StateError) {
    try database.run(
      """
      UPDATE lease SET pool = ?2, freed = CASE WHEN freed IS NOT NULL THEN 1 + coalesce((
        SELECT max(other.freed) FROM lease AS other
        WHERE other.container IS NULL AND other.segment = ?1 AND other.pool = ?2), 0) END
      WHERE segment = ?1 AND address BETWEEN ?3 AND ?4 AND length(address) = length(?2) AND pool <> ?2
      """,
      [.text(pool.segment), .address(pool.first), .address(passed.lowerBound), .address(passed.upperBound)])
  }

  private func longestFree(_ pool: Pool, _ avoiding: (IPAddress) -> Bool) throws(StateError) -> IPAddress? {
    var found: IPAddress?
    try database.rows(
      "SELECT address FROM lease WHERE container IS NULL AND segment = ? AND pool = ? ORDER BY freed, address",
      [.text(pool.segment), .address(pool.first)]
    ) { row throws(StateError) in
      let address = try row.address(0)
      guard pool.range.contains(address), !avoiding(address) else { return true }
      found = address
      return false
    }
    return found
  }

  private func save(_ pool: Pool, _ reached: IPAddress?) throws(StateError) {
    let values: [Value] = [
      .text(pool.segment), .address(pool.first), .address(pool.last), .blob(reached?.bytes ?? []),
    ]
    // Only a pool's very first address needs the second statement.
    let changed = try database.run("UPDATE pool SET last = ?3, reached = ?4 WHERE segment = ?1 AND first = ?2", values)
    if changed == 0 { try database.run("INSERT INTO pool VALUES(?, ?, ?, ?)", values) }
  }
}
