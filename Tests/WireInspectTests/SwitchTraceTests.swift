import Testing
import WireCore
import WireInspect

/// What ovs-vswitchd 3.1 was seen to write.
@Suite struct SwitchTraceTests {
  private func flow(_ lines: String, actions: String) -> SwitchTrace {
    SwitchTrace(
      """
      Flow: icmp,in_port=p1,vlan_tci=0x0000

      bridge("br1")
      -------------
      \(lines)

      Final flow: unchanged
      Megaflow: recirc_id=0,eth,ip,in_port=p1,nw_frag=no
      Datapath actions: \(actions)
      """)
  }

  @Test func aDropNamesItsFlow() {
    let trace = flow(" 0. icmp,nw_dst=10.0.0.2, priority 500, cookie 0x77\n    drop", actions: "drop")
    #expect(trace.isDropped)
    #expect(trace.rules.map(\.match) == ["icmp,nw_dst=10.0.0.2"])
    #expect(trace.rules.map(\.priority) == [500] && trace.rules.map(\.actions) == [["drop"]])
  }

  @Test func aTableWithoutAFlowForItIsNamed() {
    let trace = flow(" 0. priority 9\n    resubmit(,2)\n 2. No match.\n    drop", actions: "drop")
    #expect(trace.rules.map(\.table) == [0, 2])
    #expect(trace.rules.map(\.priority) == [9, nil])
    #expect(trace.rules[0].match == "")
  }

  @Test func portsAreTakenOutOfTheDatapathsActions() {
    let trace = flow(
      " 0. priority 0\n    NORMAL\n     -> no learned MAC for destination, flooding",
      actions: "push_vlan(vid=10,pcp=0),br1,\"1a-b\",pop_vlan,clone(ct(commit),p2),ct,recirc(0x2)")
    #expect(trace.outputs == ["br1", "1a-b", "p2"])
    #expect(trace.remarks == ["no learned MAC for destination, flooding"])
  }

  @Test func tunnelsOfTheKernelAndOfUserspaceAreNamedByTheirOtherEnd() {
    let kernel = flow(
      " 0. priority 0\n    NORMAL\n     -> output to kernel tunnel",
      actions:
        "set(tunnel(tun_id=0x2a,src=192.168.1.9,dst=192.168.1.10,ttl=64,tp_dst=4789,flags(df|key))),vxlan_sys_4789")
    #expect(kernel.tunnels == [IPAddress(.ipv4, 0xc0a8_010a)])
    let userspace = flow(
      """
       0. priority 0
          NORMAL
           -> output to native tunnel
           -> tunneling to 192.168.1.10 via br-ex
           -> neighbor cache miss for 192.168.1.10 on bridge br-ex, sending ARP request
      """, actions: "drop")
    #expect(userspace.tunnels == [IPAddress(.ipv4, 0xc0a8_010a)])
    #expect(!userspace.isDropped)
  }

  @Test(arguments: [
    "", "x", "bridge(\"", "999. priority 1", " 0. priority", "Datapath actions: ((", "Datapath actions: )a,b",
  ])
  func whatIsNoTraceIsNoTrouble(_ text: String) {
    #expect(SwitchTrace(text).rules.isEmpty)
  }

  @Test func aFrameIsSpelledAsOVSTakesIt() {
    let (web, db) = (IPAddress(.ipv4, 0x6401_0106), IPAddress(.ipv4, 0x6401_0107))
    var packet = PathPacket(.tcp, from: web, to: db, 80)
    var frame = SwitchFrame(on: "br1", by: "p1", from: MACAddress(1), to: MACAddress(2), db, packet)
    let ends = "dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,nw_dst=100.1.1.7,nw_ttl=64,nw_src=100.1.1.6"
    #expect(frame.flow(enteringBy: 3) == "tcp,in_port=3,\(ends),tcp_dst=80,tcp_flags=0x2")
    packet.transport = nil
    packet.isAnswer = true
    frame.packet = packet
    #expect(frame.flow(enteringBy: 3) == "icmp,in_port=3,\(ends),icmp_type=0")
    frame.target = nil
    #expect(
      frame.flow(enteringBy: 65_534)
        == "arp,in_port=65534,dl_src=00:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_tpa=100.1.1.7,arp_spa=100.1.1.6"
    )
  }
}
