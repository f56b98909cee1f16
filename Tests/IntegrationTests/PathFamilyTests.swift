import Support
import Testing

/// `wirehook path` over IPv6, over UDP, and past iptables-legacy: what it says is what packets do.
@Suite(needsRoot) struct PathFamilyTests {
  /// A container `web` with a server on 80, published over TCP on 8080 and over UDP on 8080, and a neighbour's on 9000.
  private func prepared(_ body: (Sandbox, Container) throws -> Void) throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80,8080:80/udp"])
      try web.serve(80)
      let server = try host.outside.serve(9000)
      defer { server.stop() }
      try body(host, web)
    }
  }

  struct Way: Sendable, Hashable, CustomTestStringConvertible {
    /// From `web` to the neighbour, else from the neighbour to `web`.
    var isOut: Bool
    var is6: Bool
    var isUDP = false

    var testDescription: String { words.joined(separator: " ") }

    var words: [String] {
      let stranger = is6 ? Sandbox.outside6 : Sandbox.outside4
      let suffix = isUDP ? "/udp" : ""
      return isOut ? ["web", (is6 ? "[\(stranger)]" : stranger) + ":9000" + suffix] : [stranger, "web:80" + suffix]
    }

    /// What a real packet meets.
    func works(_ host: Sandbox, _ web: Container) throws -> Bool {
      let (place, address, port): (any Place, String, UInt16) =
        isOut
        ? (web, is6 ? Sandbox.outside6 : Sandbox.outside4, 9000)
        : (host.outside, is6 ? Sandbox.address6 : Sandbox.address4, 8080)
      return (isUDP ? try place.askUDP(address, port) : try place.ask(address, port)).server != nil
    }
  }

  static let ways = [true, false].flatMap { isOut in
    [true, false].flatMap { is6 in [true, false].map { Way(isOut: isOut, is6: is6, isUDP: $0) } }
  }

  @Test func whatPassesIsSaidToPass() throws {
    try prepared { host, web in
      for way in Self.ways {
        let result = try host.path(way.words)
        #expect(result.exitCode == 0, "\(result)")
        #expect(try way.works(host, web), "\(way.words)")
      }
    }
  }

  struct Trouble: Sendable, CustomTestStringConvertible {
    let name: String
    let spoil: String
    let way: Way
    let stop: String
    let said: String
    var needs: Tool?
    var testDescription: String { "\(name): \(way)" }
  }

  private static let (out6, in6) = (Way(isOut: true, is6: true), Way(isOut: false, is6: true))
  private static let (out4, in4) = (Way(isOut: true, is6: false), Way(isOut: false, is6: false))
  private static func udp(_ way: Way) -> Way { Way(isOut: way.isOut, is6: way.is6, isUDP: true) }

  static let troubles: [Trouble] = [
    Trouble(
      name: "the interface down", spoil: "WEB ip link set eth0 down", way: out6, stop: "link", said: "eth0 is down"),
    Trouble(
      name: "no default route", spoil: "WEB ip -6 route del default", way: out6, stop: "route",
      said: "no route to fd77::2"),
    Trouble(
      name: "no forwarding", spoil: "sysctl -qw net.ipv6.conf.all.forwarding=0", way: in6, stop: "forwarding",
      said: "the host does not forward IPv6"),
    Trouble(
      name: "no SNAT", spoil: "nft flush set inet wirehook masq6", way: out6, stop: "nat",
      said: "nothing rewrites the source"),
    Trouble(
      name: "no DNAT", spoil: "nft flush map inet wirehook ports6", way: in6, stop: "nat",
      said: "inet wirehook has lost it"),
    Trouble(
      name: "no DNAT", spoil: "nft flush map inet wirehook ports4", way: udp(in4), stop: "nat",
      said: "inet wirehook has lost it"),
    Trouble(
      name: "the address gone",
      spoil: "WEB ip -6 addr del $(WEB ip -6 -o addr show dev eth0 scope global | awk \"{print \\$4}\") dev eth0",
      way: out6, stop: "link", said: "eth0 has lost its address"),
    Trouble(
      name: "the gateway's address gone", spoil: "ip addr del fd42:210:4::1/64 dev wh-front", way: out6, stop: "bridge",
      said: "has lost its address fd42:210:4::1/64"),
    Trouble(
      name: "another table's policy",
      spoil: "nft 'table ip6 mine { chain guard { type filter hook forward priority 10; policy drop; }; }'", way: in6,
      stop: "filter", said: "table ip6 mine chain guard drops it"),
    Trouble(
      name: "a rule about UDP",
      spoil: "nft 'table inet mine { chain guard { type filter hook forward priority 10; meta l4proto udp drop; }; }'",
      way: udp(in4), stop: "filter", said: "table inet mine chain guard drops it"),
    Trouble(
      name: "a rule about a UDP port",
      spoil: "nft 'table inet mine { chain guard { type filter hook forward priority 10; udp dport 9000 drop; }; }'",
      way: udp(out6), stop: "filter", said: "table inet mine chain guard drops it"),
    Trouble(
      name: "iptables-legacy", spoil: "iptables-legacy -P FORWARD DROP", way: in4, stop: "filter",
      said: "table ip filter of iptables-legacy chain FORWARD drops it", needs: .iptablesLegacy),
    Trouble(
      name: "iptables-legacy", spoil: "ip6tables-legacy -P FORWARD DROP", way: out6, stop: "filter",
      said: "table ip6 filter of iptables-legacy chain FORWARD drops it", needs: .iptablesLegacy),
    Trouble(
      name: "iptables-legacy, a port", spoil: "iptables-legacy -A FORWARD -p udp --dport 80 -j DROP", way: udp(in4),
      stop: "filter", said: "table ip filter of iptables-legacy chain FORWARD drops it", needs: .iptablesLegacy),
  ]

  @Test(arguments: troubles) func whereItStopsIsNamedAndTheCommandMendsIt(_ trouble: Trouble) throws {
    guard trouble.needs?.isThere ?? true else { return }
    try prepared { host, web in
      #expect(try trouble.way.works(host, web), "before")
      let whole = try host.path(trouble.way.words)
      #expect(whole.exitCode == 0, "before: \(whole)")
      try script(trouble.spoil.replacing("WEB", with: "nsenter -t \(web.pid) -n"), host)
      // What conntrack knows of the packets before is an answer to nobody's question.
      #expect(try !trouble.way.works(host, web), "spoilt")
      try host.mend(trouble.way.words, stop: trouble.stop, said: trouble.said)
      // An address that has just been given is tentative for a while.
      #expect(try eventually(within: .seconds(10)) { try trouble.way.works(host, web) }, "mended")
    }
  }

  @Test(arguments: ways.filter { $0.isOut }) func aProbeIsFollowedOverEachFamilyAndTransport(_ way: Way) throws {
    try prepared { host, _ in
      let sent = try host.path(way.words + ["--probe"])
      #expect(sent.exitCode == 0, "\(sent)")
      #expect(sent.stdout.contains("inet wirehook forward rule"), "\(sent)")
      #expect(sent.stdout.contains("an answer came"), "\(sent)")
      try host.nft(
        "table inet mine { chain guard { type filter hook forward priority 10; th dport 9000 counter drop; }; }")
      let dropped = try host.path(way.words + ["--probe"])
      #expect(dropped.exitCode == 1 && dropped.stdout.contains("inet mine guard rule"), "\(dropped)")
      #expect(try !host.sh("nft list tables").contains("wirehook-probe"))
    }
  }

  /// From the host to the container, by the address of the host's and by loopback.
  @Test func aProbeOfTheHostsOwnGoesByThePublishedPort() throws {
    try prepared { host, _ in
      for target in ["192.168.77.1:8080", "127.0.0.1:8080", "[fd77::1]:8080", "192.168.77.1:8080/udp"] {
        let sent = try host.path(["host", target, "--probe"])
        #expect(sent.exitCode == 0 && sent.stdout.contains("an answer came"), "\(sent)")
      }
    }
  }
}
