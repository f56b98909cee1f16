/// The keys of `external_ids` that say what is ours. Rows without them are never removed and never changed.
package enum Mark: String, Sendable, Hashable, CaseIterable {
  /// On a port: the id of the container that it belongs to.
  case container = "wirehook-container"
  /// On a bridge that we made and on a port: the name of the network.
  case network = "wirehook-network"
  /// On a port: the name of the interface in the container.
  case interface = "wirehook-interface"
  /// On a tunnel's port: the name of the network.
  case tunnel = "wirehook-tunnel"
  /// On a row of QoS, which does not go with its port: the port's name.
  case port = "wirehook-port"
}

extension StringMap {
  package init(_ marks: KeyValuePairs<Mark, String>) {
    self.init()
    for (mark, value) in marks { self[mark] = value }
  }

  package subscript(mark: Mark) -> String? {
    get { self[mark.rawValue] }
    set { self[mark.rawValue] = newValue }
  }
}

extension OVSDBOperation.Condition {
  /// The row carries the mark with this value.
  static func marked(_ mark: Mark, _ value: String) -> Self {
    Self("external_ids", .includes, .map([.init(.string(mark.rawValue), .string(value))]))
  }

  static func named(_ name: String) -> Self { Self("name", .equal, .string(name)) }
}
