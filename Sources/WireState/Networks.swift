import WireCore

/// A network whose shared parts (bridge, gateway address, base chains) were set up once in this boot.
package struct NetworkMarker: Sendable, Hashable {
  package let name: String
  /// Changes with the configuration that was applied.
  package let fingerprint: String
  /// The kernel's index of the bridge, which a bridge that was deleted and made again does not have.
  package let bridgeIndex: Int32

  package init(name: String, fingerprint: String, bridgeIndex: Int32) {
    self.name = name
    self.fingerprint = fingerprint
    self.bridgeIndex = bridgeIndex
  }
}

extension Store {
  package func marker(ofNetwork name: String) throws(StateError) -> NetworkMarker? {
    try database.first("SELECT * FROM network WHERE name = ?", [.text(name)], Self.marker)
  }

  package func setMarker(_ marker: NetworkMarker) throws(StateError) {
    try database.run(
      "INSERT OR REPLACE INTO network VALUES(?, ?, ?)",
      [.text(marker.name), .text(marker.fingerprint), .integer(Int64(marker.bridgeIndex))])
  }

  /// False if there is none.
  @discardableResult
  package func removeMarker(ofNetwork name: String) throws(StateError) -> Bool {
    try database.run("DELETE FROM network WHERE name = ?", [.text(name)]) > 0
  }

  package func markers() throws(StateError) -> [NetworkMarker] {
    try database.all("SELECT * FROM network ORDER BY name", [], Self.marker)
  }

  private static func marker(_ row: Row) throws(StateError) -> NetworkMarker {
    NetworkMarker(
      name: try row.text(0), fingerprint: try row.text(1), bridgeIndex: try row.integer(2, as: Int32.self))
  }
}
