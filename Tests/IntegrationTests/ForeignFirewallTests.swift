import Support
import Testing

/// What other firewalls drop is found, named, and admitted by the very command that `doctor` prints (field cases B43, B44).
@Suite(needsRoot) struct ForeignFirewallTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// Scripts for sh(1), run in the host after the container was wired.
    let rules: String
    /// What each finding must name.
    let named: [String]
    var needs: Tool = .root
    /// Who calls the port in vain.
    var caller = Caller.outside
    var testDescription: String { name }
  }
  enum Caller { case outside, host, nobody }

  /// Both of the kernel's firewalls, where this machine has both.
  static let tools = ["iptables-nft"] + (Tool.iptablesLegacy.isThere ? ["iptables-legacy"] : [])

  private static func nft(_ text: String) -> String { "nft -f - <<'END'\n\(text)\nEND" }

  private static func both(_ tool: String, _ lines: [String]) -> String {
    lines.flatMap { ["\(tool) -w \($0)", "\(tool.replacing("iptables", with: "ip6tables")) -w \($0)"] }
      .joined(separator: "\n")
  }

  static let cases: [Case] = [
    Case(
      name: "a policy, with answers accepted",
      rules: nft(
        """
        table inet mine {
          chain guard { type filter hook forward priority 0; policy drop; ct state established,related accept; }
        }
        """), named: ["table inet mine chain guard drops", "policy drop"]),
    Case(
      name: "a policy alone",
      rules: nft("table inet mine { chain guard { type filter hook forward priority 10; policy drop; }; }"),
      named: ["comes from and goes to bridge wh-front"]),
    Case(
      name: "a last rule that rejects",
      rules: nft(
        """
        table inet mine {
          chain guard {
            type filter hook forward priority 0
            ct state vmap { established : accept, related : accept, invalid : drop }
            iifname { "lo", "lan0" } accept
            tcp dport 25 counter drop
            reject with icmpx admin-prohibited
          }
        }
        """), named: ["table inet mine chain guard drops", "rule with handle"]),
    Case(
      name: "a rule in a chain that others jump to",
      rules: nft(
        """
        table inet mine {
          chain wan { oifname "docker0" accept; counter drop; }
          chain lan { return; }
          chain guard {
            type filter hook forward priority 0
            iifname vmap { "up0" : jump wan, "lan0" : goto lan }
          }
        }
        """), named: ["chain wan drops what goes to bridge wh-front"]),
    Case(
      name: "a router's own ruleset with NAT",
      rules: nft(
        """
        define uplink = up0
        table inet filter {
          set lans { type ifname; elements = { "lan0", "lan1" }; }
          chain forward {
            type filter hook forward priority filter; policy drop
            ct state { established, related } accept
            iifname @lans oifname $uplink accept
            meta l4proto { icmp, ipv6-icmp } limit rate 10/second accept
            iifname $uplink oifname @lans ct status dnat accept
          }
        }
        table ip nat {
          chain prerouting { type nat hook prerouting priority dstnat; iifname $uplink tcp dport 2222 dnat to 192.168.5.2:22; }
          chain postrouting { type nat hook postrouting priority srcnat; oifname $uplink masquerade; }
        }
        """), named: ["table inet filter chain forward", "policy drop"]),
    Case(
      name: "iptables-nft's policy", rules: both("iptables-nft", ["-P FORWARD DROP"]),
      named: ["filter chain FORWARD drops", "policy drop"], needs: .iptables),
    Case(
      name: "iptables-legacy's policy", rules: both("iptables-legacy", ["-P FORWARD DROP"]),
      named: ["filter of iptables-legacy chain FORWARD drops"], needs: .iptablesLegacy),
    Case(
      name: "a chain of iptables-legacy",
      rules: both(
        "iptables-legacy",
        [
          "-N last", "-A last -m comment --comment end -j REJECT",
          "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A FORWARD -i lan+ -j ACCEPT",
          "-A FORWARD ! -i lan0 -p tcp -g last", "-A FORWARD -g last",
        ]), named: ["iptables-legacy chain last", "rule 1"], needs: .iptablesLegacy),
    Case(
      name: "Docker's policy, whose accept an administrator took out",
      rules: both(
        "iptables-nft",
        ["-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-A FORWARD -j DOCKER-USER", "-P FORWARD DROP"]),
      named: ["filter chain FORWARD drops", "-I DOCKER-USER -i wh-front -j ACCEPT"], needs: .iptables),
    Case(
      name: "as ufw has it",
      rules: both(
        "iptables-nft",
        [
          "-N ufw-before-forward", "-N ufw-user-forward", "-N ufw-after-logging-forward", "-N ufw-reject-forward",
          "-A FORWARD -j ufw-before-forward", "-A FORWARD -j ufw-after-logging-forward",
          "-A FORWARD -j ufw-reject-forward", "-P FORWARD DROP",
          "-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          "-A ufw-before-forward -j ufw-user-forward",
          "-A ufw-after-logging-forward -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix UFW",
        ]), named: ["filter chain FORWARD", "policy drop"], needs: .iptables),
    Case(
      name: "what comes from containers, before routing",
      rules: nft(
        """
        table inet mine {
          chain early { type filter hook prerouting priority -150; policy drop; iif lo accept; iifname "up0" accept; }
        }
        """), named: ["chain early drops what comes from bridge wh-front"]),
    Case(
      name: "answers to the host itself",
      rules: nft(
        """
        table inet mine {
          chain in { type filter hook input priority 0; policy drop; iif lo accept; iifname "up0" accept; meta l4proto ipv6-icmp accept; }
        }
        """), named: ["chain in drops what comes from bridge wh-front"], caller: .host),
    Case(
      name: "frames of the bridge",
      rules: nft(
        """
        table bridge mine {
          chain in { type filter hook input priority 0; policy drop; ether type arp accept; iifname "lan0" accept; }
        }
        """), named: ["table bridge mine chain in", "bridge wh-front"]),
  ]

  @Test(arguments: cases.filter(\.needs.isThere)) func theCommandThatIsNamedAdmitsIt(_ given: Case) throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try drops(host) == [], "before")
      try script(given.rules, host)
      let caller: any Place = given.caller == .host ? host : host.outside
      #expect(try caller.ask("192.168.77.1", 8080, within: .milliseconds(500)).server == nil)
      let found = try drops(host)
      #expect(!found.isEmpty)
      for finding in found {
        for part in given.named { #expect(finding.text.contains(part), "\(part) is not in: \(finding)") }
        try script(finding.command, host)
      }
      #expect(try drops(host) == [], "after \(found)")
      let server = try host.outside.serve(7)
      defer { server.stop() }
      for (own, other) in [("192.168.77.1", "192.168.77.2"), ("fd77::1", "fd77::2")] {
        #expect(try caller.ask(own, 8080).server == "web", "\(own) after \(found)")
        #expect(try web.ask(other, 7).client == own, "\(other) after \(found)")
      }
    }
  }

  /// Rules about some packets are somebody's wish, and no business of ours.
  @Test(arguments: [
    "tcp dport 9 drop", "ip saddr 203.0.113.0/24 drop", "ct state invalid drop",
    "iifname != \"br1\" oifname \"br1\" drop",
    "iifname \"lan0\" drop", "meta mark 7 reject", "tcp flags & (fin | syn) == fin | syn drop", "iif lo drop",
    "fib saddr . iif oif missing drop", "meta protocol arp drop", "oifname { \"lan0\", \"docker0\" } ct state new drop",
    "limit rate 1/second drop",
    "ip daddr 10.210.4.77 tcp dport 80-90 drop",
  ])
  func aRuleAboutSomePacketsIsNotNamed(_ rule: String) throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80"])
      try script(
        Self.nft(
          "table inet mine { chain guard { type filter hook forward priority 0; policy accept; \(rule); }; }"), host)
      #expect(try drops(host) == [])
    }
  }

  /// Before the first container there is nothing to admit: it is done when the network is set up.
  @Test(.enabled(if: Tool.iptables.isThere, "needs iptables"), arguments: tools)
  func dockersPolicyIsNoFindingBeforeTheFirstContainer(_ tool: String) throws {
    try Sandbox.with { host in
      let lines = [
        "-N DOCKER-USER", "-A DOCKER-USER -i lan0 -j DROP", "-A DOCKER-USER -j RETURN",
        "-A FORWARD -j DOCKER-USER",
        "-P FORWARD DROP",
      ]
      try script(Self.both(tool, lines), host)
      #expect(try drops(host) == [])
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try drops(host) == [])
      try script(Self.both(tool, ["-F DOCKER-USER"]), host)
      #expect(try drops(host).count == 2)
    }
  }

  @Test func aDormantTableDropsNothing() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      let chain = "chain guard { type filter hook forward priority 0; policy drop; }"
      try script(Self.nft("table inet mine { flags dormant; \(chain); }"), host)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try drops(host) == [])
    }
  }

  /// What is not understood, or accepts some packets only, may drop: a warning, which stops nothing.
  @Test(arguments: [
    "ip saddr 10.210.4.0/24 accept; ip daddr 10.210.4.0/24 accept; drop", "ip saddr != 192.0.2.0/24 drop",
    "iifname \"wh-front\" accept; oifname \"wh-front\" tcp dport 80 accept; drop", "meta mark != 5 drop",
  ])
  func whatIsNotUnderstoodMayDrop(_ rules: String) throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80"])
      try script(
        Self.nft(
          "table ip mine { chain guard { type filter hook forward priority 0; ct state established accept; \(rules); }; }"
        ),
        host)
      let found = try drops(host)
      #expect(found.count == 1 && found[0].text.contains("table ip mine chain guard may drop"), "\(found)")
      #expect(found.allSatisfy { $0.severity == "warning" })
    }
  }

  /// B44: after DNAT a packet is forwarded, so INPUT has no say. People find out when they are attacked, or here.
  @Test(.enabled(if: Tool.iptables.isThere, "needs iptables"), arguments: tools)
  func aPortThatINPUTWouldDenyIsNamed(_ tool: String) throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80,2222:22,127.0.0.1:9000:90"])
      _ = try host.started("api", ["wirehook.ports": "8443:443", "wirehook.allow": "192.168.77.0/24"])
      try script(
        Self.both(
          tool,
          [
            "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A INPUT -i lo -j ACCEPT",
            "-A INPUT -p tcp -m tcp --dport 2222 -j ACCEPT", "-P INPUT DROP",
          ]), host)
      let found = try findings(host).filter { $0.what.hasPrefix("port ") }
      #expect(Set(found.map(\.what)) == ["port 8080/tcp of \"web\""], "\(found)")
      #expect(found.allSatisfy { $0.severity == "warning" && $0.command.contains("wirehook.allow") })
    }
  }
}

