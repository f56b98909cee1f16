import Foundation
import Glibc
import Testing
import WireCore

@testable import WireNFTables

@Suite struct NFTablesChanges {
  private func host(with elements: [Element] = []) throws -> LabNamespace {
    let host = LabNamespace()
    try host.firewall { firewall throws(NFTablesError) in try firewall.build(elements: elements, deadline: soon) }
    return host
  }

  @Test func everySetReadsBackWhatWasPutIn() throws {
    let samples = NFTablesElements.samples
    // The table for bridges is there only where it is wanted.
    let host = try host(with: samples.filter { $0.set.table == .bridge })
    try host.firewall { firewall throws(NFTablesError) in
      try firewall.add(samples, deadline: soon)
      try firewall.add(samples, deadline: soon)
    }
    let found = try host.firewall { firewall throws(NFTablesError) in
      var found: [Element] = []
      for set in SetName.allCases { found += try firewall.elements(of: set, deadline: soon) }
      return found
    }
    #expect(Set(found) == Set(samples))
    #expect(
      try host.firewall { firewall throws(NFTablesError) in try firewall.missing(of: samples, deadline: soon) } == [])
    let left = try host.firewall { firewall throws(NFTablesError) in
      try firewall.remove(samples, deadline: soon)
      try firewall.remove(samples, deadline: soon)
      return try firewall.missing(of: samples, deadline: soon)
    }
    #expect(left == samples)
  }

  @Test(arguments: ["0.0.0.0/0", "255.255.255.0/24", "10.0.0.0/24", "10.0.1.0/24", "::/0", "ff00::/8"])
  func anIntervalAtAnEdgeReadsBack(_ text: String) throws {
    let neighbours: [Element] =
      text.hasPrefix("10.") ? [.masquerade(prefix("10.0.0.0/24")), .masquerade(prefix("10.0.1.0/24"))] : []
    let element = Element.masquerade(prefix(text))
    let host = try host(with: neighbours)
    let found = try host.firewall { firewall throws(NFTablesError) in
      try firewall.add([element], deadline: soon)
      return try firewall.elements(of: element.set, deadline: soon)
    }
    #expect(Set(found) == Set(neighbours + [element]))
  }

  @Test func aPortWithOtherDataIsReplaced() throws {
    let old = port(8080, to: "10.210.4.2")
    let new = port(8080, to: "10.210.4.3")
    let host = try host(with: [old])
    let found = try host.firewall { firewall throws(NFTablesError) in
      try firewall.add([.segment(link("br0")), new], deadline: soon)
      return try firewall.elements(of: .ports4, deadline: soon)
    }
    #expect(found == [new])
  }

  @Test func whatIsSomebodyElsesByNowStays() throws {
    let mine = (1...20).map { port($0, to: "10.210.4.2") }
    let theirs = port(7, to: "10.210.4.3")
    let host = try host(with: mine.filter { $0.key != theirs.key } + [theirs])
    let found = try host.firewall { firewall throws(NFTablesError) in
      try firewall.remove(mine, deadline: soon)
      return try firewall.elements(of: .ports4, deadline: soon)
    }
    #expect(found == [theirs])
  }

  @Test func anOverlappingSubnetIsNamedAsSuch() throws {
    let host = try host(with: [.masquerade(prefix("10.210.0.0/16"))])
    let error = #expect(throws: NFTablesError.self) {
      try host.firewall { firewall throws(NFTablesError) in
        try firewall.add([.masquerade(prefix("10.210.4.0/24"))], deadline: soon)
      }
    }
    #expect(error?.kind == .exists)
  }

  @Test func withoutTheTableAddingSaysMissingAndRemovingIsDone() throws {
    let host = LabNamespace()
    let element = port(8080, to: "10.210.4.2")
    let error = #expect(throws: NFTablesError.self) {
      try host.firewall { firewall throws(NFTablesError) in try firewall.add([element], deadline: soon) }
    }
    #expect(error?.kind == .missing)
    let (missing, version) = try host.firewall { firewall throws(NFTablesError) in
      try firewall.remove([element, .segment(link("br0"))], deadline: soon)
      return (try firewall.missing(of: [element], deadline: soon), try firewall.version(deadline: soon))
    }
    #expect(missing == [element])
    #expect(version == nil)
  }

  @Test func aThousandPortsAreOneTransaction() throws {
    let ports = (1...1000).flatMap { [port($0, to: "10.210.4.2"), port($0, to: "fd42:210:4::2")] }
    let host = try host()
    let (present, left) = try host.firewall { firewall throws(NFTablesError) in
      try firewall.add(ports, deadline: soon)
      let present = try firewall.elements(of: .ports4, deadline: soon).count
      try firewall.remove(ports, deadline: soon)
      return (present, try firewall.elements(of: .ports6, deadline: soon).count)
    }
    #expect(present == 1000)
    #expect(left == 0)
  }

  @Test func oneBadElementLeavesNothingOfItsTransaction() throws {
    let host = try host(with: [.masquerade(prefix("10.210.0.0/16"))])
    let elements = [port(8080, to: "10.210.4.2"), .masquerade(prefix("10.210.4.0/24"))]
    let missing = try host.firewall { firewall throws(NFTablesError) in
      do throws(NFTablesError) { try firewall.add(elements, deadline: soon) } catch { _ = error }
      return try firewall.missing(of: elements, deadline: soon)
    }
    #expect(missing == elements)
  }

  @Test func eightBuildersMakeOneTable() throws {
    let host = LabNamespace()
    let errors = Locked<[String]>([])
    let group = DispatchGroup()
    for number in 1...8 {
      group.enter()
      Thread {
        do {
          try host.firewall { firewall throws(NFTablesError) in
            try firewall.build(elements: [port(UInt16(number), to: "10.210.4.2")], deadline: soon)
          }
        } catch { errors.value.append("\(error)") }
        group.leave()
      }.start()
    }
    group.wait()
    #expect(errors.value == [])
    let ports = try host.firewall { firewall throws(NFTablesError) in try firewall.elements(of: .ports4, deadline: soon)
    }
    #expect(ports.count == 8)
    let listing = host.sh("nft list table inet wirehook")
    #expect(listing.components(separatedBy: "ip saddr @masq4 masquerade").count == 2)
  }

  @Test func aTableOfAnotherVersionIsReplaced() throws {
    let host = LabNamespace()
    host.sh("nft add table inet wirehook '{ comment \"wirehook ruleset 0\"; }'; nft add chain inet wirehook old")
    let element = port(8080, to: "10.210.4.2")
    let (before, after) = try host.firewall { firewall throws(NFTablesError) in
      let before = try firewall.version(deadline: soon)
      try firewall.build(elements: [element], deadline: soon)
      return (before, try firewall.version(deadline: soon))
    }
    #expect(before == 0)
    #expect(after == FirewallTable.inet.version)
    let listing = host.sh("nft list table inet wirehook")
    #expect(!listing.contains("chain old") && listing.contains("tcp . 8080 : 10.210.4.2 . 80"))
  }

  @Test func aFlushInBetweenIsSeenAsMissing() throws {
    let host = try host()
    let kinds = try host.firewall { firewall throws(NFTablesError) in
      var kinds: [NFTablesError.Kind] = []
      for round in 1...40 {
        if round.isMultiple(of: 10) { host.sh("nft delete table inet wirehook") }
        do throws(NFTablesError) { try firewall.add([port(UInt16(round), to: "10.210.4.2")], deadline: soon) } catch {
          kinds.append(error.kind)
          try firewall.build(elements: [], deadline: soon)
        }
      }
      return kinds
    }
    #expect(kinds == [.missing, .missing, .missing, .missing])
  }

  @Test(arguments: [
    "nft flush table inet wirehook", "nft flush chain inet wirehook forward",
    "nft delete rule inet wirehook input handle $(nft -a list chain inet wirehook input | sed -n 's/.*icmpv6.*handle //p')",
  ])
  func whatAFlushTookIsPutBack(_ command: String) throws {
    let element = port(8080, to: "10.210.4.2")
    let host = try host(with: [element])
    let before = host.sh("nft list ruleset")
    host.sh(command)
    let intact = try host.firewall { firewall throws(NFTablesError) in
      let damaged = try firewall.isIntact(deadline: soon)
      try firewall.rebuild(elements: [element], deadline: soon)
      return [damaged, try firewall.isIntact(deadline: soon)]
    }
    #expect(intact == [false, true])
    #expect(host.sh("nft list ruleset") == before)
  }
}
