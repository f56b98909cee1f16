package import WireCore

/// A port on the host: the wildcard address of a family stands for every address of it.
package struct HostPort: Sendable, Hashable, CustomStringConvertible {
  package let transport: TransportProtocol
  package let address: IPAddress
  package let port: UInt16

  package init(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) {
    self.transport = transport
    self.address = address
    self.port = port
  }

  /// `127.0.0.1:53/udp`, `[::]:80/tcp`.
  package var description: String {
    "\(address.family == .ipv6 ? "[\(address)]" : "\(address)"):\(port)/\(transport.rawValue)"
  }
}

extension Store {
  /// Takes a port for a container. Taking one's own again is fine.
  package func claimPort(_ wanted: HostPort, container: String) throws(StateError) {
    do throws(StateError) {
      try database.run(
        "INSERT INTO port VALUES(?, ?, ?, ?)",
        [
          .integer(Int64(wanted.transport.number)), .integer(Int64(wanted.port)), .address(wanted.address),
          .text(container),
        ])
    } catch {
      guard error.kind == .refused, let holder = try portHolder(wanted) else { throw error }
      guard holder.container != container || holder.port != wanted else { return }
      throw StateError(
        .portTaken(by: holder.container, holder.port),
        "\(wanted) overlaps \(holder.port) of container \(holder.container.quoted)")
    }
  }

  /// Who holds this port, or one that overlaps it, and that port. One's own wildcard overlaps one's own address too.
  package func portHolder(_ wanted: HostPort) throws(StateError) -> (container: String, port: HostPort)? {
    try database.first(
      """
      SELECT container, address FROM port
      WHERE transport = ?1 AND port = ?2 AND length(address) = length(?3)
        AND (address = ?3 OR zeroblob(length(?3)) IN (address, ?3))
      ORDER BY address <> ?3 LIMIT 1
      """,
      [.integer(Int64(wanted.transport.number)), .integer(Int64(wanted.port)), .address(wanted.address)]
    ) { row throws(StateError) in
      (try row.text(0), HostPort(wanted.transport, try row.address(1), wanted.port))
    }
  }

  /// The ports that a container holds.
  package func ports(of container: String) throws(StateError) -> [HostPort] {
    try database.all(
      "SELECT transport, address, port FROM port WHERE container = ? ORDER BY transport, port, address",
      [.text(container)]
    ) { row throws(StateError) in
      guard let transport = TransportProtocol(number: try row.integer(0, as: UInt8.self)) else {
        throw row.unexpected(0, "a transport protocol")
      }
      return HostPort(transport, try row.address(1), try row.integer(2, as: UInt16.self))
    }
  }

  /// Gives up one port of a container (`wirehook unpublish`). False if the container does not hold it.
  @discardableResult
  package func releasePort(_ port: HostPort, container: String) throws(StateError) -> Bool {
    try database.run(
      "DELETE FROM port WHERE transport = ? AND port = ? AND address = ? AND container = ?",
      [.integer(Int64(port.transport.number)), .integer(Int64(port.port)), .address(port.address), .text(container)])
      > 0
  }
}
