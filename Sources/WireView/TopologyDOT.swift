import WireCore
package import WirePlan

/// The topology for Graphviz: `wirehook graph --format dot | dot -Tsvg`.
package enum TopologyDOT {
  package static func draw(_ topology: Topology) -> String {
    var lines = [
      "graph wirehook {", "  rankdir=LR; ranksep=1.2; nodesep=0.2;", "  label=\(quoted([topology.host])); labelloc=t;",
      "  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"Helvetica\", fontsize=10];",
      "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#5b6778\"];",
    ]
    let nodes = Nodes(topology)
    for (index, link) in topology.links.enumerated() {
      let label = quoted([link.name] + link.addresses.map { $0.description })
      lines.append("  l\(index) [label=\(label), fillcolor=\"\(link.uplinkOf.isEmpty ? "#eef1f5" : "#dbe7fb")\"];")
    }
    for (index, bridge) in topology.bridges.enumerated() {
      lines.append("  b\(index) [label=\(quoted(describe(bridge))), fillcolor=\"#fbeed5\"];")
    }
    for (index, container) in topology.containers.enumerated() {
      lines.append("  c\(index) [label=\(quoted(describe(container))), fillcolor=\"#e3f4e8\"];")
    }
    lines += edges(topology, nodes)
    return (lines + ["}"]).joined(separator: "\n") + "\n"
  }

  private static func edges(_ topology: Topology, _ nodes: Nodes) -> [String] {
    var lines: [String] = []
    for (index, link) in topology.links.enumerated() {
      if let bridge = link.master.flatMap({ nodes.bridges[$0] }) { lines.append("  l\(index) -- b\(bridge);") }
    }
    for uplink in topology.links.indices where !topology.links[uplink].uplinkOf.isEmpty {
      for bridge in nodes.routed { lines.append("  l\(uplink) -- b\(bridge) [style=dashed];") }
    }
    for (index, bridge) in topology.bridges.enumerated() {
      for (number, tunnel) in bridge.tunnels.enumerated() {
        let text = [tunnel.kind + (tunnel.key.map { " \($0)" } ?? ""), tunnel.remote?.description ?? ""]
        lines.append("  t\(index)_\(number) [label=\(quoted(text)), style=\"rounded,dashed\"];")
        lines.append("  t\(index)_\(number) -- b\(index) [style=dotted];")
      }
    }
    for (index, container) in topology.containers.enumerated() {
      for interface in container.interfaces {
        guard let bridge = nodes.bridges[interface.bridge] else { continue }
        let vlan = interface.vlan.map { " VLAN \($0)" } ?? ""
        lines.append("  b\(bridge) -- c\(index) [label=\(quoted([interface.name + vlan]))];")
      }
      let ports = PortRange.joining(container.ports.map { $0.mapping })
      for (number, port) in ports.enumerated() {
        lines.append("  p\(index)_\(number) [label=\(quoted(["\(port.host)/\(port.transport)"])), shape=cds];")
        lines.append(
          "  p\(index)_\(number) -- c\(index) [label=\(quoted([port.container])), dir=forward, color=\"#b0306a\"];")
      }
    }
    return lines
  }

  private static func describe(_ bridge: Topology.Bridge) -> [String] {
    [bridge.name, bridge.kind == .ovs ? "OVS bridge" : "bridge"] + bridge.networks.map { "network \($0.name)" }
      + bridge.addresses.map { $0.description }
  }

  private static func describe(_ container: Topology.Container) -> [String] {
    let id = container.name == container.id ? [] : [container.shortID]
    return [container.name] + id
      + container.interfaces.flatMap { interface in
        [interface.name + " " + interface.mac.description] + interface.addresses.map { $0.description }
      }
  }

  /// Lines as one quoted string. Graphviz reads backslashes and, as in HTML, ampersands.
  static func quoted(_ lines: [String]) -> String {
    let lines = lines.map { line in
      var text = ""
      for character in Printable.line(line, limit: 200) {
        switch character {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "&": text += "&amp;"
        default: text.append(character)
        }
      }
      return text
    }
    return "\"" + lines.filter { !$0.isEmpty }.joined(separator: "\\n") + "\""
  }
}

/// Where things stand in the topology's lists, for the edges of DOT and Mermaid.
struct Nodes {
  /// Bridges by name.
  var bridges: [String: Int] = [:]
  /// Bridges whose traffic leaves by the uplinks.
  var routed: [Int] = []

  init(_ topology: Topology) {
    for (index, bridge) in topology.bridges.enumerated() {
      bridges[bridge.name] = index
      if bridge.isRouted, !topology.links.contains(where: { $0.master == bridge.name && !$0.uplinkOf.isEmpty }) {
        routed.append(index)
      }
    }
  }
}

extension Topology.Bridge {
  /// Whether the host routes for it: it has an address, and a network that may leave.
  package var isRouted: Bool { !addresses.isEmpty && (networks.isEmpty || networks.contains { !$0.isInternal }) }
}
