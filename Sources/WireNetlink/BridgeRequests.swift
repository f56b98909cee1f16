internal import CMnl
internal import Glibc
package import WireCore

/// Flags of a bridge's port. What is nil is left as it is.
package struct BridgePortSettings: Sendable, Hashable {
  /// A frame may leave by the port that it came in by: a container that calls its own published port.
  package var hairpin: Bool?
  /// Isolated ports of one bridge do not reach each other.
  package var isIsolated: Bool?

  package init(hairpin: Bool? = nil, isIsolated: Bool? = nil) {
    self.hairpin = hairpin
    self.isIsolated = isIsolated
  }
}

extension Batch {
  /// Makes a bridge that forwards at once (no forward delay), and learns no address from frames of link-local protocols
  /// (01:80:c2:00:00:0X), which pass no filter: else one of them makes the bridge send another's frames here. A MAC given here stays, whatever ports come and go.
  /// As `ip link add NAME address MAC type bridge forward_delay 0 no_linklocal_learn 1`; kernels before 5.0 pass it over.
  package mutating func createBridge(_ name: InterfaceName, _ settings: LinkSettings, filtersVLANs: Bool = false) {
    createLink(name, settings, kind: "bridge") { message in
      message.put(IFLA_BR_FORWARD_DELAY, UInt32(0))
      let noLinkLocalLearning = UInt32(1) << BR_BOOLOPT_NO_LL_LEARN.rawValue
      message.put(
        IFLA_BR_MULTI_BOOLOPT, plain: br_boolopt_multi(optval: noLinkLocalLearning, optmask: noLinkLocalLearning))
      if filtersVLANs { message.put(IFLA_BR_VLAN_FILTERING, UInt8(1)) }
    }
  }

  /// Makes a port an untagged member of one VLAN, and of no other. As `bridge vlan add dev LINK vid VLAN pvid untagged`
  /// after `bridge vlan del dev LINK vid 1`, the VLAN that every port is born into.
  package mutating func setPortVLAN(_ link: UInt32, _ vlan: UInt16) {
    if vlan != 1 { vlanRequest(RTM_DELLINK, link, vlan: 1, flags: 0) }
    vlanRequest(RTM_SETLINK, link, vlan: vlan, flags: BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED)
  }

  private mutating func vlanRequest(_ type: Int, _ link: UInt32, vlan: UInt16, flags: Int32) {
    var header = ifinfomsg(.index(link), isUp: nil)
    header.ifi_family = UInt8(AF_BRIDGE)
    append(type, header) { message in
      message.nest(IFLA_AF_SPEC) { message in
        let info = bridge_vlan_info(flags: UInt16(truncatingIfNeeded: flags), vid: vlan)
        message.put(IFLA_BRIDGE_VLAN_INFO, plain: info)
      }
    }
  }
}

extension MessageBuilder {
  /// As `ip link set dev LINK type bridge_slave …`: unlike `bridge link set` it takes a name as well as an index.
  mutating func put(_ port: BridgePortSettings) {
    nest(IFLA_LINKINFO) { message in
      message.put(IFLA_INFO_SLAVE_KIND, "bridge")
      message.nest(IFLA_INFO_SLAVE_DATA) { message in
        if let hairpin = port.hairpin { message.put(IFLA_BRPORT_MODE, UInt8(hairpin ? 1 : 0)) }
        if let isIsolated = port.isIsolated { message.put(IFLA_BRPORT_ISOLATED, UInt8(isIsolated ? 1 : 0)) }
      }
    }
  }
}
