import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// Published ports that a program of the host took later, or that an outgoing connection may take.
enum PortCheck {
  static func findings(_ containers: [WiredContainer]) -> [Doctor.Finding] {
    let probe = HostPortProbe(deadline: .after(milliseconds: 5000))
    var findings: [Doctor.Finding] = []
    var ephemeral: Set<UInt16> = []
    let range = probe.ephemeralRange()
    let reserved = reservedPorts()
    for container in containers {
      for port in container.attachment.ports {
        findings += shadowed(port.mapping, container.attachment.container.owner, probe)
        let number = port.mapping.hostPort
        if range.contains(number), !reserved.contains(where: { $0.contains(number) }) { ephemeral.insert(number) }
      }
    }
    guard !ephemeral.isEmpty else { return findings }
    let list = ephemeral.sorted().map(String.init).joined(separator: ",")
    let all = (reserved.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" } + [list])
      .joined(separator: ",")
    return findings + [
      Doctor.Finding(
        .warning, "ports \(list)",
        "published, and within net.ipv4.ip_local_port_range (\(range.lowerBound)-\(range.upperBound)): the host's own "
          + "connections may take the same number",
        "sysctl -w net.ipv4.ip_local_reserved_ports=\(all)")
    ]
  }

  /// A program that listens on a published port never gets a packet from elsewhere: DNAT comes first.
  private static func shadowed(_ mapping: PortMapping, _ owner: String, _ probe: HostPortProbe) -> [Doctor.Finding] {
    let addresses = mapping.hostAddress.map { [$0] } ?? [.any(.ipv4), .any(.ipv6)]
    for address in addresses where !probe.isFree(mapping.transport, address, mapping.hostPort) {
      let holder = probe.holder(mapping.transport, address, mapping.hostPort)
      return [
        Doctor.Finding(
          .warning, "port \(mapping.hostPort)/\(mapping.transport.rawValue)",
          "\(holder), and gets nothing: container \(owner.quoted) publishes it",
          "stop that program, or publish another port")
      ]
    }
    return []
  }

  private static func reservedPorts() -> [ClosedRange<UInt16>] {
    let text = (try? Sysctl("net", "ipv4", "ip_local_reserved_ports").read()) ?? ""
    return text.split(separator: ",").compactMap { part in
      let ends = part.split(separator: "-").compactMap { DecimalNumber.parse($0, upTo: 65_535) }.map { UInt16($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return nil }
      return first...last
    }
  }
}
