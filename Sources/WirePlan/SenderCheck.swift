package import WireCore

/// From which addresses a container may send by one of its interfaces.
package struct SenderCheck: Sendable, Hashable {
  package var hostLink: InterfaceName
  package var mac: MACAddress
  package var addresses: [IPAddress]
  /// The families in which the container chooses its addresses itself.
  package var free: [Family]

  init(_ interface: AttachedInterface) {
    hostLink = interface.hostLink
    mac = interface.mac
    addresses = interface.addresses.map { $0.address }
    free = interface.addresses.isEmpty ? Family.allCases : interface.slaac ? [.ipv6] : []
    guard interface.speaksIPv6, free.isEmpty else { return }
    addresses.append(Self.linkLocal(mac))
  }

  /// The address that the kernel gives a link by itself: fe80::/64 and the modified EUI-64 of the MAC address (RFC 4291
  /// appendix A).
  private static func linkLocal(_ mac: MACAddress) -> IPAddress {
    let number = mac.bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    let identifier = (number >> 24) << 40 | 0xff_fe00_0000 | number & 0xff_ffff
    return IPAddress(.ipv6, 0xfe80 << 112 | identifier ^ 0x0200_0000_0000_0000)
  }
}

/// The same for a port of Open vSwitch, which looks at what it sends by itself.
package struct SwitchSenderCheck: Sendable, Hashable {
  package var database: DatabaseAddress
  package var bridge: InterfaceName
  package var check: SenderCheck
}

extension AttachedInterface {
  /// nil: whatever it sends is let through, or the bridge is of Linux.
  package var switchSenderCheck: SwitchSenderCheck? {
    guard antispoof, let switchPort else { return nil }
    return SwitchSenderCheck(database: switchPort.database, bridge: bridge, check: SenderCheck(self))
  }
}
