import Glibc
import Testing
import WireCore
import WireLinux
import WireNFTables

/// Other people's rules, read from the kernel as far as they decide which packets pass.
@Suite(.enabled(if: Machine.hasRoot && Machine.has("nft"), "needs root and nft"))
struct FilterTests {
  /// A rule as nft writes it, and what is read of it.
  private static let rules: [(text: String, conditions: [FilterCondition], outcome: FilterOutcome)] = [
    ("accept", [], .accept),
    ("counter log drop", [], .drop),
    ("ct state established,related accept", [.equals(.state(mask: 6), bytes(0), isInverted: true)], .accept),
    ("ct status dnat return", [.equals(.status(mask: 32), bytes(0), isInverted: true)], .returns),
    ("iifname \"wh*\" jump other", [.equals(.iifname, Array("wh".utf8), isInverted: false)], .jump("other")),
    ("oifname != \"eth0\" goto other", [.equals(.oifname, name("eth0"), isInverted: true)], .goto("other")),
    ("iif lo accept", [.equals(.iif, bytes(1), isInverted: false)], .accept),
    (
      "tcp dport 22 accept",
      [.equals(.transport, [6], isInverted: false), .equals(.destinationPort, [0, 22], isInverted: false)], .accept
    ),
    (
      "udp dport 80-90 drop",
      [
        .equals(.transport, [17], isInverted: false), .isWithin(.destinationPort, 80...65_535, isInverted: false),
        .isWithin(.destinationPort, 0...90, isInverted: false),
      ], .drop
    ),
    (
      "meta l4proto tcp th dport != 80-90 drop",
      [
        .equals(.transport, [6], isInverted: false), .isWithin(.destinationPort, 80...90, isInverted: true),
      ], .drop
    ),
    ("meta mark 7 drop", [.narrows], .drop),
    ("meta nfproto ipv6 reject", [.equals(.networkProtocol, [10], isInverted: false)], .reject),
    ("fib saddr . iif oif missing drop", [.narrows], .drop),
    ("meta protocol ip6 accept", [.equals(.etherType, [0x86, 0xdd], isInverted: false)], .accept),
    ("limit rate 5/second accept", [.narrows], .accept),
    ("meta mark set 7 accept", [], .accept),
    ("meta mark set ct mark counter", [], .goesOn),
  ]

  private static func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }
  private static func name(_ text: String) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: 16 - text.utf8.count)
  }

  @Test func eachRuleIsReadAsItWasWritten() throws {
    let text = Self.rules.map { "add rule inet t c \($0.text)\n" }.joined()
    try NetworkNamespace.withFresh {
      try shell(
        """
        nft -f - <<'END'
        add table inet t
        add chain inet t other
        add chain inet t c { type filter hook forward priority -5; policy drop; }
        \(text)END
        """)
      let tables = try FirewallSocket().filters(at: [.forward], deadline: Deadline.soon.moment)
      let table = try #require(tables.first)
      #expect(tables.count == 1 && table.kind == .inet && table.name == "t")
      let chain = try #require(table.chain("c"))
      #expect(chain.hook == .forward && chain.priority == -5 && chain.drops)
      #expect(table.chain("other")?.hook == nil)
      try #require(chain.rules.count == Self.rules.count)
      for (read, written) in zip(chain.rules, Self.rules) {
        #expect(read.conditions == written.conditions, "\(written.text)")
        #expect(read.outcome == written.outcome, "\(written.text)")
        #expect(read.handle ?? 0 > 0)
      }
      #expect(try FirewallSocket().filters(at: [.input], deadline: Deadline.soon.moment).isEmpty)
    }
  }

  @Test func setsAndVerdictMapsAreReadWithTheirRules() throws {
    try NetworkNamespace.withFresh {
      try shell(
        """
        nft -f - <<'END'
        add table ip t
        add set ip t lans { type ifname; elements = { "lan0", "lan1" }; }
        add set ip t nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 }; }
        add chain ip t lan
        add chain ip t c { type filter hook forward priority 0; }
        add rule ip t c iifname @lans accept
        add rule ip t c ip saddr @nets accept
        add rule ip t c ct state vmap { established : accept, invalid : drop }
        add rule ip t c oifname vmap { "lan0" : jump lan }
        add rule ip t c iifname . oifname { "a" . "b" } drop
        END
        """)
      let table = try #require(try FirewallSocket().filters(at: [.forward], deadline: Deadline.soon.moment).first)
      #expect(Set(table.sets["lans"]?.elements.map(\.key) ?? []) == [Self.name("lan0"), Self.name("lan1")])
      #expect(table.sets["nets"] == nil, "what we do not compare is not fetched")
      let rules = try #require(table.chain("c")).rules
      #expect(rules[0].conditions == [.isIn(.iifname, set: "lans", isInverted: false)])
      #expect(rules[1].conditions == [.narrows])
      guard case .lookedUp(.state, let states) = rules[2].outcome,
        case .lookedUp(.oifname, let links) = rules[3].outcome
      else {
        Issue.record("\(rules)")
        return
      }
      #expect(Set(table.sets[states]?.elements.compactMap(\.outcome) ?? []) == [.accept, .drop])
      let link = try #require(table.sets[links]?.elements.first)
      #expect(link.key == Self.name("lan0") && link.outcome == .jump("lan"))
    }
  }

  @Test(.enabled(if: Machine.has("iptables-legacy"), "needs iptables-legacy"), arguments: ["iptables", "ip6tables"])
  func tablesOfIPTablesLegacyAreReadAlike(_ tool: String) throws {
    try NetworkNamespace.withFresh {
      #expect(try LegacyFilters.read().isEmpty)
      #expect(try shell("cat /proc/thread-self/net/ip_tables_names 2>/dev/null || true") == "", "none is made")
      for line in [
        "-N own", "-A own -p tcp -m tcp --dport 80:90 -j REJECT", "-A own ! -i eth0 -m comment --comment x",
        "-P FORWARD DROP", "-A FORWARD -i lan+ -o eth0 -j ACCEPT", "-A FORWARD -p udp -g own", "-A FORWARD -j own",
        "-A FORWARD -m conntrack ! --ctstate NEW,DNAT -j RETURN", "-A FORWARD -m mark --mark 7 -j LOG",
      ] { try shell("\(tool)-legacy \(line)") }
      let table = try #require(try LegacyFilters.read().first)
      #expect(table.kind == .legacy(tool == "iptables" ? .ipv4 : .ipv6) && table.name == "filter")
      let forward = try #require(table.chain("FORWARD"))
      #expect(forward.hook == .forward && forward.drops)
      #expect(table.chain("INPUT")?.drops == false)
      #expect(
        forward.rules.map(\.outcome) == [.accept, .goto("own"), .jump("own"), .returns, .goesOn])
      #expect(
        forward.rules.map(\.conditions) == [
          [
            .equals(.iifname, Array("lan".utf8), isInverted: false),
            .equals(.oifname, Array("eth0".utf8) + [0], isInverted: false),
          ], [.equals(.transport, [17], isInverted: false)], [], [.states(8 | 128, isInverted: true)], [.narrows],
        ])
      let own = try #require(table.chain("own"))
      #expect(own.hook == nil && own.rules.map(\.outcome) == [.reject, .goesOn])
      #expect(
        own.rules[0].conditions == [
          .equals(.transport, [6], isInverted: false), .isWithin(.destinationPort, 80...90, isInverted: false),
        ])
      // A name is compared without its NUL where legacy has none.
      #expect(own.rules[1].conditions == [.equals(.iifname, Array("eth0".utf8) + [0], isInverted: true)])
    }
  }
}
