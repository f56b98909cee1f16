package import WireCore
internal import WireJSON

/// Open vSwitch's own settings of a network.
package struct OVSSettings: Sendable, Hashable {
  /// Who holds a container to `wirehook.bandwidth`.
  package enum Limits: String, Sendable, CaseIterable {
    /// The kernel's traffic control.
    case tc
    /// Open vSwitch: `ingress_policing_rate` for what the container sends, `linux-htb` for what it receives.
    case ovs
  }

  /// nil: the main file's.
  package var database: DatabaseAddress?
  package var limits = Limits.tc

  package init(database: DatabaseAddress? = nil) { self.database = database }
}

extension OVSSettings {
  package static let keys = ["database", "limits"]

  init(_ reader: JSONReader) throws(WireError) {
    try reader.allowOnly(Self.keys)
    database = try Self.database(reader)
    limits = try reader["limits"]?.parsed("\"tc\" or \"ovs\"", Limits.init(rawValue:)) ?? .tc
  }

  static func database(_ reader: JSONReader) throws(WireError) -> DatabaseAddress? {
    try reader["database"]?.parsed(DatabaseAddress.expectation) { DatabaseAddress($0) }
  }
}
