import WireCore
package import WirePlan

/// The topology as a picture: the host at the left, its bridges in the middle, containers at the right.
///
/// Few containers have a card each, more are set in a grid, and beyond that those with like names are counted, so that
/// hundreds can still be read. The same topology is the same text.
package struct TopologySVG {
  private let topology: Topology
  private let sections: [GraphSection]
  private let panel: GraphHostPanel

  private static let margin = 24
  private static let top = 84
  /// Between the host and the bridges, where lines turn.
  private static let gap = 84
  private static let bridgeWidth = 196
  /// Between a bridge and its containers, where interfaces and ports are named.
  private static let wires = 112
  private static let sectionGap = 30

  private init(_ topology: Topology) {
    self.topology = topology
    sections = topology.bridges.enumerated().map { GraphSection($1, in: topology, accent: $0) }
    panel = GraphHostPanel(topology, sections)
  }

  /// A whole SVG document.
  package static func draw(_ topology: Topology, theme: SVGTheme = .auto) -> String { Self(topology).document(theme) }

  private var hostFrame: Frame {
    let sectionsHeight = sections.map { $0.height + Self.sectionGap }.reduce(-Self.sectionGap, +)
    return Frame(x: Self.margin, y: Self.top, width: panel.width, height: max(panel.height, sectionsHeight, 60))
  }

  private var bridgeX: Int { hostFrame.right + Self.gap }
  private var panelX: Int { bridgeX + Self.bridgeWidth + Self.wires }

  private func document(_ theme: SVGTheme) -> String {
    let widest = sections.map { $0.panelWidth }.max() ?? 0
    let width = max((sections.isEmpty ? hostFrame.right : panelX + widest) + Self.margin, 640)
    let height = hostFrame.bottom + Self.margin
    var canvas = SVGCanvas()
    canvas.rect(Frame(x: 0, y: 0, width: width, height: height), radius: 0, "back")
    canvas.write(topology.host, Self.margin, 40, .title, room: width - 2 * Self.margin)
    canvas.write(summary, Self.margin, 62, .plain, "faint")
    panel.draw(in: hostFrame, on: &canvas)
    if sections.isEmpty { canvas.write("nothing is wired", hostFrame.right + 32, Self.top + 34, .plain, "faint") }
    var y = Self.top
    for section in sections {
      draw(section, y: y, on: &canvas)
      y += section.height + Self.sectionGap
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
      role="img">
      <title>\(SVGCanvas.escape(Printable.line("Network of \(topology.host)", limit: 200)))</title>
      <style>
      \(theme.styleSheet)</style>
      \(canvas.text)</svg>

      """
  }

  private var summary: String {
    let networks = Set(topology.bridges.flatMap { $0.networks.map { $0.name } }).count
    let ports = topology.containers.reduce(0) { $0 + $1.ports.count }
    let count = { (number: Int, what: String) in "\(number) \(what)\(number == 1 ? "" : "s")" }
    return [
      count(topology.containers.count, "container"), count(networks, "network"),
      count(topology.bridges.count, "bridge"),
      count(ports, "published port"),
    ].joined(separator: " · ")
  }

  /// Lines first: bridges and cards lie on them.
  private func draw(_ section: GraphSection, y: Int, on canvas: inout SVGCanvas) {
    let bridge = Frame(x: bridgeX, y: y, width: Self.bridgeWidth, height: section.height)
    drawWayOut(section, y: y, on: &canvas)
    drawTunnels(section, y: y, on: &canvas)
    drawPorts(section, y: y, on: &canvas)
    let frames = section.frames(x: panelX, y: y)
    guard section.mode == .cards else {
      let panel = section.panel(x: panelX, y: y)
      let count = section.members.count
      canvas.line(bridge.right, y + 20, to: panel.x, section.colour("link thick"))
      canvas.write("\(count) ports", bridge.right + 12, y + 12, .caption)
      canvas.rect(panel, radius: 12, section.colour("panel"))
      canvas.draw(section, in: bridge)
      for (group, frame) in zip(section.groups, frames) { canvas.drawCell(group, of: section, in: frame) }
      return
    }
    for (member, frame) in zip(section.members, frames) {
      canvas.line(bridge.right, frame.y + 20, to: frame.x, section.colour("link"))
      let interface = member.interfaces.first
      let vlan = interface?.vlan.map { " · VLAN \($0)" } ?? ""
      canvas.write((interface?.name ?? "") + vlan, bridge.right + 8, frame.y + 14, .caption, room: Self.wires - 14)
    }
    canvas.draw(section, in: bridge)
    for (member, frame) in zip(section.members, frames) { canvas.drawCard(member, in: frame) }
  }

  /// From the host to the bridge: by routing, or because an uplink is a port of it.
  private func drawWayOut(_ section: GraphSection, y: Int, on canvas: inout SVGCanvas) {
    let ports = zip(panel.links, panel.frames(x: hostFrame.x, y: hostFrame.y)).filter {
      $0.0.master == section.bridge.name
    }
    for (index, (_, frame)) in ports.enumerated() {
      let turn = hostFrame.right + 14 + index * 8
      canvas.path(
        "M\(frame.right) \(frame.y + 16)H\(turn)V\(y + 10)H\(bridgeX)", section.colour("link"))
    }
    guard section.bridge.isRouted else { return }
    canvas.line(hostFrame.right, y + 20, to: bridgeX, "link dash")
    let masquerades = section.bridge.networks.contains { $0.masquerades }
    canvas.write(masquerades ? "NAT" : "routed", bridgeX - 8, y + 15, .caption, anchor: .end)
  }

  private func drawTunnels(_ section: GraphSection, y: Int, on canvas: inout SVGCanvas) {
    for (index, tunnel) in section.bridge.tunnels.enumerated() {
      let row = y + section.tunnelRow(index)
      canvas.line(laneX + panel.lane, row, to: bridgeX, section.colour("link dash"))
      let title = ["\(tunnel.name): \(tunnel.label)"] + (tunnel.local.map { ["from \($0)"] } ?? [])
      drawPill(tunnel.label, row, title: title, section.colour("pill ghost"), on: &canvas)
    }
  }

  private func drawPorts(_ section: GraphSection, y: Int, on canvas: inout SVGCanvas) {
    for pill in GraphHostPanel.pills(of: section) {
      let row = y + pill.y
      canvas.arrow(laneX + panel.lane, row, to: panelX, section.colour("link"))
      canvas.write(pill.to, panelX - 12, row - 5, .port, room: Self.wires - 14, anchor: .end, section.colour("ink"))
      drawPill(pill.text, row, title: pill.title, section.colour("pill"), on: &canvas)
    }
  }

  private var laneX: Int { hostFrame.right - panel.lane - 10 }

  private func drawPill(
    _ text: String, _ y: Int, title: [String], _ classes: String, on canvas: inout SVGCanvas
  ) {
    let frame = Frame(x: laneX, y: y - 10, width: panel.lane, height: 20)
    canvas.group(title: title) { canvas in
      canvas.rect(frame, radius: 10, classes)
      canvas.write(text, frame.x + frame.width / 2, y + 4, .port, room: frame.width - 16, anchor: .middle, "strong")
    }
  }
}
