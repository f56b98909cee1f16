import Support
import Testing

/// `wirehook path` across Open vSwitch: the switch itself is asked, by `ofproto/trace`.
@Suite(needsOVS) struct OVSPathTests {
  /// Containers `web`, with a server on 80 published on 8080, and `db` with one on 5432.
  private func prepared(_ body: (Sandbox, RealSwitch, Container, Container) throws -> Void) throws {
    try RealSwitch.withNetwork { host, ovs in
      let web = try host.started("web", ["wirehook.ip": "100.1.1.6/24", "wirehook.ports": "8080:80"])
      let db = try host.started("db", ["wirehook.ip": "100.1.1.7/24"])
      try web.serve(80)
      try db.serve(5432)
      try body(host, ovs, web, db)
    }
  }

  @Test func theSwitchSaysWhichPortAPacketLeavesBy() throws {
    try prepared { host, ovs, web, db in
      let port = try ovs.hostEnd(of: "db")
      #expect(try web.pings("100.1.1.7", attempts: 5, within: 5))
      for words in [["web", "db:5432"], ["web", "db"]] {
        let result = try host.path(words)
        #expect(result.exitCode == 0, "\(result)")
        #expect(result.stdout.contains("out by \(port)"), "\(result)")
        #expect(result.stdout.contains("br1 has learned \(try db.mac(of: "eth0")) behind \(port)"), "\(result)")
      }
      #expect(try web.ask("100.1.1.7", 5432).server == "db")
    }
  }

  @Test func aPublishedPortIsFollowedThroughTheSwitch() throws {
    try prepared { host, ovs, web, _ in
      let port = try ovs.hostEnd(of: "web")
      let inwards = try host.path([Sandbox.outside4, "web:80"])
      #expect(inwards.exitCode == 0 && inwards.stdout.contains("out by \(port)"), "\(inwards)")
      #expect(inwards.stdout.contains("out by br1"), "the answer: \(inwards)")
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
      let outwards = try host.path(["web", "\(Sandbox.outside4)"])
      #expect(outwards.exitCode == 0 && outwards.stdout.contains("out by br1"), "\(outwards)")
      #expect(try web.pings(Sandbox.outside4))
    }
  }

  struct Trouble: Sendable, CustomTestStringConvertible {
    let flow: String
    let path: [String]
    let said: String
    var testDescription: String { flow }
  }

  static let troubles = [
    Trouble(
      flow: "priority=500,icmp,nw_dst=100.1.1.7,actions=drop", path: ["web", "db"],
      said: "br1 drops it: flow table=0 priority=500 icmp,nw_dst=100.1.1.7 actions=drop"),
    Trouble(
      flow: "priority=500,tcp,tp_src=5432,actions=drop", path: ["web", "db:5432"], said: "priority=500 tcp,tp_src=5432"),
    Trouble(
      flow: "priority=9,ip,nw_src=100.1.1.6,actions=resubmit(,3)", path: ["web", "db:5432"],
      said: "br1 drops it: no flow of table 3 matches it"),
    Trouble(
      flow: "priority=500,tcp,tp_dst=80,actions=LOCAL", path: ["192.168.77.2", "web:80"], said: "br1 drops it"),
    Trouble(
      flow: "priority=500,tcp,nw_dst=100.1.1.7,actions=LOCAL", path: ["web", "db:5432"],
      said: "br1 sends it out by br1, not by "),
  ]

  @Test(arguments: troubles) func aFlowThatStopsItIsNamedAndTheCommandMendsIt(_ trouble: Trouble) throws {
    try prepared { host, ovs, web, _ in
      let whole = try host.path(trouble.path)
      #expect(whole.exitCode == 0, "before: \(whole)")
      try host.sh("ovs-ofctl add-flow \(ovs.management(of: "br1")) \(trouble.flow)")
      try host.mend(trouble.path, stop: "switch", said: trouble.said)
      switch trouble.path {
      case ["web", "db"]: #expect(try web.pings("100.1.1.7"))
      case ["web", "db:5432"]: #expect(try web.ask("100.1.1.7", 5432).server == "db")
      default: #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web")
      }
    }
  }

