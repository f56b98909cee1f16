import Testing
import WireCore

@testable import WireNFTables

@Suite struct NFTablesDockerUser {
  private static let dockerRules = """
    iptables -N DOCKER-USER; iptables -A DOCKER-USER -s 192.0.2.7 -j DROP; iptables -A DOCKER-USER -j RETURN
    ip6tables -N DOCKER-USER; ip6tables -A DOCKER-USER -j RETURN
    """
  private static let before = "-N DOCKER-USER\n-A DOCKER-USER -s 192.0.2.7/32 -j DROP\n-A DOCKER-USER -j RETURN\n"

  @Test func bothWaysAreAcceptedOnceBehindTheAdministratorsRules() throws {
    let host = LabNamespace()
    host.sh(Self.dockerRules)
    let had = try host.firewall { firewall throws(NFTablesError) in
      let had = try firewall.hasForwardAccept(bridge: link("wh-front"), deadline: soon)
      for _ in 1...3 { try firewall.ensureForwardAccept(bridge: link("wh-front"), deadline: soon) }
      return [had, try firewall.hasForwardAccept(bridge: link("wh-front"), deadline: soon)]
    }
    #expect(had == [false, true])
    #expect(
      host.sh("iptables -S DOCKER-USER") == """
        -N DOCKER-USER
        -A DOCKER-USER -s 192.0.2.7/32 -j DROP
        -A DOCKER-USER -i wh-front -m comment --comment wirehook -j ACCEPT
        -A DOCKER-USER -o wh-front -m comment --comment wirehook -j ACCEPT
        -A DOCKER-USER -j RETURN

        """)
    #expect(host.sh("ip6tables -S DOCKER-USER").contains("-i wh-front -m comment --comment wirehook -j ACCEPT"))
    // iptables itself finds the rule that we wrote.
    host.sh("iptables -C DOCKER-USER -i wh-front -m comment --comment wirehook -j ACCEPT")
    try host.firewall { firewall throws(NFTablesError) in
      for _ in 1...2 { try firewall.removeForwardAccept(bridge: link("wh-front"), deadline: soon) }
    }
    #expect(host.sh("iptables -S DOCKER-USER") == Self.before)
  }

  @Test func anAcceptOfTheAdministratorsIsEnoughAndStays() throws {
    let host = LabNamespace()
    host.sh(
      "iptables -N DOCKER-USER; iptables -A DOCKER-USER -i wh-front -j ACCEPT; iptables -A DOCKER-USER -o wh-front -j ACCEPT"
    )
    let before = host.sh("iptables -S DOCKER-USER")
    try host.firewall { firewall throws(NFTablesError) in
      try firewall.ensureForwardAccept(bridge: link("wh-front"), deadline: soon)
      try firewall.removeForwardAccept(bridge: link("wh-front"), deadline: soon)
    }
    #expect(host.sh("iptables -S DOCKER-USER") == before)
  }

  @Test(arguments: ["-i wh-front+", "-i wh-front -p tcp", "-i wh-front -s 10.0.0.0/8", "-i wh-fron", "! -i wh-front"])
  func aRuleThatSaysLessDoesNotCount(_ rule: String) throws {
    let host = LabNamespace()
    host.sh(
      "iptables -N DOCKER-USER; iptables -A DOCKER-USER \(rule) -j ACCEPT; iptables -A DOCKER-USER -o wh-front -j ACCEPT"
    )
    let has = try host.firewall { firewall throws(NFTablesError) in
      try firewall.hasForwardAccept(bridge: link("wh-front"), deadline: soon)
    }
    #expect(!has)
  }

  @Test func withoutTheChainThereIsNothingToDo() throws {
    let host = LabNamespace()
    host.sh("iptables -N OTHER")
    let before = host.sh("nft list ruleset")
    try host.firewall { firewall throws(NFTablesError) in
      try firewall.ensureForwardAccept(bridge: link("wh-front"), deadline: soon)
      try firewall.removeForwardAccept(bridge: link("wh-front"), deadline: soon)
    }
    #expect(host.sh("nft list ruleset") == before)
  }

  /// What Docker does to a host whose forwarding it turned on.
  @Test func publishedPortsPassAForwardPolicyOfDrop() throws {
    let lab = try FirewallLab()
    lab.host.sh(
      """
      for t in iptables ip6tables; do
        $t -P FORWARD DROP; $t -N DOCKER-USER; $t -A FORWARD -j DOCKER-USER; $t -A DOCKER-USER -j RETURN
      done
      """)
    #expect(lab.outside.ask("192.168.1.9", 8080, within: 250) == "timeout")
    try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.ensureForwardAccept(bridge: link("wh-a"), deadline: soon)
    }
    #expect(lab.outside.ask("192.168.1.9", 8080) == "192.168.1.20")
    #expect(lab.outside.ask("2001:db8::9", 8080) == "2001:db8::20")
    #expect(lab.a1.ask("192.168.1.20", 80) == "192.168.1.9")
    // That accept opens nothing that our own table closes.
    #expect(lab.outside.ask("10.210.4.2", 80, within: 250) == "timeout")
  }
}
