package import WireCore

extension Store {
  /// How many chosen ports are remembered; beyond, those not used for longest are forgotten.
  package static let rememberedPorts: Int64 = 4096

  /// The host port that was chosen for this owner's container port when it last ran.
  package func rememberedPort(
    owner: String, transport: TransportProtocol, address: IPAddress, containerPort: UInt16
  ) throws(StateError) -> UInt16? {
    try database.first(
      "SELECT host_port FROM chosen_port WHERE owner = ? AND transport = ? AND address = ? AND container_port = ?",
      [.text(owner), .integer(Int64(transport.number)), .address(address), .integer(Int64(containerPort))]
    ) { row throws(StateError) in try row.integer(0, as: UInt16.self) }
  }

  /// Remembers a chosen host port for the owner's next start.
  package func rememberPort(
    owner: String, transport: TransportProtocol, address: IPAddress, containerPort: UInt16, hostPort: UInt16
  ) throws(StateError) {
    let used = try database.all(
      """
      INSERT INTO chosen_port VALUES(?, ?, ?, ?, ?, 1 + coalesce((SELECT max(used) FROM chosen_port), 0))
      ON CONFLICT(owner, transport, address, container_port) DO UPDATE SET host_port = excluded.host_port,
        used = excluded.used
      RETURNING used
      """,
      [
        .text(owner), .integer(Int64(transport.number)), .address(address), .integer(Int64(containerPort)),
        .integer(Int64(hostPort)),
      ]
    ) { row throws(StateError) in try row.integer(0) }
    guard let used = used.first, used > Self.rememberedPorts else { return }
    try database.run("DELETE FROM chosen_port WHERE used <= ?", [.integer(used - Self.rememberedPorts)])
  }
}
