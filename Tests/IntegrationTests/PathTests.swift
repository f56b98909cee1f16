import Foundation
import Support
import Testing

/// `wirehook path`: where a packet stops is said, and the command below it mends it.
@Suite(needsRoot) struct PathTests {
  /// A container `web` with a server on 80, published on 8080, and a service of the neighbour's on 9000.
  private func prepared(_ body: (Sandbox, Container) throws -> Void) throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      let server = try host.outside.serve(9000)
      defer { server.stop() }
      try body(host, web)
    }
  }

  struct Trouble: Sendable, CustomTestStringConvertible {
    let name: String
    /// A line for sh(1); WEB is the way into the container's network, ELEMENT what the ports' map holds.
    let spoil: String
    let path: [String]
    let stop: String
    let said: String
    var testDescription: String { name }
  }

  static let out = ["web", "192.168.77.2:9000"]
  static let in_ = ["192.168.77.2", "web:80"]

  static let troubles: [Trouble] = [
    Trouble(
      name: "lo down", spoil: "WEB ip link set lo down", path: ["web", "web:80"], stop: "link", said: "lo is down"),
    Trouble(
      name: "no default route", spoil: "WEB ip route del default", path: out, stop: "route", said: "no route to"),
    Trouble(
      name: "no forwarding", spoil: "sysctl -qw net.ipv4.ip_forward=0", path: out, stop: "route",
      said: "the host does not forward IPv4"),
    Trouble(
      name: "no SNAT", spoil: "nft flush set inet wirehook masq4", path: out, stop: "nat",
      said: "nothing rewrites the source"),
    Trouble(
      name: "no DNAT", spoil: "nft flush map inet wirehook ports4", path: in_, stop: "nat",
      said: "inet wirehook has lost it"),
    Trouble(
      name: "the table flushed", spoil: "nft flush ruleset", path: in_, stop: "nat", said: "inet wirehook has lost it"),
    Trouble(
      name: "the interface down", spoil: "WEB ip link set eth0 down", path: out, stop: "link", said: "eth0 is down"),
    Trouble(
      name: "the address gone", spoil: "WEB ip -4 addr flush dev eth0", path: out, stop: "link",
      said: "eth0 has lost its address"),
    Trouble(
      name: "the host's end down", spoil: "ip link set PORT down", path: in_, stop: "link", said: "is down"),
    Trouble(
      name: "the host's end down, seen from inside", spoil: "ip link set PORT down", path: out, stop: "link",
      said: "eth0 is up without a carrier"),
    Trouble(
      name: "the pair gone", spoil: "WEB ip link del eth0", path: out, stop: "link", said: "eth0 is gone"),
    Trouble(
      name: "the pair gone, seen from outside", spoil: "WEB ip link del eth0", path: in_, stop: "link",
      said: "the host's end of eth0, is gone"),
    Trouble(
      name: "off the bridge", spoil: "ip link set PORT nomaster", path: in_, stop: "bridge",
      said: "is not a port of wh-front"),
    Trouble(
      name: "the bridge down", spoil: "ip link set wh-front down", path: ["web", "host"], stop: "bridge",
      said: "bridge wh-front is down"),
    Trouble(
      name: "the gateway's address gone", spoil: "ip -4 addr flush dev wh-front", path: out, stop: "bridge",
      said: "has lost its address 10.210.4.1/24"),
    Trouble(
      name: "another table's policy",
      spoil: "nft 'table inet mine { chain guard { type filter hook forward priority 10; policy drop; }; }'", path: in_,
      stop: "filter", said: "table inet mine chain guard drops it"),
  ]

  /// Between `web` and `db` on one bridge; PEER is the port of `db`, MAC its address.
  static let between = ["web", "db"]
  static let bridgeTroubles: [Trouble] = [
    Trouble(
      name: "isolated ports", spoil: "for port in PORT PEER; do bridge link set dev $port isolated on; done",
      path: between, stop: "bridge", said: "are isolated ports of wh-front"),
    Trouble(
      name: "the MAC behind another port", spoil: "bridge fdb replace MAC dev PORT master static sticky", path: between,
      stop: "fdb", said: "wh-front has MAC behind PORT, not behind PEER"),
    Trouble(
      name: "the spanning tree protocol",
      spoil:
        "ip link set wh-front type bridge stp_state 1 forward_delay 3000; ip link set PEER down; ip link set PEER up",
      path: between, stop: "bridge", said: "PEER of wh-front is listening, by the spanning tree protocol"),
    Trouble(
      name: "the bridge's own MAC", spoil: "bridge fdb flush dev wh-front", path: out, stop: "fdb",
      said: "wh-front does not know its own"),
    Trouble(
      name: "no hairpin", spoil: "bridge link set dev PORT hairpin off", path: ["web", "192.168.77.1:8080"],
      stop: "bridge", said: "PORT of wh-front sends nothing back by where it came in"),
  ]

  @Test(arguments: bridgeTroubles) func whatTheBridgeItselfStopsIsNamed(_ trouble: Trouble) throws {
    try prepared { host, web in
      let db = try host.started("db")
      let port = { (id: String) in
        try host.list().first { $0["id"].string == id }?["interfaces"][0]["host"].string ?? ""
      }
      let address =
        try db.addresses("eth0").first { $0.contains(".") }?.split(separator: "/").first.map(String.init) ?? ""
      let works = {
        guard trouble.path != Self.out else { return try web.ask(Sandbox.outside4, 9000).server != nil }
        return trouble.path == Self.between
          ? try web.pings(address, attempts: 3) : try web.ask("192.168.77.1", 8080).server == "web"
      }
      #expect(try works())
      let whole = try host.path(trouble.path)
      #expect(whole.exitCode == 0, "before: \(whole)")
      let names = ["PORT": try port("web"), "PEER": try port("db"), "MAC": try db.mac(of: "eth0")]
      let filled = { (text: String) in names.reduce(text) { $0.replacing($1.key, with: $1.value) } }
      try script(filled(trouble.spoil), host)
      #expect(try !works())
      try host.mend(trouble.path, stop: trouble.stop, said: filled(trouble.said))
      #expect(try works())
    }
  }

  @Test func aLearnedMACIsShownWithItsPort() throws {
    try prepared { host, web in
      let db = try host.started("db")
      let address =
        try db.addresses("eth0").first { $0.contains(".") }?.split(separator: "/").first.map(String.init) ?? ""
      #expect(try web.pings(address))
      let known = try host.path(Self.between)
      #expect(known.stdout.contains("wh-front has \(try db.mac(of: "eth0")) behind wh"), "\(known)")
    }
  }

  @Test(arguments: troubles) func whereItStopsIsNamedAndTheCommandMendsIt(_ trouble: Trouble) throws {
    try prepared { host, web in
      let whole = try host.path(trouble.path)
      #expect(whole.exitCode == 0, "before: \(whole)")
      let port = try host.list().first?["interfaces"].array.first?["host"].string ?? ""
      try script(
        trouble.spoil.replacing("WEB", with: "nsenter -t \(web.pid) -n").replacing("PORT", with: port), host)
      try host.mend(trouble.path, stop: trouble.stop, said: trouble.said)
      if trouble.path == Self.in_ {
        #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
      } else if trouble.path == Self.out {
        #expect(try web.ask(Sandbox.outside4, 9000).server == host.outside.name)
      } else if trouble.path == ["web", "web:80"] {
        #expect(try web.ask("127.0.0.1", 80).server == "web")
      }
    }
  }

  @Test func aProbeIsFollowedAndLeavesNoTrace() throws {
    try prepared { host, _ in
      let sent = try host.path(Self.out + ["--probe"])
      #expect(sent.exitCode == 0 && sent.stdout.contains("an answer came"), "\(sent)")
      #expect(sent.stdout.contains("inet wirehook forward rule"), "\(sent)")
      try host.nft(
        "table inet mine { chain guard { type filter hook forward priority 10; tcp dport 9000 counter drop; }; }")
      let dropped = try host.path(Self.out + ["--probe"])
      #expect(dropped.exitCode == 1 && dropped.stdout.contains("inet mine guard rule"), "\(dropped)")
      #expect(try !host.sh("nft list tables").contains("wirehook-probe"))
    }
  }

  @Test func whatIsNotPublishedIsSaidToBeSo() throws {
    try prepared { host, _ in
      let result = try host.path(["192.168.77.2", "web:81"])
      #expect(result.exitCode == 1 && result.stdout.contains("wirehook publish web 81:81"), "\(result)")
    }
  }
}

