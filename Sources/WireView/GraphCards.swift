import WireCore
import WirePlan

/// Draws containers and bridges.
extension SVGCanvas {
  /// A bridge, as high as its section.
  mutating func draw(_ section: GraphSection, in frame: Frame) {
    var title =
      [section.bridge.name]
      + section.bridge.networks.flatMap { network in
        ["network \(network.name)"] + network.subnets.map { $0.description }
      }
    title += section.foreignPorts.map { "port \($0.name)" }
    group(title: title) { canvas in
      // The lines below are not to shine through.
      canvas.rect(frame, radius: 10, "back")
      canvas.rect(frame, radius: 10, section.colour("bridge"))
      let (x, y, right) = (frame.x, frame.y, frame.right)
      canvas.path(
        "M\(x) \(y + 38)V\(y + 10)Q\(x) \(y) \(x + 10) \(y)H\(right - 10)Q\(right) \(y) \(right) \(y + 10)V\(y + 38)Z",
        section.colour("band"))
      canvas.write(section.bridge.name, frame.x + 16, frame.y + 24, .name, room: frame.width - 28)
      for (index, line) in section.bridgeText.enumerated() {
        let problem = index == 0 && !(section.bridge.exists && section.bridge.isUp) ? "gone" : ""
        canvas.write(line.text, frame.x + 16, frame.y + 58 + index * 16, line.font, room: frame.width - 24, problem)
      }
    }
  }

  /// A container with all that is known of it.
  mutating func drawCard(_ member: GraphMember, in frame: Frame) {
    group(title: member.title) { canvas in
      canvas.rect(frame, member.home == nil ? "card" : "card ghost")
      canvas.dot(frame.x + 16, frame.y + 20, member.container.status)
      let isWell = member.container.status == "attached"
      let id = member.container.name == member.container.id ? "" : member.container.shortID
      let side = isWell ? member.home.map { "at home on \($0)" } ?? id : member.container.status
      let sideFont = isWell && member.home == nil ? SVGFont.address : .caption
      let sideText = sideFont.fit(Printable.line(side, limit: 60), 150)
      canvas.write(
        sideText, frame.right - 14, frame.y + 24, sideFont, anchor: .end, isWell ? "" : member.container.status)
      canvas.write(
        member.container.name, frame.x + 28, frame.y + 24, .name,
        room: frame.width - 56 - sideFont.width(of: sideText))
      var y = frame.y + 44
      for interface in member.interfaces {
        canvas.write(interface, frame, y: y)
        y += 16 * max(1, interface.addresses.count)
      }
    }
  }

  private mutating func write(_ interface: Topology.Interface, _ frame: Frame, y: Int) {
    let left = frame.x + 14
    let right = frame.right - 14
    write(interface.name, left, y, .address, room: 100, "strong")
    let column = left + max(44, SVGFont.address.width(of: interface.name) + 10)
    for (index, address) in interface.addresses.enumerated() {
      write(address.description, column, y + 16 * index, .address, room: right - column)
    }
    let mac = interface.mac.description
    let first = interface.addresses.first.map { SVGFont.address.width(of: $0.description) } ?? 0
    guard column + first + 12 + SVGFont.address.width(of: mac) <= right else { return }
    write(mac, right, y, .address, anchor: .end)
  }

  /// A container, or several that are alike, in a small card.
  mutating func drawCell(_ group: GraphGroup, of section: GraphSection, in frame: Frame) {
    guard let first = group.members.first else { return }
    let title =
      group.members.count == 1 ? first.title : [group.label] + group.members.prefix(40).map { $0.container.name }
    self.group(title: title) { canvas in
      canvas.rect(frame, radius: 7, group.members.count == 1 && first.home != nil ? "card ghost" : "card")
      canvas.dot(frame.x + 13, frame.y + 15, group.status)
      let ports = group.members.reduce(0) { $0 + $1.ports.reduce(0) { $0 + $1.count } }
      let isTall = section.cellHeight > 50
      let badge = group.members.count > 1 ? "×\(group.members.count)" : !isTall && ports > 0 ? "→\(ports)" : ""
      let badgeWidth = badge.isEmpty ? 0 : SVGFont.plain.width(of: badge) + 6
      canvas.write(group.label, frame.x + 24, frame.y + 19, .label, room: frame.width - 32 - badgeWidth)
      canvas.write(badge, frame.right - 9, frame.y + 19, .plain, anchor: .end, section.colour("ink"))
      canvas.write(group.addresses, frame.x + 12, frame.y + 35, .port, room: frame.width - 20, "faint")
      guard isTall else { return }
      if ports > 0 {
        let text = group.members.count > 1 ? "\(ports) port\(ports == 1 ? "" : "s") published" : first.portLine
        canvas.write(text, frame.x + 12, frame.y + 50, .port, room: frame.width - 20, section.colour("ink"))
      } else if group.members.count == 1, let address = first.interfaces.first?.addresses.dropFirst().first?.address {
        canvas.write(address.description, frame.x + 12, frame.y + 50, .port, room: frame.width - 20, "faint")
      }
    }
  }
}

extension GraphMember {
  /// `8080→80 +2`
  fileprivate var portLine: String {
    let shown = ports.prefix(1).map { "\($0.host)→\($0.container)" }.joined()
    return ports.count > 1 ? "\(shown) +\(ports.count - 1)" : shown
  }

  fileprivate var address: String { interfaces.first?.addresses.first?.address.description ?? "no address" }
}

extension GraphGroup {
  /// The worst status of its members.
  fileprivate var status: String {
    let all = Set(members.map { $0.container.status })
    return ["gone", "attaching"].first { all.contains($0) } ?? "attached"
  }

  /// The address, or from which to which.
  fileprivate var addresses: String {
    guard members.count > 1 else { return members.first?.address ?? "" }
    let all = members.compactMap { $0.interfaces.first?.addresses.first?.address }.sorted()
    guard let first = all.first, let last = all.last else { return "no address" }
    return "\(first) – \(last)"
  }
}
