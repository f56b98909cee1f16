/// What a frame carries (`ETH_P_…` of <linux/if_ether.h>).
package enum EtherType: UInt16, Sendable {
  case ipv4 = 0x0800
  case arp = 0x0806
  case vlan = 0x8100
  case ipv6 = 0x86dd
  case serviceVLAN = 0x88a8
}
