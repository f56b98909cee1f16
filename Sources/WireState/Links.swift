package import WireCore

extension Store {
  /// Takes the name of a link on the host (host ends, `ifb` helpers) for a container. Taking one's own again is fine.
  package func claimLink(_ name: InterfaceName, container: String) throws(StateError) {
    do throws(StateError) {
      try database.run("INSERT INTO link VALUES(?, ?)", [.text(name.description), .text(container)])
    } catch {
      guard error.kind == .refused, let holder = try owner(ofLink: name) else { throw error }
      guard holder != container else { return }
      throw StateError(.linkTaken(by: holder), "the link name \(name) belongs to container \(holder.quoted)")
    }
  }

  /// The container that the link belongs to.
  package func owner(ofLink name: InterfaceName) throws(StateError) -> String? {
    try database.first("SELECT container FROM link WHERE name = ?", [.text(name.description)]) {
      row throws(StateError) in try row.text(0)
    }
  }

  /// The names of a container's links.
  package func links(of container: String) throws(StateError) -> [InterfaceName] {
    try database.all("SELECT name FROM link WHERE container = ? ORDER BY name", [.text(container)]) {
      row throws(StateError) in
      guard let name = InterfaceName(try row.text(0)) else { throw row.unexpected(0, "a link name") }
      return name
    }
  }
}
