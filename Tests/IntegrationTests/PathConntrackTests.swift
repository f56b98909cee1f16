import Support
import Testing

/// `wirehook path`: what connection tracking remembers of a flow.
@Suite(needsRoot, .enabled(if: Tool.conntrack.isThere, "needs conntrack")) struct PathConntrackTests {
  struct Way: Sendable, CustomTestStringConvertible {
    let family: String
    let caller, host, stranger: String
    var testDescription: String { family }
  }

  static let ways = [
    Way(family: "ipv4", caller: Sandbox.outside4, host: Sandbox.address4, stranger: "10.210.4.99:53"),
    Way(family: "ipv6", caller: Sandbox.outside6, host: Sandbox.address6, stranger: "[fd42:210:4::99]:53"),
  ]

  /// A client that keeps its port, as resolvers, SIP and WireGuard do, stays with whoever had the service before.
  @Test(arguments: ways) func aConnectionOfBeforeIsNamedAndForgotten(_ way: Way) throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8053:53/udp"])
      try web.serve(53)
      let words = [way.caller, "web:53/udp"]
      let before = try host.path(words)
      #expect(before.exitCode == 0 && !before.stdout.contains("conntrack"), "\(before)")
      try host.sh(
        "conntrack -I -p udp -s \(way.caller) -d \(way.host) --sport 4001 --dport 8053 "
          + "--dst-nat \(way.stranger) -t 300")
      let stale = try host.outside.askUDP(way.host, 8053, from: 4001)
      #expect(stale.server == nil, "\(stale)")
      let report = try JSON(parsing: try host.path(words + ["--json"]).stdout)
      let hop = try #require(report["request"].array.first { $0["kind"].string == "conntrack" })
      #expect(hop["verdict"].string == "note" && report["reachable"] == .bool(true))
      #expect(hop["text"].string?.contains("who sends from port 4001 on stays there") ?? false, "\(hop)")
      try script(try #require(hop["remedy"].string), host)
      #expect(try host.outside.askUDP(way.host, 8053, from: 4001).server == "web")
      let after = try host.path(words)
      #expect(after.stdout.contains("translated alike"), "\(after)")
    }
  }

  @Test func aSourceThatIsNoLongerMeantIsNamed() throws {
    try Sandbox.with { host in
      let web = try host.started("web")
      let address =
        try web.addresses("eth0").first { $0.contains(".") }?.split(separator: "/").first.map(String.init) ?? ""
      try host.sh(
        "conntrack -I -p tcp --state ESTABLISHED -s \(address) -d \(Sandbox.outside4) --sport 4002 --dport 9000 "
          + "-r \(Sandbox.outside4) -q 192.168.77.99 --reply-port-src 9000 --reply-port-dst 4002 -t 300")
      let result = try host.path(["web", "\(Sandbox.outside4):9000"])
      #expect(result.stdout.contains("leaves as 192.168.77.99 instead"), "\(result)")
    }
  }
}
