import Testing
import WireCore
import WireLinux

@testable import WireNetlink

/// The bytes of each request, as text. The kernel's opinion of them is in the other tests; VLANs, which not every kernel
/// has, are only here.
@Suite struct GoldenTests {
  @Test func aVeth() throws {
    var host = LinkSettings(mac: MACAddress(0x0242_0000_0001), mtu: 1400, master: 7, isUp: true, alias: "web")
    host.port = BridgePortSettings(hairpin: true)
    let namespace = try NetworkNamespace.current()
    var batch = Batch()
    batch.createVeth(
      try name("whabc"), host, peer: try name("eth0"), LinkSettings(mac: MACAddress(0x0242_0000_0002), mtu: 1400),
      in: namespace)
    let text = try MessageText.of(batch)
    #expect(
      text == """
        RTM_NEWLINK CREATE EXCL  flags 1  change 1
          IFLA_IFNAME  6  "whabc"
          IFLA_ADDRESS  6  02 42 00 00 00 01
          IFLA_MTU  4  1400
          IFLA_MASTER  4  7
          IFLA_LINKINFO  nest
            IFLA_INFO_KIND  5  "veth"
            IFLA_INFO_DATA  nest
              VETH_INFO_PEER  nest
                IFLA_IFNAME  5  "eth0"
                IFLA_ADDRESS  6  02 42 00 00 00 02
                IFLA_MTU  4  1400
                IFLA_NET_NS_FD  4  \(namespace.raw)
        RTM_NEWLINK
          IFLA_IFNAME  6  "whabc"
          IFLA_IFALIAS  4  "web"
          IFLA_LINKINFO  nest
            IFLA_INFO_SLAVE_KIND  7  "bridge"
            IFLA_INFO_SLAVE_DATA  nest
              IFLA_BRPORT_MODE  1  1

        """)
  }

  @Test func aSilentVeth() throws {
    var host = LinkSettings(mac: MACAddress(0x0242_0000_0001), isUp: true)
    host.usesARP = false
    host.makesLinkLocal = false
    let namespace = try NetworkNamespace.current()
    var batch = Batch()
    batch.createVeth(try name("whabc"), host, peer: try name("eth0"), LinkSettings(), in: namespace)
    let text = try MessageText.of(batch)
    // Flags 0x81: IFF_NOARP | IFF_UP.
    #expect(
      text == """
        RTM_NEWLINK CREATE EXCL  flags 129  change 129
          IFLA_IFNAME  6  "whabc"
          IFLA_ADDRESS  6  02 42 00 00 00 01
          IFLA_LINKINFO  nest
            IFLA_INFO_KIND  5  "veth"
            IFLA_INFO_DATA  nest
              VETH_INFO_PEER  nest
                IFLA_IFNAME  5  "eth0"
                IFLA_NET_NS_FD  4  \(namespace.raw)
        RTM_NEWLINK
          IFLA_IFNAME  6  "whabc"
          IFLA_AF_SPEC  nest
            AF_INET6  nest
              IFLA_INET6_ADDR_GEN_MODE  1  1

        """)
  }

  @Test func aBridge() throws {
    var settings = LinkSettings(mac: MACAddress(0x0242_0000_0001), isUp: true)
    settings.ipv4 = [.routeLocalnet: 1]
    settings.makesLinkLocal = false
    var batch = Batch()
    batch.createBridge(try name("wh0"), settings, filtersVLANs: true)
    let text = try MessageText.of(batch)
    #expect(
      text == """
        RTM_NEWLINK CREATE EXCL
          IFLA_IFNAME  4  "wh0"
          IFLA_ADDRESS  6  02 42 00 00 00 01
          IFLA_LINKINFO  nest
            IFLA_INFO_KIND  7  "bridge"
            IFLA_INFO_DATA  nest
              IFLA_BR_FORWARD_DELAY  4  0
              IFLA_BR_MULTI_BOOLOPT  8  01 00 00 00 01 00 00 00
              IFLA_BR_VLAN_FILTERING  1  1
        RTM_NEWLINK
          IFLA_IFNAME  4  "wh0"
          IFLA_AF_SPEC  nest
            AF_INET  nest
              IFLA_INET_CONF  nest
                IPV4_DEVCONF_ROUTE_LOCALNET  4  1
        RTM_NEWLINK
          IFLA_IFNAME  4  "wh0"
          IFLA_AF_SPEC  nest
            AF_INET6  nest
              IFLA_INET6_ADDR_GEN_MODE  1  1
        RTM_NEWLINK  flags 1  change 1
          IFLA_IFNAME  4  "wh0"

        """)
  }

  @Test func thePortsVLAN() throws {
    var batch = Batch()
    batch.setPortVLAN(9, 10)
    let text = try MessageText.of(batch)
    // Flags 2 (PVID) and 4 (untagged), then the VLAN's number.
    #expect(
      text == """
        RTM_DELLINK  family 7  index 9
          IFLA_AF_SPEC  nest
            IFLA_BRIDGE_VLAN_INFO  4  00 00 01 00
        RTM_SETLINK  family 7  index 9
          IFLA_AF_SPEC  nest
            IFLA_BRIDGE_VLAN_INFO  4  06 00 0a 00

        """)
  }

  @Test func addressesAndRoutes() throws {
    var onLink = Route(.ipv4, to: prefix("10.9.8.7/16"), via: address("192.0.2.1"), link: 3)
    onLink.isOnLink = true
    onLink.table = 4242
    onLink.metric = 5
    var batch = Batch()
    batch.addAddress(Address(prefix("10.0.0.1/24"), link: 3))
    batch.addAddress(Address(prefix("fd00::1/64"), link: 3))
    batch.addRoute(Route(.ipv4, to: nil, via: address("10.0.0.254"), link: 3))
    batch.addRoute(Route(.ipv6, to: prefix("fd01::/48"), link: 3))
    batch.addRoute(onLink)
    batch.deleteRoute(onLink)
    batch.addRule(Rule(.ipv4, from: prefix("10.0.0.0/24"), table: 4242, priority: 9))
    let text = try MessageText.of(batch)
    #expect(
      text == """
        RTM_NEWADDR CREATE EXCL  family 2  length 24  index 3
          IFA_LOCAL  4  10.0.0.1
          IFA_ADDRESS  4  10.0.0.1
          IFA_BROADCAST  4  10.0.0.255
        RTM_NEWADDR CREATE EXCL  family 10  length 64  flags 2  index 3
          IFA_LOCAL  16  fd00::1
          IFA_ADDRESS  16  fd00::1
        RTM_NEWROUTE CREATE EXCL  family 2  table 254  protocol 4  type 1
          RTA_GATEWAY  4  10.0.0.254
          RTA_OIF  4  3
        RTM_NEWROUTE CREATE EXCL  family 10  length 48  table 254  protocol 4  type 1
          RTA_DST  16  fd01::
          RTA_OIF  4  3
        RTM_NEWROUTE CREATE EXCL  family 2  length 16  protocol 4  type 1  flags 4
          RTA_DST  4  10.9.0.0
          RTA_GATEWAY  4  192.0.2.1
          RTA_OIF  4  3
          RTA_PRIORITY  4  5
          RTA_TABLE  4  4242
        RTM_DELROUTE  family 2  length 16  scope 255  type 1  flags 4
          RTA_DST  4  10.9.0.0
          RTA_GATEWAY  4  192.0.2.1
          RTA_OIF  4  3
          RTA_PRIORITY  4  5
          RTA_TABLE  4  4242
        RTM_NEWRULE CREATE EXCL  family 2  from 24  action 1
          FRA_PRIORITY  4  9
          FRA_SRC  4  10.0.0.0
          FRA_TABLE  4  4242

        """)
  }

  @Test func aLimitInBothDirections() throws {
    var batch = Batch()
    batch.addTokenBucket(TokenBucket(rate: try #require(Rate("100gbit")), mtu: 1500), on: 3)
    batch.redirectIngress(of: 3, to: 4)
    let text = try MessageText.of(batch)
    #expect(
      text == """
        RTM_NEWQDISC CREATE EXCL  index 3  handle 65536  parent 4294967295
          TCA_KIND  4  "tbf"
          TCA_OPTIONS  nest
            TCA_TBF_PARMS  36  00 01 00 00 00 00 00 00 ff ff ff ff 00 00 00 00 00 00 00 00 00 00 00 00 80 17 b4 2c 00 00 00 00 00 00 00 00
            TCA_TBF_RATE64  8  12500000000
            TCA_TBF_BURST  4  125000000
        RTM_NEWQDISC CREATE EXCL  index 3  handle 4294901760  parent 4294967281
          TCA_KIND  8  "ingress"
        RTM_NEWTFILTER CREATE EXCL  index 3  parent 4294901760  info 66304
          TCA_KIND  4  "u32"
          TCA_OPTIONS  nest
            TCA_U32_SEL  32  01 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
            TCA_U32_ACT  nest
              1  nest
                TCA_ACT_KIND  7  "mirred"
                TCA_ACT_OPTIONS  nest
                  TCA_MIRRED_PARMS  28  00 00 00 00 00 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 04 00 00 00

        """)
  }
}
