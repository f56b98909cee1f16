import Support
import Testing

/// What the hook is to do, done with the tools that people use: shows that the pretend hosts carry it.
@Suite(needsOVS) struct OVSByHandTests {
  /// The steps of `ovs-docker add-port`, and those that a userspace datapath needs beside.
  private func attach(_ container: Container, _ address: String, to ovs: RealSwitch, port: String = "") throws {
    let (host, link) = (ovs.host, "h-\(container.id)")
    try host.ip("link add \(link) mtu 1450 type veth peer name eth0 mtu 1450 netns \(container.pid)")
    try host.setSysctl("net/ipv6/conf/\(link)/disable_ipv6", "1")
    try host.ip("link set \(link) arp off up")
    try host.nft(
      """
      table inet hand {
        chain \(link) {
          type filter hook ingress device "\(link)" priority 0; policy drop;
        }
      }
      """)
    try ovs.vsctl("add-port br1 \(link) \(port)")
    try container.sh("ethtool -K eth0 tx off")
    try container.ip("addr add \(address) dev eth0")
    try container.ip("link set eth0 up")
  }

  @Test func twoHostsAreJoinedByATunnelThatTheFlowsChoose() throws {
    try HostPair.switched { one, two in
      for (ovs, remote) in [(one, "192.168.1.10"), (two, "192.168.1.9")] {
        try ovs.vsctl("add-br br1 -- set bridge br1 datapath_type=netdev")
        try ovs.vsctl(
          "add-port br1 vx -- set interface vx type=vxlan options:remote_ip=\(remote) options:key=flow")
      }
      let (left, right) = (try one.host.container("left"), try two.host.container("right"))
      try attach(left, "100.1.1.1/24", to: one)
      try attach(right, "100.1.1.2/24", to: two)
      #expect(try left.pings("100.1.1.2", within: 6))
      try left.serve(80, padding: 2_000_000)
      try right.serve(80, padding: 2_000_000)
      #expect(try right.download("100.1.1.1", 80) > 2_000_000)
      #expect(try left.download("100.1.1.2", 80) > 2_000_000)
    }
  }

  @Test func vlansIsolateAndTheHostEndHearsNothing() throws {
    try RealSwitch.with { host, ovs in
      try ovs.vsctl("add-br br1 -- set bridge br1 datapath_type=netdev")
      let ten = try host.container("ten")
      let twenty = try host.container("twenty")
      let also = try host.container("also")
      try attach(ten, "100.1.1.1/24", to: ovs, port: "tag=10")
      try attach(also, "100.1.1.2/24", to: ovs, port: "tag=10")
      try attach(twenty, "100.1.1.3/24", to: ovs, port: "tag=20")
      #expect(try ten.pings("100.1.1.2", within: 6))
      #expect(try !ten.pings("100.1.1.3", within: 0))
      #expect(try ovs.row("Port", "h-ten")["tag"].int == 10)
      let trunk = try host.container("trunk")
      try attach(trunk, "100.1.1.4/24", to: ovs, port: "vlan_mode=trunk trunks=10,30")
      for container in [ten, twenty] { try container.watchARP(for: "100.1.1.99") }
      let mac = try trunk.mac(of: "eth0")
      for vlan in [10, 20] as [UInt16] {
        try trunk.send(Frame.arpRequest(for: "100.1.1.99", from: "100.1.1.4", mac: mac, vlan: vlan), by: "eth0")
      }
      #expect(try eventually { try ten.seenARP() == 1 })
      #expect(try twenty.seenARP() == 0)
    }
  }

  @Test func theServersComeBackWithTheirDatabase() throws {
    try RealSwitch.with { host, ovs in
      try ovs.vsctl("add-br br1 -- set bridge br1 datapath_type=netdev external_ids:whose=mine")
      let before = try ovs.configuration()
      ovs.kill(.daemon)
      ovs.kill(.database)
      #expect(try !ovs.tryVsctl(["show"]).succeeded)
      try ovs.start(.database)
      try ovs.start(.daemon)
      #expect(try ovs.configuration() == before)
      #expect(try ovs.row("Bridge", "br1")["external_ids"]["whose"].string == "mine")
      #expect(try host.links().contains("br1"))
      ovs.pause(.daemon)
      #expect(
        try !ovs.tryVsctl(["--timeout=1", "add-br", "br2", "--", "set", "bridge", "br2", "datapath_type=netdev"])
          .succeeded)
      ovs.proceed(.daemon)
      try ovs.restart(.daemon)
      #expect(try ovs.bridges() == ["br1", "br2"])
      #expect(try ovs.rows("Interface", "name=br1").count == 1)
    }
  }

  @Test func aConnectionToTheDatabaseCanBeCut() throws {
    try RealSwitch.with { host, ovs in
      for (limit, isEnough) in [(1_000_000, true), (300, false)] {
        let cut = try FakeDatabase(at: "\(host.folder)/cut.sock", .cuts(after: limit, of: ovs.socket, closing: true))
        let result = try host.run(["ovs-vsctl", "--timeout=1", "--db=unix:\(cut.path)", "show"])
        cut.stop()
        #expect(result.succeeded == isEnough, "\(limit): \(result)")
      }
    }
  }

  @Test func twoHostsAreJoinedByTheKernelsVXLAN() throws {
    try HostPair.plain { one, two in
      var containers: [Container] = []
      for (host, address) in [(one, "100.1.1.1/24"), (two, "100.1.1.2/24")] {
        let own = HostPair.addresses[containers.count]
        let other = HostPair.addresses[1 - containers.count]
        try host.ip("link add br1 type bridge")
        try host.ip("link add vx type vxlan id 42 local \(own) dstport 4789")
        try host.sh("bridge fdb append 00:00:00:00:00:00 dev vx dst \(other)")
        for link in ["vx", "br1"] { try host.ip("link set \(link) up") }
        try host.ip("link set vx master br1")
        let container = try host.container("c\(containers.count)")
        try host.ip("link add host0 mtu 1450 type veth peer name eth0 mtu 1450 netns \(container.pid)")
        try host.ip("link set host0 master br1 up")
        try container.ip("addr add \(address) dev eth0")
        try container.ip("link set eth0 up")
        try container.serve(80, padding: 2_000_000)
        containers.append(container)
      }
      #expect(try containers[0].pings("100.1.1.2", within: 6))
      #expect(try containers[1].download("100.1.1.1", 80) > 2_000_000)
      #expect(try containers[0].download("100.1.1.2", 80) > 2_000_000)
    }
  }
}
