import Support
import Testing

/// The tests' own tools, proved with plain `ip` and `nft`: what they report of wirehook is worth no more than this.
@Suite(.enabled(if: Tool.root.isThere, "needs root"))
struct SandboxTests {
  /// A container behind a bridge, wired by hand, with TCP and UDP port 8080 of the host published by plain DNAT.
  private func wireByHand(_ host: Sandbox, _ container: Container) throws {
    try host.ip("link add br-hand type bridge")
    try host.ip("addr add 10.9.0.1/24 dev br-hand")
    try host.ip("addr add fd09::1/64 dev br-hand nodad")
    // Without a link-local address the kernel solicits no neighbour for what it forwards; that address waits for DAD.
    try host.setSysctl("net/ipv6/conf/br-hand/accept_dad", "0")
    try host.ip("link set br-hand up")
    try host.ip("link add hand0 master br-hand type veth peer name eth0 netns \(container.pid)")
    try host.ip("link set hand0 up")
    for line in [
      "link set lo up", "link set eth0 up", "addr add 10.9.0.2/24 dev eth0", "addr add fd09::2/64 dev eth0 nodad",
      "route add default via 10.9.0.1", "-6 route add default via fd09::1",
    ] { try container.ip(line) }
    try host.nft(
      """
      table inet hand {
        chain pre { type nat hook prerouting priority dstnat;
          ip daddr 192.168.77.1 meta l4proto {tcp,udp} th dport 8080 dnat ip to 10.9.0.2:80
          ip6 daddr fd77::1 meta l4proto {tcp,udp} th dport 8080 dnat ip6 to [fd09::2]:80
        }
      }
      """)
  }

  @Test func packetsFlowAndTheServerSeesWhoAsks() throws {
    try Sandbox.with { host in
      let container = try host.container("c1")
      try wireByHand(host, container)
      try container.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080) == .reply(from: "c1", seenAs: "192.168.77.2"))
      #expect(try host.outside.ask("fd77::1", 8080) == .reply(from: "c1", seenAs: "fd77::2"))
      #expect(try host.outside.askUDP("192.168.77.1", 8080) == .reply(from: "c1", seenAs: "192.168.77.2"))
      #expect(try host.outside.askUDP("fd77::1", 8080, from: 40_000) == .reply(from: "c1", seenAs: "fd77::2"))
      #expect(try host.ask("10.9.0.2", 80).client == "10.9.0.1")
      #expect(try host.ask("10.9.0.2", 81) == .refused)
      #expect(try host.askUDP("10.9.0.2", 81) == .refused)
      #expect(try host.ask("192.168.77.9", 80, within: .milliseconds(100)) == .silence)
      #expect(try host.pings("10.9.0.2"))
      #expect(try !host.pings("192.168.77.9", within: 1))
    }
  }

  @Test func aLongAnswerArrivesWhole() throws {
    try Sandbox.with { host in
      let server = try host.outside.serve(80, padding: 2_000_000)
      defer { server.stop() }
      #expect(try host.download("192.168.77.2", 80) > 2_000_000)
    }
  }

  @Test func aSnapshotShowsEveryChangeAndItsUndoing() throws {
    try Sandbox.with { host in
      let before = try host.snapshot()
      let container = try host.container("c1")
      try wireByHand(host, container)
      let changes = try host.snapshot().difference(from: before)
      for part in ["link up \"bridge\" \"br-hand\"", "address \"br-hand\" \"10.9.0.1\"/24", "nft rule", "route -6"] {
        #expect(changes.contains { $0.hasPrefix("+ ") && $0.contains(part) }, "\(part) in \(changes)")
      }
      try host.ip("link del br-hand")
      try host.ip("link del hand0")
      try host.nft("delete table inet hand")
      try expectUnchanged(host, since: before)
    }
  }

  @Test func aDeadContainersNamespaceDiesWithIt() throws {
    try Sandbox.with { host in
      let container = try host.container("c1")
      try wireByHand(host, container)
      try container.serve(80)
      container.kill()
      #expect(try eventually { try !host.links().contains("hand0") })
    }
  }

  @Test func nothingRemainsOfASandbox() throws {
    var names: [String] = []
    try Sandbox.with { host in
      names = [host.netns, host.outside.netns, host.folder]
      #expect(names.allSatisfy { Sandbox.inode($0) != nil })
    }
    #expect(names.allSatisfy { Sandbox.inode($0) == nil })
  }

  @Test func theBridgeFilterIsAsAskedFor() throws {
    for filtered in [true, false] {
      try Sandbox.with(.init(bridgeFilter: filtered)) { host in
        let value = try host.sysctl("net/bridge/bridge-nf-call-iptables")
        #expect(value == (filtered ? "1" : "0"))
      }
    }
  }

  @Test func aProgramPastItsTimeIsKilled() throws {
    var command = Command(["sleep", "60"])
    command.limit = .milliseconds(30)
    let result = try command.run()
    #expect(result.signal == 9)
    #expect(result.duration < .seconds(20))
  }

  @Test func aChildThatHoldsThePipesIsNoticed() throws {
    let holding = try Command(["sh", "-c", "sleep 2 & exit 0"]).run()
    let closing = try Command(["sh", "-c", "sleep 2 >/dev/null 2>&1 </dev/null & exit 0"]).run()
    #expect(holding.leftPipesOpen)
    #expect(!closing.leftPipesOpen)
  }
}
