import WireCore
import WireLinux
import WireNFTables
import WireNetlink
import WirePlan

/// Other firewalls: those that drop what we accept, and those whose INPUT rules a published port does not pass.
enum FirewallCheck {
  static func findings(_ wanted: WantedState, _ route: borrowing NetlinkSocket) throws(WireError) -> [Doctor.Finding] {
    let deadline = Deadline.after(milliseconds: 5000)
    let drops = try ForeignFirewalls.findings(wanted.expected, route, until: deadline)
    var findings = drops.map { drop in
      Doctor.Finding(drop.isCertain ? .error : .warning, "firewall", drop.text, drop.command)
    }
    if findings.isEmpty { findings.append(Doctor.Finding(.ok, "firewall", "no other one drops what is published")) }
    return findings + (try bypassed(wanted.containers, route, until: deadline))
  }

  /// Published ports that the host's INPUT rules would deny: they are open all the same, for after DNAT a packet is
  /// forwarded and never sees those rules. Whoever relies on them should know.
  private static func bypassed(
    _ containers: [WiredContainer], _ route: borrowing NetlinkSocket, until deadline: Deadline
  ) throws(WireError) -> [Doctor.Finding] {
    let published = containers.flatMap { container in
      container.attachment.ports.filter { $0.allow == nil }.map { (container, $0.mapping) }
    }
    guard !published.isEmpty else { return [] }
    let tables = try ForeignFirewalls.read([.input], until: deadline).filter { $0.kind != .bridge }
    var findings: [Doctor.Finding] = []
    for family in Family.allCases {
      let outside = try ForeignFirewalls.uplink(family, route, until: deadline)
      for (container, mapping) in published where isOpen(mapping, family) {
        let traveller = Traveller(
          family: family, hook: .input, input: outside, transport: mapping.transport.number, port: mapping.hostPort)
        for table in tables where table.kind.sees(family) {
          for base in table.chains where base.hook == .input {
            guard case .drops(let place) = Traversal.result(of: traveller, at: base, in: table) else { continue }
            findings.append(bypass(container, mapping, table, place))
          }
        }
      }
    }
    // An inet table denies both families.
    var seen: Set<Doctor.Finding> = []
    return findings.filter { seen.insert($0).inserted }
  }

  private static func isOpen(_ mapping: PortMapping, _ family: Family) -> Bool {
    mapping.hostAddress.map { $0.family == family && !$0.isLoopback } ?? true
  }

  private static func bypass(
    _ container: WiredContainer, _ mapping: PortMapping, _ table: FilterTable, _ place: Traversal.Place
  ) -> Doctor.Finding {
    Doctor.Finding(
      .warning,
      "port \(mapping.hostPort)/\(mapping.transport.rawValue) of \(container.attachment.container.owner.quoted)",
      "everybody may call it, though table \(table.kind.family) \(table.name) chain \(place.chain) denies it: "
        + "a published port is forwarded and does not pass INPUT",
      "limit who may call it with wirehook.allow")
  }
}
