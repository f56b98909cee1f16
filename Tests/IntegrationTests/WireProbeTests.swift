import Foundation
import Support
import Testing

/// A bridge that is a real LAN, on which somebody else may have an address of the pool (field case B37).
@Suite(needsRoot) struct WireProbeTests {
  /// A host with the bridge `br3` in a LAN, where a machine has the addresses .5 and ::5, and the network `lan` on it.
  private func withLAN(
    probe: Bool = true, range: (String, String) = ("192.168.50.4/30", "fd50::4/126"),
    _ body: (Sandbox, Neighbour) throws -> Void
  ) throws {
    try Sandbox.with { host in
      let machine = try host.neighbour("lan", link: "lan0")
      try machine.ip("addr add 192.168.50.5/24 dev eth0")
      try machine.ip("addr add fd50::5/64 dev eth0 nodad")
      try host.ip("link add br3 type bridge")
      try host.ip("link set lan0 master br3")
      try host.ip("link set br3 up")
      try host.writeNetwork(
        "lan",
        """
        {"driver": "bridge", "bridge": "br3", "managed": false, \(probe ? #""probe": true,"# : "")
         "subnets": [{"subnet": "192.168.50.0/24", "range": "\(range.0)", "exclude": ["192.168.50.4"]},
                     {"subnet": "fd50::/64", "range": "\(range.1)", "exclude": ["fd50::4"]}]}
        """)
      // The bridge must forward: its ports begin to when the kernel has looked at their carrier.
      let isUp = try eventually(within: .seconds(20)) {
        try host.run(["bridge", "link", "show", "dev", "lan0"]).stdout.contains("state forwarding")
      }
      #expect(isUp)
      try body(host, machine)
    }
  }

  @Test func anAddressThatSomebodyHasIsPassedOver() throws {
    try withLAN { host, machine in
      let web = try host.started("web", ["wirehook.network": "lan"])
      #expect(try web.addresses("eth0") == ["192.168.50.6/24", "fd50::6/64"])
      #expect(try machine.pings("192.168.50.6", attempts: 3, within: 5))
      let checked = try host.wirehook("check")
      #expect(checked.exitCode == 0, "\(checked)")
      try host.stop(web)
      // It comes back, and gets what it had.
      let again = try host.started("web", ["wirehook.network": "lan"])
      #expect(try again.addresses("eth0") == ["192.168.50.6/24", "fd50::6/64"])
      let next = try host.started("next", ["wirehook.network": "lan"])
      #expect(try next.addresses("eth0") == ["192.168.50.7/24", "fd50::7/64"])
    }
  }

  @Test func withoutAProbeNobodyIsAsked() throws {
    try withLAN(probe: false) { host, _ in
      let web = try host.started("web", ["wirehook.network": "lan"])
      #expect(try web.addresses("eth0") == ["192.168.50.5/24", "fd50::5/64"])
    }
  }

  @Test(arguments: ["192.168.50.5", "fd50::5"]) func anAddressThatIsAskedForIsRefusedByTheMACThatHasIt(
    _ address: String
  ) throws {
    try withLAN { host, machine in
      let mac = try machine.mac(of: "eth0")
      let web = try host.container("web")
      try expectRefused(
        host, web, ["wirehook.network": "lan", "wirehook.ip": address], naming: address, mac, "bridge br3")
      try host.attach(web, ["wirehook.network": "lan", "wirehook.ip": "192.168.50.77"])
      #expect(try web.addresses("eth0") == ["192.168.50.77/24", "fd50::6/64"])
    }
  }

  @Test func whereOthersHaveThePoolThatIsSaid() throws {
    try withLAN(range: ("192.168.50.4/31", "fd50::4/126")) { host, _ in
      try expectRefused(
        host, host.container("web"), ["wirehook.network": "lan"], naming: "is taken", "other machines on bridge br3")
    }
  }

  /// What it has stays as it is when a second network is refused.
  @Test func aRunningContainerKeepsWhatItHas() throws {
    try withLAN { host, _ in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      let before = try host.snapshot()
      let refused = try host.wirehook("attach", "web", "--network", "lan:lan0", "--ip", "192.168.50.5")
      expectOneErrorLine(refused, naming: ["192.168.50.5", "bridge br3"])
      try expectUnchanged(host, since: before)
      let added = try host.wirehook("attach", "web", "--network", "lan:lan0")
      #expect(added.exitCode == 0, "\(added)")
      #expect(try web.addresses("lan0") == ["192.168.50.6/24", "fd50::6/64"])
      #expect(try web.links() == ["eth0", "lan0", "lo"])
    }
  }

  @Test func aBridgeThatIsDownCannotBeAsked() throws {
    try withLAN { host, _ in
      try host.ip("link set br3 down")
      try expectRefused(
        host, host.container("web"), ["wirehook.network": "lan"], naming: "bridge br3", "Network is down")
    }
  }

  /// Two hosts on the LAN start a container at once: never do both take one address.
  @Test func whoAsksAtTheSameTimeTakesAnother() throws {
    try withLAN { host, machine in
      try machine.ip("addr flush dev eth0")
      let frame = try Frame.arpRequest(for: "192.168.50.5", from: "0.0.0.0", mac: machine.mac(of: "eth0"))
      let other = Thread {
        for _ in 0..<400 {
          try? machine.send(frame, by: "eth0")
          usleep(10_000)
        }
      }
      other.start()
      let web = try host.started("web", ["wirehook.network": "lan"])
      #expect(try web.addresses("eth0") == ["192.168.50.6/24", "fd50::5/64"])
    }
  }
}
