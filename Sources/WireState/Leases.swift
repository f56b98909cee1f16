package import WireCore

/// An address on a segment, and whose it is or was.
package struct Lease: Sendable, Hashable {
  /// The layer 2 segment, where an address can be given once: `bridge:wh-front`.
  package let segment: String
  package let address: IPAddress
  /// What it is remembered by.
  package let owner: String
  /// The interface inside of the container.
  package let interface: String
  /// The container that holds it; nil: free.
  package let container: String?
}

extension Store {
  /// How many freed leases of one pool are remembered; beyond, the longest free are forgotten.
  package static let rememberedLeases = 16_384

  /// Gives the address to a container. Taking one's own again is fine, and so is one that is remembered for another.
  package func claimLease(
    segment: String, address: IPAddress, owner: String, interface: InterfaceName, container: String
  ) throws(StateError) {
    let values: [Value] = [
      .text(segment), .address(address), .text(owner), .text(interface.description), .text(container),
    ]
    // Two statements, as in `record`: an address that nobody has had yet needs the first alone.
    do throws(StateError) {
      try database.run(
        """
        INSERT INTO lease VALUES(?1, ?2, ?3, ?4, ?5, coalesce((
          SELECT first FROM pool
          WHERE segment = ?1 AND first <= ?2 AND last >= ?2 AND length(first) = length(?2)
          ORDER BY first DESC LIMIT 1), x''), NULL)
        """, values)
    } catch {
      guard error.kind == .refused else { throw error }
      let changed = try database.run(
        """
        UPDATE lease SET owner = ?3, interface = ?4, container = ?5, freed = NULL
        WHERE segment = ?1 AND address = ?2 AND (container IS NULL OR container = ?5)
        """, values)
      guard changed == 0 else { return }
      guard let holder = try holder(segment: segment, address: address) else { throw error }
      throw StateError(.addressTaken(by: holder), "the address \(address) belongs to container \(holder.quoted)")
    }
  }

  /// The container that holds the address now.
  package func holder(segment: String, address: IPAddress) throws(StateError) -> String? {
    try database.first(
      "SELECT container FROM lease WHERE segment = ? AND address = ? AND container IS NOT NULL",
      [.text(segment), .address(address)]
    ) { row throws(StateError) in try row.text(0) }
  }

  /// The free address of this family that this owner had last on this interface.
  package func rememberedAddress(
    segment: String, owner: String, interface: InterfaceName, family: Family
  ) throws(StateError) -> IPAddress? {
    try database.first(
      """
      SELECT address FROM lease
      WHERE container IS NULL AND owner = ? AND segment = ? AND interface = ? AND length(address) = ?
      ORDER BY freed DESC LIMIT 1
      """,
      [.text(owner), .text(segment), .text(interface.description), .integer(Int64(family.byteCount))]
    ) { row throws(StateError) in try row.address(0) }
  }

  /// The leases that a container holds.
  package func leases(of container: String) throws(StateError) -> [Lease] {
    try database.all(
      "SELECT segment, address, owner, interface FROM lease WHERE container = ?", [.text(container)]
    ) { row throws(StateError) in
      Lease(
        segment: try row.text(0), address: try row.address(1), owner: try row.text(2), interface: try row.text(3),
        container: container)
    }
  }

  /// Gives up what one interface of a container holds: its addresses and its links on the host.
  package func releaseInterface(
    _ interface: InterfaceName, links: [InterfaceName], container: String
  ) throws(StateError) {
    try freeLeases(of: container, interface: interface.description)
    for link in links {
      try database.run(
        "DELETE FROM link WHERE name = ? AND container = ?", [.text(link.description), .text(container)])
    }
  }

  /// Frees what a container, or one interface of it, holds: last in the queue of its pool, and the longest free of a long queue is forgotten.
  func freeLeases(of container: String, interface: String? = nil) throws(StateError) {
    let freed = try database.all(
      """
      UPDATE lease SET container = NULL, freed = 1 + coalesce((
        SELECT max(other.freed) FROM lease AS other
        WHERE other.container IS NULL AND other.segment = lease.segment AND other.pool = lease.pool), 0)
      WHERE container = ?1 AND interface = coalesce(?2, interface) RETURNING segment, pool, freed
      """, [.text(container), .optional(interface)]
    ) { row throws(StateError) in
      (segment: try row.text(0), pool: try row.optionalAddress(1), order: try row.integer(2))
    }
    for lease in freed where lease.order > Self.rememberedLeases {
      try database.run(
        "DELETE FROM lease WHERE container IS NULL AND segment = ? AND pool = ? AND freed <= ?",
        [
          .text(lease.segment), .blob(lease.pool?.bytes ?? []),
          .integer(lease.order - Int64(Self.rememberedLeases)),
        ])
    }
  }
}
