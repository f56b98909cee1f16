import WireCore
package import WirePlan

/// The topology for Mermaid, which GitHub and GitLab draw in Markdown.
package enum TopologyMermaid {
  package static func draw(_ topology: Topology) -> String {
    var lines = ["flowchart LR"]
    let nodes = Nodes(topology)
    lines.append("  subgraph host[\(quoted([topology.host]))]")
    for (index, link) in topology.links.enumerated() {
      lines.append("    l\(index)[\(quoted([link.name] + link.addresses.map { $0.description }))]")
    }
    for (index, bridge) in topology.bridges.enumerated() {
      let networks = bridge.networks.map { "network \($0.name)" }
      let label = quoted([bridge.name] + networks + bridge.addresses.map { $0.description })
      lines.append("    b\(index)[[\(label)]]")
    }
    lines.append("  end")
    for (index, container) in topology.containers.enumerated() {
      let interfaces = container.interfaces.flatMap { $0.addresses.map { $0.description } }
      lines.append("  c\(index)(\(quoted([container.name] + interfaces)))")
    }
    lines += edges(topology, nodes)
    lines.append("  classDef uplink stroke-width:3px")
    let uplinks = topology.links.indices.filter { !topology.links[$0].uplinkOf.isEmpty }
    if !uplinks.isEmpty { lines.append("  class \(uplinks.map { "l\($0)" }.joined(separator: ",")) uplink") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func edges(_ topology: Topology, _ nodes: Nodes) -> [String] {
    var lines: [String] = []
    for (index, link) in topology.links.enumerated() {
      if let bridge = link.master.flatMap({ nodes.bridges[$0] }) { lines.append("  l\(index) --- b\(bridge)") }
      guard !link.uplinkOf.isEmpty else { continue }
      for bridge in nodes.routed { lines.append("  l\(index) -.- b\(bridge)") }
    }
    for (index, bridge) in topology.bridges.enumerated() {
      for (number, tunnel) in bridge.tunnels.enumerated() {
        let text = quoted([tunnel.kind + (tunnel.key.map { " \($0)" } ?? ""), tunnel.remote?.description ?? ""])
        lines.append("  t\(index)_\(number){{\(text)}} -.- b\(index)")
      }
    }
    for (index, container) in topology.containers.enumerated() {
      for interface in container.interfaces {
        guard let bridge = nodes.bridges[interface.bridge] else { continue }
        let vlan = interface.vlan.map { " VLAN \($0)" } ?? ""
        lines.append("  b\(bridge) ---|\(quoted([interface.name + vlan]))| c\(index)")
      }
      for (number, port) in PortRange.joining(container.ports.map { $0.mapping }).enumerated() {
        let label = quoted(["\(port.host)/\(port.transport)"])
        lines.append("  p\(index)_\(number)>\(label)] ==>|\(quoted([port.container]))| c\(index)")
      }
    }
    return lines
  }

  /// Lines as one quoted string, with Mermaid's own escapes (`#quot;`): everything but letters, digits and a few harmless
  /// signs becomes its number, so nothing is read as markup, Markdown or a link.
  static func quoted(_ lines: [String]) -> String {
    let lines = lines.filter { !$0.isEmpty }.map { line in
      var text = ""
      for scalar in Printable.line(line, limit: 200).unicodeScalars {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", " ", ".", ":", "/", "-", "_", ",": text.unicodeScalars.append(scalar)
        default: text += scalar.isASCII ? "#\(scalar.value);" : String(scalar)
        }
      }
      return text
    }
    return "\"" + lines.joined(separator: "<br/>") + "\""
  }
}
