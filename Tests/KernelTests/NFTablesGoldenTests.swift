import Testing
import WireCore

@testable import WireNFTables

@Suite struct NFTablesGolden {
  private func builtHost() throws -> LabNamespace {
    let host = LabNamespace()
    try host.firewall { firewall throws(NFTablesError) in
      try firewall.build(elements: NFTablesElements.samples, deadline: soon)
    }
    return host
  }

  @Test func theTableIsPrintedAsDocumented() throws {
    let listing = try builtHost().sh("nft list table inet wirehook").replacing("\t", with: "  ")
    #expect(listing == golden)
  }

  /// Distributions save the ruleset with `nft list ruleset` and load that text at boot: ours must not break it.
  @Test func aSavedRulesetCanBeLoaded() throws {
    try builtHost().sh(
      """
      saved=$(nft -s list ruleset); nft flush ruleset; echo "$saved" | nft -f -
      test "$saved" = "$(nft -s list ruleset)"
      """)
  }
}

/// With one element in every set.
private let golden = """
  table inet wirehook {
    comment "wirehook ruleset 1"
    map ports4 {
      type inet_proto . inet_service : ipv4_addr . inet_service
      comment "published on every address of the host"
      elements = { tcp . 8080 : 10.210.4.2 . 80 }
    }

    map ports6 {
      type inet_proto . inet_service : ipv6_addr . inet_service
      comment "published on every address of the host"
      elements = { tcp . 8080 : fd42:210:4::2 . 80 }
    }

    map lports4 {
      type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
      comment "published on one address of the host"
      elements = { 192.168.1.9 . udp . 53 : 10.210.4.2 . 53 }
    }

    map lports6 {
      type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
      comment "published on one address of the host"
      elements = { 2001:db8::9 . udp . 53 : fd42:210:4::2 . 53 }
    }

    map loports4 {
      type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
      comment "published on 127.0.0.0/8, for the host itself"
      elements = { 127.0.0.1 . tcp . 8081 : 10.210.4.2 . 80 }
    }

    map loports6 {
      type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
      comment "published on ::1, for the host itself"
      elements = { ::1 . tcp . 8081 : fd42:210:4::2 . 80 }
    }

    set segments {
      type ifname
      comment "bridges that carry our containers"
      elements = { "wh-front" }
    }

    set bridges {
      type ifname
      comment "our bridges: those that we filter"
      elements = { "wh-front" }
    }

    set home4 {
      type ifname . ipv4_addr
      flags interval
      comment "bridges and the subnets on them"
      elements = { "wh-front" . 10.210.4.0/22 }
    }

    set home6 {
      type ifname . ipv6_addr
      flags interval
      comment "bridges and the subnets on them"
      elements = { "wh-front" . fd42:210:4::/64 }
    }

    set masq4 {
      type ipv4_addr
      flags interval
      comment "subnets masqueraded towards outside"
      elements = { 10.210.4.0/22 }
    }

    set masq6 {
      type ipv6_addr
      flags interval
      comment "subnets masqueraded towards outside"
      elements = { fd42:210:4::/64 }
    }

    map snat4 {
      type ipv4_addr : ipv4_addr
      comment "containers and the address they leave with"
      elements = { 10.210.4.2 : 203.0.113.5 }
    }

    map snat6 {
      type ipv6_addr : ipv6_addr
      comment "containers and the address they leave with"
      elements = { fd42:210:4::2 : 2001:db8::5 }
    }

    map netsnat4 {
      type ipv4_addr : ipv4_addr
      flags interval
      comment "subnets and the address they leave with"
      elements = { 10.210.8.0/24 : 203.0.113.6 }
    }

    map netsnat6 {
      type ipv6_addr : ipv6_addr
      flags interval
      comment "subnets and the address they leave with"
      elements = { fd42:8::/64 : 2001:db8::6 }
    }

    set noreturn4 {
      type ipv4_addr
      comment "containers without a way back through this host"
      elements = { 10.210.4.3 }
    }

    set noreturn6 {
      type ipv6_addr
      comment "containers without a way back through this host"
      elements = { fd42:210:4::3 }
    }

    set internal {
      type ifname
      comment "bridges without a way out"
      elements = { "wh-in" }
    }

    set exposed {
      type ifname
      comment "bridges on which everything is reachable"
      elements = { "wh-all" }
    }

    set open {
      type ifname
      comment "bridges that reach each other"
      elements = { "wh-open" }
    }

    set intra {
      type ifname . ifname
      comment "bridges whose containers reach each other"
      elements = { "wh-front" . "wh-front" }
    }

    set restricted4 {
      type ipv4_addr . inet_proto . inet_service
      comment "published ports that only some may call"
      elements = { 10.210.4.2 . tcp . 8080 }
    }

    set restricted6 {
      type ipv6_addr . inet_proto . inet_service
      comment "published ports that only some may call"
      elements = { fd42:210:4::2 . sctp . 8080 }
    }

    set allow4 {
      type ipv4_addr . inet_proto . inet_service . ipv4_addr
      flags interval
      comment "who may call restricted ports"
      elements = { 10.210.4.2 . tcp . 8080 . 192.168.0.0/16 }
    }

    set allow6 {
      type ipv6_addr . inet_proto . inet_service . ipv6_addr
      flags interval
      comment "who may call restricted ports"
      elements = { fd42:210:4::2 . sctp . 8080 . fd00::/8 }
    }

    chain guard {
      type filter hook prerouting priority raw; policy accept;
      iif != "lo" ip daddr 127.0.0.0/8 goto martian
      iif != "lo" ip saddr 127.0.0.0/8 goto martian
      iif != "lo" ip6 daddr ::1 goto martian
      iif != "lo" ip6 saddr ::1 goto martian
    }

    chain martian {
      iifname @segments counter packets 0 bytes 0 drop comment "loopback address from a container"
      meta iifkind "bridge" accept
      meta iifkind "vrf" accept
      counter packets 0 bytes 0 drop comment "loopback address from a neighbour"
    }

    chain pre {
      type nat hook prerouting priority dstnat; policy accept;
      dnat ip to ip daddr . meta l4proto . th dport map @lports4
      dnat ip6 to ip6 daddr . meta l4proto . th dport map @lports6
      fib daddr type local ip daddr != 127.0.0.0/8 dnat ip to meta l4proto . th dport map @ports4
      fib daddr type local ip6 daddr != ::1 dnat ip6 to meta l4proto . th dport map @ports6
    }

    chain out {
      type nat hook output priority -100; policy accept;
      dnat ip to ip daddr . meta l4proto . th dport map @loports4
      dnat ip6 to ip6 daddr . meta l4proto . th dport map @loports6
      dnat ip to ip daddr . meta l4proto . th dport map @lports4
      dnat ip6 to ip6 daddr . meta l4proto . th dport map @lports6
      fib daddr type local dnat ip to meta l4proto . th dport map @ports4
      fib daddr type local dnat ip6 to meta l4proto . th dport map @ports6
    }

    chain post {
      type nat hook postrouting priority srcnat; policy accept;
      oifname @segments ip saddr 127.0.0.0/8 ct status dnat masquerade
      oifname @segments ip6 saddr ::1 ct status dnat masquerade
      ct status dnat ip daddr @noreturn4 masquerade
      ct status dnat ip6 daddr @noreturn6 masquerade
      oifname . ip saddr @home4 goto segment
      oifname . ip6 saddr @home6 goto segment
      oifname @bridges accept comment "from network to network"
      snat ip to ip saddr map @snat4
      snat ip6 to ip6 saddr map @snat6
      snat ip to ip saddr map @netsnat4
      snat ip6 to ip6 saddr map @netsnat6
      ip saddr @masq4 masquerade
      ip6 saddr @masq6 masquerade
    }

    chain segment {
      ct status dnat masquerade
      accept comment "stays in its segment"
    }

    chain forward {
      type filter hook forward priority filter; policy accept;
      ct state established,related accept
      iifname != @segments oifname != @segments accept comment "nothing of ours"
      ct status dnat goto published
      iifname . oifname @intra accept
      iifname @open oifname @open accept
      iifname @bridges oifname @bridges counter packets 0 bytes 0 drop comment "isolated"
      iifname @internal counter packets 0 bytes 0 drop comment "internal: no way out"
      oifname @internal counter packets 0 bytes 0 drop comment "internal: no way in"
      oifname @exposed accept
      iifname @bridges accept
      oifname @bridges counter packets 0 bytes 0 drop comment "not published"
    }

    chain published {
      meta l4proto { tcp, udp, sctp } ip daddr . meta l4proto . ct original proto-dst @restricted4 goto restricted
      meta l4proto { tcp, udp, sctp } ip6 daddr . meta l4proto . ct original proto-dst @restricted6 goto restricted
      accept
    }

    chain restricted {
      meta l4proto { tcp, udp, sctp } ip daddr . meta l4proto . ct original proto-dst . ip saddr @allow4 accept
      meta l4proto { tcp, udp, sctp } ip6 daddr . meta l4proto . ct original proto-dst . ip6 saddr @allow6 accept
      counter packets 0 bytes 0 drop comment "source not allowed"
    }

    chain input {
      type filter hook input priority filter; policy accept;
      iifname != @internal accept
      ct state established,related accept
      icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept
      counter packets 0 bytes 0 drop comment "internal: not the host"
    }
  }

  """
