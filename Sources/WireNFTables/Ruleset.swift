internal import CNftnl
internal import WireCore

/// The chains of `inet wirehook` and their rules: the same on every host, whatever containers there are. What differs is
/// in the sets. docs/firewall.md draws which packet passes where.
enum Ruleset {
  static let chains: [Chain] = [
    guardLoopback, martian, prerouting, output, postrouting, segment, forward, published, restricted, input,
  ]

  private static func filter(_ hook: nf_inet_hooks, _ priority: nf_ip_hook_priorities) -> Chain.Hook {
    Chain.Hook(type: "filter", number: hook.rawValue, priority: priority.rawValue)
  }

  private static func nat(_ hook: nf_inet_hooks, _ priority: nf_ip_hook_priorities) -> Chain.Hook {
    Chain.Hook(type: "nat", number: hook.rawValue, priority: priority.rawValue)
  }

  /// Loopback addresses never come from a wire (RFC 1122 3.2.1.3 (g), RFC 4291 2.5.3). The kernel sees to that itself,
  /// but for links with `route_localnet`, which our bridges have.
  private static let guardLoopback = Chain(
    name: .guardLoopback, hook: filter(NF_INET_PRE_ROUTING, NF_IP_PRI_RAW),
    rules: [
      Rule(.notFromLoopback, .loopback(.ipv4, .destination(.ipv4)), .verdict(.goto(.martian))),
      Rule(.notFromLoopback, .loopback(.ipv4, .source(.ipv4)), .verdict(.goto(.martian))),
      Rule(.notFromLoopback, .loopback(.ipv6, .destination(.ipv6)), .verdict(.goto(.martian))),
      Rule(.notFromLoopback, .loopback(.ipv6, .source(.ipv6)), .verdict(.goto(.martian))),
    ])

  /// br_netfilter shows us what others' bridges carry, and a VRF has its own loopback: neither is for us to judge.
  private static let martian = Chain(
    name: .martian,
    rules: [
      Rule(.isIn(.segments, .iifname), .counter, .verdict(.drop), comment: "loopback address from a container"),
      Rule(.fromKind("bridge"), .verdict(.accept)),
      Rule(.fromKind("vrf"), .verdict(.accept)),
      Rule(.counter, .verdict(.drop), comment: "loopback address from a neighbour"),
    ])

  private static func dnat(_ map4: SetName, _ map6: SetName) -> [Rule] {
    [
      Rule(.dnat(map4, [.destination(.ipv4), .transport, .destinationPort], .ipv4)),
      Rule(.dnat(map6, [.destination(.ipv6), .transport, .destinationPort], .ipv6)),
    ]
  }

  /// Loopback addresses are for the host alone, so the wire's packets to them stay as they are.
  private static let prerouting = Chain(
    name: .prerouting, hook: nat(NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST),
    rules: dnat(.lports4, .lports6) + [
      Rule(
        .toThisHost, .loopback(.ipv4, .destination(.ipv4), isInverted: true),
        .dnat(.ports4, [.transport, .destinationPort], .ipv4)),
      Rule(
        .toThisHost, .loopback(.ipv6, .destination(.ipv6), isInverted: true),
        .dnat(.ports6, [.transport, .destinationPort], .ipv6)),
    ])

  private static let output = Chain(
    name: .output, hook: nat(NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST),
    rules: dnat(.loports4, .loports6) + dnat(.lports4, .lports6) + [
      Rule(.toThisHost, .dnat(.ports4, [.transport, .destinationPort], .ipv4)),
      Rule(.toThisHost, .dnat(.ports6, [.transport, .destinationPort], .ipv6)),
    ])

