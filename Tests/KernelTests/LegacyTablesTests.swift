import Testing
import WireCore
import WireLinux
import WireNFTables

/// DOCKER-USER in the tables of iptables-legacy, written without iptables and read by it.
@Suite(.enabled(if: Machine.hasRoot && Machine.has("iptables-legacy"), "needs root and iptables-legacy"))
struct LegacyTablesTests {
  /// What Docker writes, and chains of others before and behind it, with counters.
  private static let rules = """
    *filter
    :INPUT ACCEPT [1:60]
    :FORWARD DROP [7:420]
    :OUTPUT ACCEPT [0:0]
    :AAA - [0:0]
    :DOCKER - [0:0]
    :DOCKER-USER - [0:0]
    :ZZZ - [0:0]
    [5:300] -A INPUT -p tcp -m tcp --dport 22 -j ZZZ
    [9:540] -A FORWARD -j DOCKER-USER
    [3:180] -A FORWARD -o docker0 -j DOCKER
    [2:120] -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
    [0:0] -A AAA -p udp -g DOCKER
    [4:240] -A DOCKER-USER -s 192.0.2.7/32 -j DROP
    [6:360] -A DOCKER-USER -j RETURN
    [8:480] -A ZZZ -s 192.0.2.0/24 -j AAA
    [1:60] -A ZZZ -m comment --comment last
    COMMIT

    """
  private static let own = """
    [0:0] -A DOCKER-USER -i wh-front -m comment --comment wirehook -j ACCEPT
    [0:0] -A DOCKER-USER -o wh-front -m comment --comment wirehook -j ACCEPT

    """

  /// `iptables-legacy-save -c` without its comments.
  private static func saved(_ tool: String) throws -> String { try shell("\(tool)-save -c -t filter | grep -v '^#'") }

  @Test(arguments: ["iptables-legacy", "ip6tables-legacy"])
  func bothWaysAreAcceptedOnceAndAllElseStaysAsItWas(tool: String) throws {
    let rules =
      tool.hasPrefix("ip6")
      ? Self.rules.replacing("192.0.2.7/32", with: "fd00::7/128")
        .replacing("192.0.2.0/24", with: "fd00::/64") : Self.rules
    try NetworkNamespace.withFresh {
      try shell("\(tool)-restore -c <<'END'\n\(rules)END\n")
      let before = try Self.saved(tool)
      #expect(before == rules)
      let front = try name("wh-front")
      #expect(try !LegacyDockerUser.accepts(front, until: .soon))
      for _ in 0..<2 { try LegacyDockerUser.admit(front, until: .soon) }
      #expect(try LegacyDockerUser.accepts(front, until: .soon))
      let end = "[6:360] -A DOCKER-USER -j RETURN\n"
      #expect(try Self.saved(tool) == before.replacing(end, with: Self.own + end))
      // iptables itself takes them for its own.
      try shell("\(tool) -C DOCKER-USER -o wh-front -m comment --comment wirehook -j ACCEPT")
      try LegacyDockerUser.admit(try name("wh-back"), until: .soon)
      for _ in 0..<2 { try LegacyDockerUser.remove(front, until: .soon) }
      #expect(try !LegacyDockerUser.accepts(front, until: .soon))
      #expect(try LegacyDockerUser.accepts(try name("wh-back"), until: .soon))
      try LegacyDockerUser.remove(try name("wh-back"), until: .soon)
      #expect(try Self.saved(tool) == before)
    }
  }

  /// For a container on Docker's own bridge: only what was translated, and only to it. iptables reads it as it was meant.
  @Test(arguments: [("iptables-legacy", "10.210.4.2"), ("ip6tables-legacy", "fd00::2")])
  func whatIsPublishedToOneAddressIsAcceptedAndAllElseStaysAsItWas(tool: String, address: String) throws {
    let target = try #require(IPAddress(address))
    try NetworkNamespace.withFresh {
      try shell("\(tool) -P FORWARD DROP; \(tool) -N DOCKER-USER; \(tool) -A FORWARD -j DOCKER-USER")
      try shell("\(tool) -A DOCKER-USER -j RETURN")
      let before = try Self.saved(tool)
      let bridge = try name("docker0")
      #expect(try !LegacyDockerUser.accepts(target, on: bridge, until: .soon))
      for _ in 0..<2 { try LegacyDockerUser.admit(target, on: bridge, until: .soon) }
      #expect(try LegacyDockerUser.accepts(target, on: bridge, until: .soon))
      let chain = try shell("\(tool) -S DOCKER-USER").split(separator: "\n")
      #expect(chain.count == 3)
      try shell(
        "\(tool) -C DOCKER-USER -d \(address) -o docker0 -m conntrack --ctstate DNAT "
          + "-m comment --comment 'wirehook docker0 \(address)' -j ACCEPT")
      for _ in 0..<2 { try LegacyDockerUser.remove(target, on: bridge, until: .soon) }
      #expect(try Self.saved(tool) == before)
    }
  }

  @Test func anEmptyChainGetsThemToo() throws {
    try NetworkNamespace.withFresh {
      try shell("iptables-legacy -N DOCKER-USER; iptables-legacy -A FORWARD -j DOCKER-USER")
      try LegacyDockerUser.admit(try name("wh-front"), until: .soon)
      #expect(try shell("iptables-legacy -S DOCKER-USER").split(separator: "\n").count == 3)
    }
  }

  @Test func whereThereIsNoTableOrNoChainNoneIsMade() throws {
    try NetworkNamespace.withFresh {
      let front = try name("wh-front")
      try LegacyDockerUser.admit(front, until: .soon)
      #expect(try LegacyDockerUser.accepts(front, until: .soon))
      #expect(try shell("cat /proc/thread-self/net/ip_tables_names 2>/dev/null || true") == "")
      try shell("iptables-legacy -A FORWARD -s 192.0.2.1 -j DROP")
      let before = try Self.saved("iptables-legacy")
      try LegacyDockerUser.admit(front, until: .soon)
      try LegacyDockerUser.remove(front, until: .soon)
      #expect(try Self.saved("iptables-legacy") == before)
    }
  }

  @Test func fortyBridgesFitIn() throws {
    try NetworkNamespace.withFresh {
      try shell("iptables-legacy -N DOCKER-USER")
      for number in 0..<40 { try LegacyDockerUser.admit(try name("wh-\(number)"), until: .soon) }
      #expect(try shell("iptables-legacy -S DOCKER-USER").split(separator: "\n").count == 81)
    }
  }
}
