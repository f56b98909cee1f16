import WireCore
package import WireNetlink

/// A bridge of the kernel as a frame finds it that goes from one of its ports to another.
package struct BridgeFacts: Sendable, Hashable {
  package var mode = BridgeMode()
  /// By the ports' names; the bridge's own way in is none.
  package var ports: [String: BridgePortState] = [:]
  /// By names too, the bridge's among them; only where it filters VLANs.
  package var vlans: [String: PortVLANs] = [:]
  /// The VLAN of the frame.
  package var vlan: UInt16?
  /// Where the MAC is; nil: it is not known.
  package var entry: Entry?
  /// Whether the kernel can be asked for one entry.
  package var isAsked = true

  package struct Entry: Sendable, Hashable {
    package var port: String
    package var isPermanent: Bool
    package init(behind port: String, isPermanent: Bool) {
      self.port = port
      self.isPermanent = isPermanent
    }
  }

  package init() {}
}
