import Foundation
import Support
import Testing

/// `check` sees what somebody took away, `repair` puts it back (field case B38).
@Suite(needsRoot) struct RepairTests {
  /// What is done to the host or the container, and a word of what `check` then says.
  private static let damages: [(name: String, damage: @Sendable (Sandbox, Container) throws -> Void, said: String)] = [
    ("the ruleset is flushed", { host, _ in try host.nft("flush ruleset") }, "inet wirehook"),
    ("one rule is flushed", { host, _ in try host.nft("flush chain inet wirehook pre") }, "was changed"),
    (
      "a port is taken out of the map",
      { host, _ in try host.nft("delete element inet wirehook ports4 { tcp . 8080 }") }, "ports4"
    ),
    ("the bridge is deleted", { host, _ in try host.ip("link del wh-front") }, "wh-front"),
    ("the bridge is down", { host, _ in try host.ip("link set wh-front down") }, "down"),
    ("the gateway address is gone", { host, _ in try host.ip("addr flush dev wh-front scope global") }, "10.210.4.1"),
    (
      "the host end is off the bridge",
      { host, web in try host.ip("link set \(try hostEnd(of: web, host)) nomaster") }, "no port of bridge"
    ),
    ("the pair is gone", { host, web in try host.ip("link del \(try hostEnd(of: web, host))") }, "is gone"),
    ("the container lost its route", { _, web in try web.ip("route del default") }, "route default"),
    ("the container lost its address", { _, web in try web.ip("addr flush dev eth0 scope global") }, "address"),
    ("the container's link is down", { _, web in try web.ip("link set eth0 down") }, "eth0"),
    (
      "Docker was started later",
      { host, _ in
        try host.nft(
          "add table ip filter { chain DOCKER-USER { return; }; chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }; }"
        )
      }, "DOCKER-USER"
    ),
    (
      "hairpin mode was switched off",
      { host, web in try host.sh("bridge link set dev \(try hostEnd(of: web, host)) hairpin off") }, "hairpin"
    ),
    (
      "a limit on the host is gone",
      { host, web in try host.sh("tc qdisc del dev \(try hostEnd(of: web, host)) root") }, "receives to 80mbit"
    ),
    (
      "the limit of what the container sends is gone",
      { host, web in try host.sh("tc qdisc del dev \(try hostEnd(of: web, host)) ingress") }, "sends to 90mbit"
    ),
    (
      "the shaper is gone",
      { host, _ in
        let shaper = try host.json("link show type ifb").array.first?["ifname"].string ?? ""
        try host.ip("link del \(shaper)")
      }, "sends to 90mbit"
    ),
    (
      "a setting in the container was changed",
      { _, web in try web.setSysctl("net/ipv4/conf/eth0/arp_notify", "0") }, "arp_notify is 0, and not 1"
    ),
    ("forwarding was switched off", { host, _ in try host.setSysctl("net/ipv4/ip_forward", "0") }, "forwarding"),
  ]

  /// The units of systemd run both on every host that has the package.
  @Test func aHostOnWhichNothingWasWiredStaysAsItIs() throws {
    try Sandbox.with { host in
      let before = try host.sh("nft list ruleset") + host.ip("-o link")
      for command in ["gc", "repair"] {
        let result = try host.wirehook(command)
        #expect(result.succeeded, "\(result)")
      }
      #expect(try host.sh("nft list ruleset") + host.ip("-o link") == before)
    }
  }

  @Test(arguments: 0..<18) func whatWasTakenAwayIsSeenAndPutBack(number: Int) throws {
    let (name, damage, said) = Self.damages[number]
    try Sandbox.with { host in
      let wish = [
        "wirehook.ports": "8080:80", "wirehook.bandwidth": "ingress=80mbit,egress=90mbit",
        "wirehook.sysctl": "net.ipv4.conf.eth0.arp_notify=1",
      ]
      let web = try host.started("web", wish)
      try web.serve(80)
      let clean = try host.wirehook("check")
      #expect(clean.exitCode == 0, "\(name): \(clean)")
      try damage(host, web)
      let seen = try host.wirehook("check")
      #expect(seen.exitCode == 1 && seen.stdout.contains(said), "\(name): \(seen)")
      let repaired = try host.wirehook("repair")
      #expect(repaired.exitCode == 0, "\(name): \(repaired)")
      #expect(try host.wirehook("check").exitCode == 0, "\(name)")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web", "\(name)")
      #expect(try host.outside.ask("fd77::1", 8080).server == "web", "\(name)")
    }
  }

  @Test func checkOfOneContainerSaysNothingOfAnother() throws {
    try Sandbox.with { host in
      _ = try host.started("one")
      let two = try host.started("two")
      try two.ip("link set eth0 down")
      #expect(try host.wirehook("check", "one").exitCode == 0)
      let seen = try host.wirehook("check", "two", "--json")
      #expect(seen.exitCode == 1)
      #expect(try JSON(parsing: seen.stdout).array.allSatisfy { $0["subject"].string == "container two" })
      #expect(try host.wirehook("check", "three").exitCode == 1)
    }
  }

  @Test func whatIsWiredByHandBesideUsStaysAsItIs() throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80"])
      try host.nft("add table inet theirs { chain c { type filter hook input priority 0; tcp dport 9 drop; }; }")
      try host.nft("delete table inet wirehook")
      let before = try host.sh("nft list table inet theirs")
      #expect(try host.wirehook("repair").exitCode == 0)
      #expect(try host.sh("nft list table inet theirs") == before)
    }
  }
}

private func hostEnd(of container: Container, _ host: Sandbox) throws -> String {
  let entry = try #require(try host.list().first { $0["id"].string == container.id })
  return try #require(entry["interfaces"][0]["host"].string)
}
