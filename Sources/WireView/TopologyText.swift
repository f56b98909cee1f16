import WireCore
package import WirePlan

/// The topology as a tree for a terminal.
package struct TopologyText {
  /// How its lines are drawn.
  package enum Glyphs: Sendable {
    case box
    /// For terminals whose locale is not UTF-8.
    case ascii

    var branch: String { self == .box ? "├─ " : "|- " }
    var last: String { self == .box ? "└─ " : "`- " }
    var through: String { self == .box ? "│  " : "|  " }
    var arrow: String { self == .box ? " → " : " -> " }
    var ellipsis: String { self == .box ? "…" : "..." }
  }

  /// A line, and what hangs below it.
  struct Node {
    var text: String
    var children: [Node] = []
  }

  private let glyphs: Glyphs
  private let style: Style
  /// Cells in a line; longer ones are cut.
  private let width: Int?

  package init(glyphs: Glyphs, style: Style = .plain, width: Int? = nil) {
    self.glyphs = glyphs
    self.style = style
    self.width = width
  }

  /// Lines, each with its line feed.
  package func draw(_ topology: Topology) -> String {
    var children = topology.links.filter { $0.master == nil }.map { Node(text: describe($0)) }
    children += topology.bridges.map { node(of: $0, in: topology) }
    var text = ""
    append(Node(text: style.bold(Printable.line(topology.host)), children: children), first: "", rest: "", to: &text)
    return text
  }

  private func append(_ node: Node, first: String, rest: String, to text: inout String) {
    text += style.cut(first + node.text, to: width, ellipsis: glyphs.ellipsis) + "\n"
    for (index, child) in node.children.enumerated() {
      let isLast = index == node.children.count - 1
      append(
        child, first: rest + (isLast ? glyphs.last : glyphs.branch), rest: rest + (isLast ? "   " : glyphs.through),
        to: &text)
    }
  }

  private func node(of bridge: Topology.Bridge, in topology: Topology) -> Node {
    var node = Node(text: describe(bridge))
    node.children += topology.links.filter { $0.master == bridge.name }.map { Node(text: describe($0)) }
    for tunnel in bridge.tunnels {
      let key = tunnel.key.map { " \($0)" } ?? ""
      let remote = tunnel.remote.map { "\(glyphs.arrow)\($0)" } ?? ""
      node.children.append(Node(text: "\(style.name(Printable.line(tunnel.name)))  \(tunnel.kind)\(key)\(remote)"))
    }
    for container in topology.containers {
      let interfaces = container.interfaces.filter { $0.bridge == bridge.name }
      guard !interfaces.isEmpty else { continue }
      node.children.append(self.node(of: container, interfaces))
    }
    return node
  }

  private func node(of container: Topology.Container, _ interfaces: [Topology.Interface]) -> Node {
    var text = style.name(Printable.line(container.name))
    if container.name != container.id { text += " " + style.dim("(\(Printable.line(container.shortID)))") }
    if container.status != "attached" { text += "  " + style.status(container.status) }
    var node = Node(text: text)
    for interface in interfaces {
      let vlan = interface.vlan.map { "  VLAN \($0)" } ?? ""
      let line = "\(interface.name)  \(list(interface.addresses))  \(style.dim(interface.mac.description))\(vlan)"
      var child = Node(text: line)
      for port in PortRange.joining(container.ports(to: interface)) {
        child.children.append(Node(text: style.port("\(port.host)\(glyphs.arrow)\(port.container)/\(port.transport)")))
      }
      node.children.append(child)
    }
    return node
  }

  private func describe(_ link: Topology.HostLink) -> String {
    var facts = link.addresses.isEmpty ? [] : [list(link.addresses)]
    if let kind = link.kind { facts.append(kind) }
    if !link.uplinkOf.isEmpty { facts.append("uplink") }
    if !link.isUp { facts.append(style.bad("down")) }
    return ([style.name(Printable.line(link.name))] + facts).joined(separator: "  ")
  }

  private func describe(_ bridge: Topology.Bridge) -> String {
    var facts = [bridge.kind == .ovs ? "OVS bridge" : "bridge"]
    if !bridge.exists { facts.append(style.bad("missing")) } else if !bridge.isUp { facts.append(style.bad("down")) }
    if !bridge.addresses.isEmpty { facts.append(list(bridge.addresses)) }
    for network in bridge.networks {
      facts.append("network \(Printable.line(network.name))" + (network.isInternal ? " (internal)" : ""))
    }
    return ([style.name(Printable.line(bridge.name))] + facts).joined(separator: "  ")
  }

  private func list(_ addresses: [Prefix]) -> String { addresses.map { $0.description }.joined(separator: ", ") }
}
