package import WireCore

/// The row of table Open_vSwitch.
package struct SwitchRow: Sendable, Hashable {
  /// The datapaths that ovs-vswitchd offers, as it writes when it starts: `netdev`, `system`; none: it has never run.
  package let datapathTypes: [String]
  package let nextConfiguration: Int64
  package let currentConfiguration: Int64
  /// As OVS's start script writes it; nil: it was started in another way.
  package let version: String?

  static let columns = ["datapath_types", "next_cfg", "cur_cfg", "ovs_version"]

  init(_ row: Row) throws(OVSDBError) {
    datapathTypes = try row.strings("datapath_types")
    nextConfiguration = try row.integer("next_cfg")
    currentConfiguration = try row.integer("cur_cfg")
    version = try row.strings("ovs_version").first
  }
}

/// A bridge without its ports, which may be a thousand: an attach does not want to hear of them.
package struct BridgeRow: Sendable, Hashable {
  package let uuid: OVSUUID
  package let name: String
  /// Empty: `system`.
  package let datapathType: String
  package let failMode: String?
  package let externalIDs: StringMap
  package let otherConfig: StringMap

  /// The network that we made it for; nil: it is not ours.
  package var network: String? { externalIDs[.network] }

  static let columns = ["_uuid", "name", "datapath_type", "fail_mode", "external_ids", "other_config"]

  init(_ row: Row) throws(OVSDBError) {
    uuid = try row.uuid()
    name = try row.string("name")
    datapathType = try row.string("datapath_type")
    failMode = try row.strings("fail_mode").first
    externalIDs = try row.map("external_ids")
    otherConfig = try row.map("other_config")
  }
}

package struct PortRow: Sendable, Hashable {
  package let uuid: OVSUUID
  package let name: String
  package let interfaces: [OVSUUID]
  package let tag: Int64?
  /// `access`, `trunk`, `native-tagged`, …; nil: as tag and trunks suggest.
  package let vlanMode: String?
  package let trunks: [Int64]
  package let isProtected: Bool
  package let externalIDs: StringMap
  package let otherConfig: StringMap
  package let qos: OVSUUID?

  static let columns = [
    "_uuid", "name", "interfaces", "tag", "vlan_mode", "trunks", "protected", "external_ids", "other_config", "qos",
  ]

  init(_ row: Row) throws(OVSDBError) {
    uuid = try row.uuid()
    name = try row.string("name")
    interfaces = try row.uuids("interfaces")
    tag = try row.integers("tag").first
    vlanMode = try row.strings("vlan_mode").first
    trunks = try row.integers("trunks")
    isProtected = try row.bool("protected")
    externalIDs = try row.map("external_ids")
    otherConfig = try row.map("other_config")
    qos = try row.uuids("qos").first
  }

  /// The VLANs as a network's file would say it; nil: every VLAN, or a form that such a file does not have.
  package var vlan: VLANMembership? {
    switch (vlanMode, tag) {
    case ("access", let tag?), (nil, let tag?): VLANMembership("\(tag)")
    case ("trunk", _), (nil, nil):
      trunks.isEmpty ? nil : VLANMembership("trunk:" + trunks.map { "\($0)" }.joined(separator: ","))
    default: nil
    }
  }
}

package struct InterfaceRow: Sendable, Hashable {
  package let uuid: OVSUUID
  package let name: String
  /// Empty: a link of the system.
  package let type: String
  package let options: StringMap
  /// The OpenFlow port; -1: it could not be set up; nil: ovs-vswitchd has not come to it yet.
  package let ofport: Int64?
  /// Why it could not be set up, in OVS's own words.
  package let error: String?
  package let linkState: String?
  package let mac: MACAddress?
  package let mtuRequest: Int64?
  /// In kbit/s; 0: none.
  package let policingRate: Int64
  package let externalIDs: StringMap

  static let columns = [
    "_uuid", "name", "type", "options", "ofport", "error", "link_state", "mac_in_use", "mtu_request",
    "ingress_policing_rate", "external_ids",
  ]

  init(_ row: Row) throws(OVSDBError) {
    uuid = try row.uuid()
    name = try row.string("name")
    type = try row.string("type")
    options = try row.map("options")
    ofport = try row.integers("ofport").first
    error = try row.strings("error").first.flatMap { $0.isEmpty ? nil : $0 }
    linkState = try row.strings("link_state").first
    mac = try row.strings("mac_in_use").first.flatMap { MACAddress($0) }
    mtuRequest = try row.integers("mtu_request").first
    policingRate = try row.integer("ingress_policing_rate")
    externalIDs = try row.map("external_ids")
  }
}

/// A port with what it hangs on and what hangs on it.
package struct AttachedPort: Sendable, Hashable {
  package let bridge: String
  package let port: PortRow
  /// One, except in a bond.
  package let interfaces: [InterfaceRow]

  static func join(
    bridgeOfPort: [OVSUUID: String], ports: [PortRow], interfaces: [InterfaceRow]
  ) -> [AttachedPort] {
    var interfaceByUUID: [OVSUUID: InterfaceRow] = [:]
    for interface in interfaces { interfaceByUUID[interface.uuid] = interface }
    let attached = ports.compactMap { port in
      bridgeOfPort[port.uuid].map { bridge in
        AttachedPort(bridge: bridge, port: port, interfaces: port.interfaces.compactMap { interfaceByUUID[$0] })
      }
    }
    return attached.sorted { $0.bridge == $1.bridge ? $0.port.name < $1.port.name : $0.bridge < $1.bridge }
  }
}
