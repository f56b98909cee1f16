import Glibc
import Testing
import WireCore

@testable import WireNFTables

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct NFTablesGuards {
  @Test func aGuardIsPrintedAsDocumented() throws {
    let lab = try GuardLab("whabc")
    try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.add([.segment(link("br0"))], guarding: [link("whabc")], deadline: soon)
      try firewall.add([], guarding: [link("whabc")], deadline: soon)
    }
    let listing = lab.host.sh("nft list chain inet wirehook ingress-whabc").replacing("\t", with: "  ")
    #expect(
      listing == """
        table inet wirehook {
          chain ingress-whabc {
            type filter hook ingress device "whabc" priority filter; policy drop;
          }
        }

        """)
    #expect(try lab.guards == ["whabc"])
    #expect(lab.host.sh("nft list set inet wirehook segments").contains("\"br0\""))
    // As a distribution does at boot.
    lab.host.sh("saved=$(nft -s list ruleset); nft flush ruleset; echo \"$saved\" | nft -f -")
    #expect(try lab.guards == ["whabc"])
  }

  @Test func theHostDoesNotHearWhatAPacketSocketStillSees() throws {
    let lab = try GuardLab("whabc")
    lab.host.sh("ip addr add 192.0.2.1/24 dev whabc")
    let mac = lab.host.sh("ip -br link show dev whabc | awk '{print $3}'")
    // A container that knows the MAC of its host end.
    lab.container.sh("ip addr add 192.0.2.2/24 dev eth0; ip neigh add 192.0.2.1 dev eth0 lladdr \(mac)")
    let ping = "ping -qc1 -W1 192.0.2.1 >/dev/null && echo answered || echo silence"
    #expect(lab.container.sh(ping) == "answered\n")

    try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.add([], guarding: [link("whabc")], deadline: soon)
    }
    let tap = lab.host.run { socket(AF_PACKET, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue), 0x0300) }
    defer { close(tap) }
    #expect(lab.container.sh(ping) == "silence\n")
    #expect(echoRequests(tap) == 1)

    try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.remove([], guarding: [link("whabc")], deadline: soon)
    }
    #expect(lab.container.sh(ping) == "answered\n")
  }

  /// How many ICMP echo requests a packet socket has got: EtherType, protocol and type at their places.
  private func echoRequests(_ tap: Int32) -> Int {
    var count = 0
    var frame = [UInt8](repeating: 0, count: 2048)
    while true {
      let length = recv(tap, &frame, frame.count, 0)
      guard length > 0 else { return count }
      if length > 34, frame[12..<14] == [0x08, 0x00], frame[23] == 1, frame[34] == 8 { count += 1 }
    }
  }

  @Test func removalIsDoneWhateverIsGone() throws {
    let lab = try GuardLab("wha", "whb", "whc")
    let element = port(8080, to: "10.210.4.2")
    try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.add([element], guarding: [link("wha"), link("whb"), link("whc")], deadline: soon)
    }
    lab.host.sh("ip link del wha; nft delete chain inet wirehook ingress-whb")
    let (left, missing) = try lab.host.firewall { firewall throws(NFTablesError) in
      for _ in 1...2 {
        try firewall.remove([element], guarding: [link("wha"), link("whb"), link("nobody")], deadline: soon)
      }
      return (try firewall.guards(deadline: soon), try firewall.missing(of: [element], deadline: soon))
    }
    #expect(left == [link("whc")])
    #expect(missing == [element])
    lab.host.sh("nft delete table inet wirehook")
    try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.remove([element], guarding: [link("whc")], deadline: soon)
    }
    #expect(try lab.guards == [])
    #expect(lab.host.sh("nft list ruleset") == "")
  }

  @Test func aGuardGoesWhenAnElementIsSomebodyElses() throws {
    let lab = try GuardLab("wha")
    let (mine, theirs) = (port(8080, to: "10.210.4.2"), port(8080, to: "10.210.4.3"))
    let (guards, ports) = try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.add([theirs], guarding: [link("wha")], deadline: soon)
      try firewall.remove([mine], guarding: [link("wha")], deadline: soon)
      return (try firewall.guards(deadline: soon), try firewall.elements(of: .ports4, deadline: soon))
    }
    #expect(guards == [])
    #expect(ports == [theirs])
  }

  @Test func aRefusedElementLeavesNoGuard() throws {
    let lab = try GuardLab("wha")
    let error = #expect(throws: NFTablesError.self) {
      try lab.host.firewall { firewall throws(NFTablesError) in
        try firewall.add([.masquerade(prefix("10.210.0.0/16"))], deadline: soon)
        try firewall.add([.masquerade(prefix("10.210.4.0/24"))], guarding: [link("wha")], deadline: soon)
      }
    }
    #expect(error?.kind == .exists)
    #expect(try lab.guards == [])
  }

  @Test func aLinkThatIsNotThereIsNamed() throws {
    let lab = try GuardLab()
    let error = #expect(throws: NFTablesError.self) {
      try lab.host.firewall { firewall throws(NFTablesError) in
        try firewall.add([.segment(link("br0"))], guarding: [link("nobody")], deadline: soon)
      }
    }
    #expect(error?.description == "guarding link nobody: No such device")
    #expect(!lab.host.sh("nft list table inet wirehook").contains("br0"))
  }

  @Test func aRebuiltTableGuardsTheLinksThatAreThere() throws {
    let lab = try GuardLab("wha", "whb")
    let element = port(8080, to: "10.210.4.2")
    let wanted = [link("wha"), link("nobody"), link("whb")]
    lab.host.sh("nft flush table inet wirehook")
    let (damaged, intact) = try lab.host.firewall { firewall throws(NFTablesError) in
      let intact = try firewall.isIntact(deadline: soon)
      try firewall.rebuild(elements: [element], guarding: wanted, deadline: soon)
      return (!intact, try firewall.isIntact(deadline: soon))
    }
    #expect(damaged && intact)
    #expect(Set(try lab.guards) == ["wha", "whb"])

    lab.host.sh("nft add table inet other; nft delete table inet wirehook")
    try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.build(elements: [element], guarding: [link("nobody"), link("wha")], deadline: soon)
      try firewall.build(elements: [element], guarding: [link("nobody"), link("whb")], deadline: soon)
    }
    #expect(Set(try lab.guards) == ["wha", "whb"])
  }

  @Test func anotherVersionsGuardsGoWithItsTable() throws {
    let lab = try GuardLab("wha", "whb")
    lab.host.sh(
      """
      nft delete table inet wirehook; nft add table inet wirehook '{ comment "wirehook ruleset 0"; }'
      nft add chain inet wirehook ingress-wha '{ type filter hook ingress device "wha" priority filter; policy drop; }'
      """)
    try lab.host.firewall { firewall throws(NFTablesError) in
      try firewall.build(elements: [], guarding: [link("whb")], deadline: soon)
    }
    #expect(try lab.guards == ["whb"])
  }

  @Test(arguments: [
    "type filter hook ingress device \"wha\" priority filter; policy accept;",
    "type filter hook ingress device \"whb\" priority filter; policy drop;",
    "type filter hook prerouting priority filter; policy drop;", "",
  ])
  func aChainThatGuardsNothingIsNotListed(_ text: String) throws {
    let lab = try GuardLab("wha", "whb")
    lab.host.sh("nft add chain inet wirehook ingress-wha '{ \(text) }'")
    #expect(try lab.guards == [])
  }
}

/// A host with the table, and a veth for each of `links` to a container.
private final class GuardLab {
  let (host, container) = (LabNamespace(), LabNamespace())

  init(_ links: String...) throws {
    for (number, name) in links.enumerated() {
      host.sh("ip link add \(name) up type veth peer name eth\(number) netns \(container.path)")
      container.sh("ip link set eth\(number) up")
    }
    try host.firewall { firewall throws(NFTablesError) in try firewall.build(elements: [], deadline: soon) }
  }

  var guards: [String] {
    get throws {
      try host.firewall { firewall throws(NFTablesError) in try firewall.guards(deadline: soon).map { "\($0)" } }
    }
  }
}
