import Support
import Testing

/// `wirehook path`: a destination that somebody else's rules rewrite is followed to where it really goes.
@Suite(needsRoot) struct PathTranslationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// A line for sh(1); WEB is the container's address, WEB6 its other.
    let rules: String
    var called = "192.168.77.1"
    var suffix = ""
    /// What the hop says; nil: that a rule may rewrite it.
    var becomes: String?
    var testDescription: String { name }
  }

  static func nft(_ rule: String, hook: String = "prerouting", more: String = "") -> String {
    "nft 'table ip mine { \(more) chain pre { type nat hook \(hook) priority -100; \(rule); }; }'"
  }

  static let cases = [
    Case(name: "a port", rules: nft("tcp dport 9090 dnat to WEB:80"), becomes: "table ip mine chain pre"),
    Case(
      name: "a jump",
      rules: nft(
        "iifname \"up0\" ip daddr 192.168.77.0/24 jump sub", more: "chain sub { tcp dport 9090 dnat to WEB:80; };"),
      becomes: "table ip mine chain sub"),
    Case(name: "a set", rules: nft("tcp dport { 9090, 9091 } dnat to WEB:80"), becomes: "table ip mine chain pre"),
    Case(
      name: "an address of the host's", rules: nft("fib daddr type local tcp dport 9090 dnat to WEB:80"),
      becomes: "table ip mine chain pre"),
    Case(name: "a map", rules: nft("dnat to tcp dport map { 9090: WEB . 80 }")),
    Case(name: "a mark", rules: nft("meta mark 0 tcp dport 9090 dnat to WEB:80")),
    Case(
      name: "Docker's chains",
      rules: "iptables-nft -t nat -N DOCKER; iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER; "
        + "iptables-nft -t nat -A DOCKER ! -i docker0 -p tcp --dport 9090 -j DNAT --to-destination WEB:80",
      becomes: "table ip nat chain DOCKER"),
    Case(
      name: "ip6tables",
      rules: "ip6tables-nft -t nat -A PREROUTING -p tcp --dport 9090 -j DNAT --to-destination [WEB6]:80",
      called: "fd77::1", becomes: "table ip6 nat chain PREROUTING"),
    Case(
      name: "UDP", rules: nft("udp dport 9090 dnat to WEB:80"), suffix: "/udp", becomes: "table ip mine chain pre"),
  ]

  @Test(arguments: cases) func whatOthersRewriteIsFollowed(_ one: Case) throws {
    try Sandbox.with { host in
      let web = try host.started("web")
      try web.serve(80)
      let addresses = try web.addresses("eth0").map { String($0.prefix { $0 != "/" }) }
      let ours = try #require(addresses.first { $0.contains(":") == one.called.contains(":") })
      let other = addresses.first { $0.contains(":") } ?? ""
      try script(one.rules.replacing("WEB6", with: other).replacing("WEB", with: ours), host)
      let is6 = one.called.contains(":")
      let caller = is6 ? Sandbox.outside6 : Sandbox.outside4
      let real =
        one.suffix.isEmpty ? try host.outside.ask(one.called, 9090) : try host.outside.askUDP(one.called, 9090)
      #expect(real.server == "web", "the rule itself: \(real)")
      let target = is6 ? "[\(one.called)]:9090" : "\(one.called):9090"
      let result = try host.path([caller, target + one.suffix])
      guard let place = one.becomes else {
        #expect(result.stdout.contains("table ip mine chain pre, rule with handle"), "\(result)")
        #expect(result.stdout.contains("may rewrite \(target)"), "\(result)")
        return
      }
      #expect(result.exitCode == 0 && result.stdout.contains(place), "\(result)")
      #expect(result.stdout.contains("\(target) becomes \(is6 ? "[\(ours)]" : ours):80"), "\(result)")
      #expect(result.stdout.contains("connection tracking: from \(ours) becomes from \(one.called)"), "\(result)")
    }
  }

  @Test func whatTheHostItselfSendsIsRewrittenInOutput() throws {
    try Sandbox.with { host in
      let web = try host.started("web")
      try web.serve(80)
      let address = try web.addresses("eth0").map { String($0.prefix { $0 != "/" }) }.first { !$0.contains(":") } ?? ""
      try script(
        Self.nft("ip daddr 192.168.77.2 tcp dport 9090 dnat to \(address):80", hook: "output"), host)
      #expect(try host.ask("192.168.77.2", 9090).server == "web")
      let result = try host.path(["host", "192.168.77.2:9090"])
      #expect(result.exitCode == 0 && result.stdout.contains("192.168.77.2:9090 becomes \(address):80"), "\(result)")
    }
  }

  @Test func whoRewritesThePortOfOursAsWellIsNamed() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      try script(Self.nft("tcp dport 8080 dnat to 10.210.4.77:80"), host)
      let result = try host.path([Sandbox.outside4, "web:80"])
      #expect(result.stdout.contains("rewrites it as well"), "\(result)")
    }
  }
}