  private static let postrouting = Chain(
    name: .postrouting, hook: nat(NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC),
    rules: [
      Rule(.isIn(.segments, .oifname), .loopback(.ipv4, .source(.ipv4)), .translated, .masquerade),
      Rule(.isIn(.segments, .oifname), .loopback(.ipv6, .source(.ipv6)), .translated, .masquerade),
      Rule(.translated, .isIn(.noreturn4, .destination(.ipv4)), .masquerade),
      Rule(.translated, .isIn(.noreturn6, .destination(.ipv6)), .masquerade),
      Rule(.isIn(.home4, .oifname, .source(.ipv4)), .verdict(.goto(.segment))),
      Rule(.isIn(.home6, .oifname, .source(.ipv6)), .verdict(.goto(.segment))),
      Rule(.isIn(.bridges, .oifname), .verdict(.accept), comment: "from network to network"),
      Rule(.snat(.snat4, .ipv4)),
      Rule(.snat(.snat6, .ipv6)),
      Rule(.snat(.netsnat4, .ipv4)),
      Rule(.snat(.netsnat6, .ipv6)),
      Rule(.isIn(.masq4, .source(.ipv4)), .masquerade),
      Rule(.isIn(.masq6, .source(.ipv6)), .masquerade),
    ])

  /// A packet that leaves by the segment that it came from: the answer would not pass here, so after DNAT the client
  /// would get it from an address that it never called. Otherwise it is only bridged.
  private static let segment = Chain(
    name: .segment, rules: [Rule(.translated, .masquerade), Rule(.verdict(.accept), comment: "stays in its segment")])

  private static let forward = Chain(
    name: .forward, hook: filter(NF_INET_FORWARD, NF_IP_PRI_FILTER),
    rules: [
      Rule(.established, .verdict(.accept)),
      Rule(
        .isNotIn(.segments, .iifname), .isNotIn(.segments, .oifname), .verdict(.accept), comment: "nothing of ours"),
      Rule(.translated, .verdict(.goto(.published))),
      Rule(.isIn(.intra, .iifname, .oifname), .verdict(.accept)),
      Rule(.isIn(.open, .iifname), .isIn(.open, .oifname), .verdict(.accept)),
      Rule(.isIn(.bridges, .iifname), .isIn(.bridges, .oifname), .counter, .verdict(.drop), comment: "isolated"),
      Rule(.isIn(.internal, .iifname), .counter, .verdict(.drop), comment: "internal: no way out"),
      Rule(.isIn(.internal, .oifname), .counter, .verdict(.drop), comment: "internal: no way in"),
      Rule(.isIn(.exposed, .oifname), .verdict(.accept)),
      Rule(.isIn(.bridges, .iifname), .verdict(.accept)),
      Rule(.isIn(.bridges, .oifname), .counter, .verdict(.drop), comment: "not published"),
    ])

  private static let published = Chain(
    name: .published,
    rules: [
      Rule(
        .hasPorts, .isIn(.restricted4, .destination(.ipv4), .transport, .originalPort),
        .verdict(.goto(.restricted))),
      Rule(
        .hasPorts, .isIn(.restricted6, .destination(.ipv6), .transport, .originalPort),
        .verdict(.goto(.restricted))),
      Rule(.verdict(.accept)),
    ])

  private static let restricted = Chain(
    name: .restricted,
    rules: [
      Rule(
        .hasPorts, .isIn(.allow4, .destination(.ipv4), .transport, .originalPort, .source(.ipv4)), .verdict(.accept)),
      Rule(
        .hasPorts, .isIn(.allow6, .destination(.ipv6), .transport, .originalPort, .source(.ipv6)), .verdict(.accept)),
      Rule(.counter, .verdict(.drop), comment: "source not allowed"),
    ])

  /// What is published never gets here: after DNAT it is forwarded.
  private static let input = Chain(
    name: .input, hook: filter(NF_INET_LOCAL_IN, NF_IP_PRI_FILTER),
    rules: [
      Rule(.isNotIn(.internal, .iifname), .verdict(.accept)),
      Rule(.established, .verdict(.accept)),
      Rule(.neighborDiscovery, .verdict(.accept)),
      Rule(.counter, .verdict(.drop), comment: "internal: not the host"),
    ])
}
