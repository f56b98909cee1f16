internal import CMnl
package import WireCore

extension Batch {
  /// A VXLAN device without a remote, to learn whether this kernel has them. As `ip link add NAME type vxlan id 1 dstport 4789`.
  package mutating func createVXLANProbe(_ name: InterfaceName) {
    createLink(name, LinkSettings(), kind: "vxlan") { message in
      message.put(IFLA_VXLAN_ID, UInt32(1))
      message.put(IFLA_VXLAN_PORT, UInt16(4789).bigEndian)
    }
  }
}