extension Sandbox {
  /// `wirehook path WORDS`.
  func path(_ words: [String]) throws -> Command.Result {
    let program = try Built.path("wirehook")
    return try run(["env", "WIREHOOK_CONFIG=\(configFile)", "LC_ALL=C.UTF-8", program, "path"] + words)
  }
  /// Expects that a path stops there, and that what is below the stop mends it.
  func mend(
    _ words: [String], stop kind: String, said: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    var count = 0
    // What is mended one by one: a policy may drop the request and the answer.
    for _ in 0..<3 {
      let json = try path(words + ["--json"])
      guard json.exitCode != 0 else { break }
      count += 1
      let stop = try JSON(parsing: json.stdout)["stop"]
      #expect(stop["kind"].string == kind, "\(json.stdout)", sourceLocation: location)
      #expect(stop["text"].string?.contains(said) ?? false, "\(json.stdout)", sourceLocation: location)
      let remedy = try #require(stop["remedy"].string, "\(json.stdout)", sourceLocation: location)
      let program = try Built.path("wirehook")
      try script(remedy.replacing("wirehook ", with: "env WIREHOOK_CONFIG=\(configFile) \(program) "), self)
    }
    #expect(count > 0, "nothing stops it", sourceLocation: location)
    let mended = try path(words)
    #expect(mended.exitCode == 0, "after: \(mended)", sourceLocation: location)
  }
}
