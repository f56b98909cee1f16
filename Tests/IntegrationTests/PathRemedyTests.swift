import Support
import Testing

/// What our own rules stop is let through by a command of wirehook's own.
@Suite(needsRoot) struct PathRemedyTests {
  private func subnet(_ number: Int, _ more: String = "") -> String {
    #"{"bridge": "wh-b\#(number)", "subnets": [{"subnet": "10.211.\#(number).0/24"}]\#(more)}"#
  }

  @Test func aNetworkWithoutAWayOutGetsAnother() throws {
    try Sandbox.with { host in
      try host.writeNetwork("inner", subnet(1, #", "internal": true"#))
      _ = try host.started("db")
      let web = try host.started("web", ["wirehook.network": "inner"])
      let server = try host.outside.serve(9000)
      defer { server.stop() }
      let words = ["web", "\(Sandbox.outside4):9000"]
      try host.mend(words, stop: "route", said: "no route to 192.168.77.2")
      #expect(try web.ask(Sandbox.outside4, 9000).server != nil)
    }
  }

  @Test func whoIsIsolatedJoinsTheOthersNetwork() throws {
    try Sandbox.with { host in
      try host.writeNetwork("one", subnet(1))
      try host.writeNetwork("two", subnet(2))
      let web = try host.started("web", ["wirehook.network": "one"])
      let db = try host.started("db", ["wirehook.network": "two"])
      try db.serve(5432)
      let address = try #require(try db.addresses("eth0").first?.split(separator: "/").first.map(String.init))
      #expect(try web.ask(address, 5432).server == nil)
      try host.mend(["web", "db:5432"], stop: "filter", said: "wh-b1 and wh-b2 are isolated from each other")
      #expect(try web.ask(address, 5432).server == "db")
    }
  }

  @Test(arguments: ["", "/udp"]) func aSourceIsPutOnThePortsList(_ suffix: String) throws {
    try Sandbox.with { host in
      let web = try host.started(
        "web", ["wirehook.ports": "8080:80\(suffix)", "wirehook.allow": "192.168.5.0/24"])
      try web.serve(80)
      try host.mend([Sandbox.outside4, "web:80\(suffix)"], stop: "filter", said: "is not on the port's list")
      let answer =
        try suffix.isEmpty ? host.outside.ask(Sandbox.address4, 8080) : host.outside.askUDP(Sandbox.address4, 8080)
      #expect(answer.server == "web")
      let rules = try host.sh("nft list set inet wirehook allow4")
      #expect(rules.contains("192.168.5.0") && rules.contains("192.168.77.2"), "\(rules)")
    }
  }

  @Test func portsThatAreKeptApartAreJoined() throws {
    var options = Sandbox.Options()
    options.bridgeFilter = false
    try Sandbox.with(options) { host in
      try host.writeNetwork("apart", subnet(1, #", "isolate": "containers""#))
      let web = try host.started("web", ["wirehook.network": "apart"])
      let db = try host.started("db", ["wirehook.network": "apart"])
      try db.serve(5432)
      let address = try #require(try db.addresses("eth0").first?.split(separator: "/").first.map(String.init))
      #expect(try web.ask(address, 5432).server == nil)
      try host.mend(["web", "db:5432"], stop: "bridge", said: "are isolated ports of wh-b1")
      #expect(try web.ask(address, 5432).server == "db")
    }
  }
}
