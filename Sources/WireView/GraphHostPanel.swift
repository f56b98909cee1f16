import WireCore
import WirePlan

/// The host at the left of the picture: its links, and the lane of published ports at its right edge.
struct GraphHostPanel {
  let links: [Topology.HostLink]
  let hidden: [Topology.HostLink]
  /// The lane's width, 0 where nothing is published.
  let lane: Int

  static let linkWidth = 236
  static let padding = 16
  /// More links than this are counted, not drawn.
  private static let linkLimit = 10

  init(_ topology: Topology, _ sections: [GraphSection]) {
    // Uplinks and bridge ports come first; a link without address has little to say.
    let useful = topology.links.filter { !$0.addresses.isEmpty || $0.master != nil || !$0.uplinkOf.isEmpty }
    links = Array(useful.prefix(Self.linkLimit))
    let shown = Set(links.map { $0.name })
    hidden = topology.links.filter { !shown.contains($0.name) }
    let widths = sections.flatMap { section in
      Self.pills(of: section).map { SVGFont.port.width(of: $0.text) + 22 }
        + section.bridge.tunnels.map { SVGFont.port.width(of: $0.label) + 22 }
    }
    lane = widths.max().map { min($0, 210) } ?? 0
  }

  var width: Int { 2 * Self.padding + Self.linkWidth + (lane > 0 ? lane + 18 : 0) }
  var height: Int {
    2 * Self.padding + links.map { Self.height(of: $0) + 10 }.reduce(0, +) + (hidden.isEmpty ? 0 : 20)
  }

  /// The pills of a section with the height of each, relative to the section.
  static func pills(of section: GraphSection) -> [(text: String, to: String, y: Int, title: [String])] {
    guard section.mode == .cards else {
      guard section.published > 0 else { return [] }
      let all = section.members.flatMap { member in
        member.ports.map { "\(member.container.name): \($0.text(arrow: " → "))" }
      }
      let text = "\(section.published) published port\(section.published == 1 ? "" : "s")"
      return [(text, "", GraphSection.firstRow + GraphSection.row / 2, Array(all.prefix(60)))]
    }
    var pills: [(text: String, to: String, y: Int, title: [String])] = []
    for (member, frame) in zip(section.members, section.frames(x: 0, y: 0)) {
      var y = frame.y + GraphSection.firstRow + GraphSection.row / 2
      let (ports, more) = member.shownPorts
      for port in ports {
        let title = ["\(port.text(arrow: " → ")) of \(member.container.name)"]
        pills.append(("\(port.host)/\(port.transport)", ":\(port.container)", y, title))
        y += GraphSection.row
      }
      if more > 0 {
        let title = member.ports.dropFirst(ports.count).prefix(60).map { $0.text(arrow: " → ") }
        pills.append(("+ \(more) more", "", y, title))
      }
    }
    return pills
  }

  private static func height(of link: Topology.HostLink) -> Int { 40 + max(link.addresses.count, 1) * 15 }

  /// The links' frames, where the panel's top left corner is at `x`, `y`.
  func frames(x: Int, y: Int) -> [Frame] {
    var top = y + Self.padding
    return links.map { link in
      defer { top += Self.height(of: link) + 10 }
      return Frame(x: x + Self.padding, y: top, width: Self.linkWidth, height: Self.height(of: link))
    }
  }

  func draw(in frame: Frame, on canvas: inout SVGCanvas) {
    canvas.rect(frame, radius: 12, "host")
    let frames = frames(x: frame.x, y: frame.y)
    for (link, place) in zip(links, frames) {
      var title = [link.name] + link.addresses.map { $0.description }
      title += [link.mac.map { "\($0)" }, "MTU \(link.mtu)"].compactMap { $0 }
      canvas.group(title: title) { canvas in
        canvas.rect(place, "card")
        canvas.write(link.name, place.x + 12, place.y + 21, .name, room: 120)
        canvas.write(
          link.role, place.right - 12, place.y + 21, .caption, room: 90, anchor: .end, link.isUp ? "" : "gone")
        let instead = link.master.map { "port of \($0)" } ?? "no address"
        let lines = link.addresses.isEmpty ? [instead] : link.addresses.map { $0.description }
        for (index, line) in lines.enumerated() {
          canvas.write(line, place.x + 12, place.y + 39 + 15 * index, .address, room: place.width - 20)
        }
      }
    }
    guard !hidden.isEmpty else { return }
    let y = (frames.last?.bottom ?? frame.y + Self.padding) + 18
    canvas.group(title: hidden.map { $0.name }) { canvas in
      canvas.write(
        "+ \(hidden.count) more link\(hidden.count == 1 ? "" : "s")", frame.x + Self.padding + 4, y, .caption)
    }
  }
}

extension Topology.HostLink {
  /// `uplink`, `port of br0`, the kind.
  fileprivate var role: String {
    if !isUp { return "down" }
    if !uplinkOf.isEmpty { return uplinkOf.count == 1 ? "uplink (\(uplinkOf[0].name))" : "uplink" }
    return kind ?? ""
  }
}

extension Topology.Tunnel {
  /// `vxlan 42 → 192.168.1.10`
  var label: String {
    ([kind, key].compactMap { $0 }).joined(separator: " ") + (remote.map { " → \($0)" } ?? "")
  }
}