/// A line of `wirehook doctor`.
struct DoctorLine: Equatable, CustomStringConvertible {
  let severity: String
  let what: String
  let text: String
  let command: String
  var description: String { "\(severity) \(what): \(text); \(command)" }
}

/// All findings of `wirehook doctor --json`.
func findings(_ host: Sandbox) throws -> [DoctorLine] {
  let result = try host.wirehook("doctor", "--json")
  let all = try JSON(parsing: result.stdout).array.map { finding in
    DoctorLine(
      severity: finding["severity"].string ?? "", what: finding["what"].string ?? "",
      text: (finding["why"].string ?? "") + " " + (finding["remedy"].string ?? ""),
      command: finding["remedy"].string ?? "")
  }
  guard result.exitCode == (all.contains { $0.severity == "error" } ? 1 : 0), !all.isEmpty else {
    throw Failure("\(result)")
  }
  return all
}

/// Those about other firewalls that drop.
func drops(_ host: Sandbox) throws -> [DoctorLine] {
  try findings(host).filter { $0.what == "firewall" && $0.severity != "ok" }
}

/// Runs a shell script in the host; its failure ends the test.
func script(_ text: String, _ place: any Place) throws {
  let result = try place.run(["sh", "-ec", text])
  guard result.succeeded else { throw Failure("\(result)") }
}