  /// Published ports and container to container, over IPv6 and UDP.
  @Test func bothFamiliesAndTransportsCrossTheSwitch() throws {
    try RealSwitch.with { host, ovs in
      try host.writeNetwork(
        "ovsnet",
        #"{"driver": "ovs", "bridge": "br1", "subnets": [{"subnet": "100.1.1.0/24"}, {"subnet": "fd42:1::/64"}]}"#)
      try ovs.writeMain()
      let web = try host.started("web", ["wirehook.ports": "8080:80,8080:80/udp"])
      let db = try host.started("db")
      try web.serve(80)
      try db.serve(5432)
      let six = try db.addresses("eth0").map { String($0.prefix { $0 != "/" }) }.first { $0.contains(":") } ?? ""
      let port = try ovs.hostEnd(of: "db")
      #expect(try web.ask(six, 5432, within: .seconds(5)).server == "db")
      for words in [
        ["web", "[\(six)]:5432"], ["web", "db:5432/udp"], ["web", "[\(six)]:5432/udp"], ["web", "db", "-6"],
      ] {
        let result = try host.path(words)
        #expect(result.exitCode == 0 && result.stdout.contains("out by \(port)"), "\(result)")
      }
      for words in [["fd77::2", "web:80"], ["192.168.77.2", "web:80/udp"], ["host", "web:80", "-6"]] {
        let result = try host.path(words)
        #expect(result.exitCode == 0, "\(result)")
        #expect(result.stdout.contains("out by \(try ovs.hostEnd(of: "web"))"), "\(result)")
        #expect(words[0] == "host" || result.stdout.contains("out by br1"), "the answer: \(result)")
      }
      #expect(try host.outside.ask(Sandbox.address6, 8080, within: .seconds(5)).server == "web")
      #expect(try host.outside.askUDP(Sandbox.address4, 8080, within: .seconds(5)).server == "web")
      for (flow, words) in [
        ("tcp6,tp_dst=5432", ["web", "[\(six)]:5432"]), ("udp,tp_dst=5432", ["web", "db:5432/udp"]),
      ] {
        try host.sh("ovs-ofctl add-flow \(ovs.management(of: "br1")) priority=500,\(flow),actions=drop")
        try host.mend(words, stop: "switch", said: "br1 drops it: flow table=0 priority=500 \(flow) actions=drop")
      }
      #expect(try web.ask(six, 5432, within: .seconds(5)).server == "db")
      let sent = try host.path(["web", "[\(six)]:5432", "--probe"])
      #expect(sent.exitCode == 0 && sent.stdout.contains("an answer came"), "\(sent)")
    }
  }

  @Test func portsThatAreKeptApartAreJoined() throws {
    try RealSwitch.withNetwork(#""isolate": "containers""#) { host, _ in
      let web = try host.started("web", ["wirehook.ip": "100.1.1.6/24"])
      let db = try host.started("db", ["wirehook.ip": "100.1.1.7/24"])
      try db.serve(5432)
      #expect(try web.ask("100.1.1.7", 5432).server == nil)
      try host.mend(["web", "db:5432"], stop: "switch", said: "Flow is between protected ports")
      #expect(try web.ask("100.1.1.7", 5432, within: .seconds(5)).server == "db")
    }
  }

  @Test func aMACThatIsLearnedElsewhereIsForgottenByTheCommand() throws {
    try prepared { host, ovs, web, db in
      try host.sh(
        "ovs-appctl -t \(ovs.control) fdb/add br1 \(try ovs.hostEnd(of: "web")) 0 \(try db.mac(of: "eth0"))")
      let stolen = try host.path(["web", "db:5432"])
      #expect(stolen.exitCode == 1 && stolen.stdout.contains("br1 drops it"), "\(stolen)")
      #expect(stolen.stdout.contains("behind \(try ovs.hostEnd(of: "web"))"), "\(stolen)")
      try host.sh("ovs-appctl -t \(ovs.control) fdb/flush br1")
    }
  }

  @Test func aDaemonThatDoesNotAnswerIsSaidToBeSilent() throws {
    try prepared { host, ovs, _, _ in
      for trouble in [ovs.pause, ovs.kill] {
        trouble(.daemon)
        let result = try host.path(["web", "db:5432"])
        #expect(result.exitCode == 0, "\(result)")
        #expect(result.stdout.contains("br1 was not asked (ofproto/trace)"), "\(result)")
      }
      ovs.kill(.database)
      let blind = try host.path(["web", "db:5432"])
      #expect(blind.stdout.contains("Open vSwitch does not say what is on br1"), "\(blind)")
    }
  }

  @Test func whatIsOnAnotherHostLeavesByTheTunnel() throws {
    try HostPair.switched { one, two in
      for (number, ovs) in [one, two].enumerated() {
        let (own, other) = (HostPair.addresses[number], HostPair.addresses[1 - number])
        try ovs.writeNetwork(
          gateway: "100.1.1.\(253 + number)", #""vxlan": {"id": 42, "local": "\#(own)", "remotes": ["\#(other)"]}"#)
      }
      let left = try one.host.started("c1", ["wirehook.ip": "100.1.1.1/24"])
      let right = try two.host.started("c1", ["wirehook.ip": "100.1.1.2/24"])
      try right.serve(80)
      #expect(try left.pings("100.1.1.2", attempts: 20, within: 10))
      let result = try one.host.path(["c1", "100.1.1.2:80"])
      #expect(result.exitCode == 0 && result.stdout.contains("by the tunnel to 192.168.1.10"), "\(result)")
    }
  }
}

extension RealSwitch {
  /// The daemon's control socket, as `ovs-appctl -t` takes it.
  fileprivate var control: String { socket.replacing("db.sock", with: "ovs-vswitchd.ctl") }
}
