package import WireCore
import WireOVSDB

/// A port of an Open vSwitch bridge, and how that switch is spoken to from a shell.
package struct SwitchPortFacts: Sendable, Hashable {
  package var bridge: String
  package var vlan: VLANMembership?
  package var database: DatabaseAddress
  /// Its number in OpenFlow; nil where it was not set up.
  package var number: Int64?
  /// Why it was not, in OVS's own words.
  package var error: String?
  /// The daemon's control socket, where ovs-appctl(8) would not look for it.
  package var control: String?

  package init(bridge: String, vlan: VLANMembership?, in database: DatabaseAddress = .standard) {
    self.bridge = bridge
    self.vlan = vlan
    self.database = database
  }

  private var folder: String { SwitchDaemon.folder(of: database) }
  var isStandard: Bool { ["/run/openvswitch", SwitchDaemon.standardFolder].contains(folder) }

  package func vsctl(_ words: String) -> String {
    "ovs-vsctl \(isStandard ? "" : "--db=\(database) ")\(words)"
  }

  /// `words` stands behind the bridge.
  package func ofctl(_ command: String, on bridge: String, _ words: String) -> String {
    "ovs-ofctl \(command) \(isStandard ? bridge : "unix:\(folder)/\(bridge).mgmt") \(words)"
  }

  package func appctl(_ words: String) -> String {
    "ovs-appctl \(control.map { "-t \($0) " } ?? "")\(words)"
  }
}
