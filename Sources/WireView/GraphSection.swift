import WireCore
import WirePlan

/// One bridge with everything on it: where each part stands, relative to the section's top.
struct GraphSection {
  /// How the containers are shown.
  enum Mode: Hashable {
    /// A card each, with all that is known, one below the other.
    case cards
    /// Small cards side by side.
    case grid(columns: Int)
    /// A card for all containers whose names are alike.
    case groups(columns: Int)
  }

  let bridge: Topology.Bridge
  let members: [GraphMember]
  /// Ports that are drawn nowhere else.
  let foreignPorts: [Topology.Port]
  let groups: [GraphGroup]
  let mode: Mode
  /// The number of its colour.
  let accent: Int

  /// Up to so many containers have a full card each.
  static let cardLimit = 8
  /// Up to so many have a small card each.
  static let gridLimit = 150
  /// More groups than this are not told apart.
  static let groupLimit = 48

  init(_ bridge: Topology.Bridge, in topology: Topology, accent: Int) {
    let members = GraphMember.of(bridge, in: topology)
    self.bridge = bridge
    self.members = members
    let known = Set(
      members.flatMap { $0.interfaces.map { $0.hostLink } } + bridge.tunnels.map { $0.name }
        + topology.links.map { $0.name } + [bridge.name])
    foreignPorts = bridge.ports.filter { !known.contains($0.name) }
    self.accent = accent % SVGTheme.accents
    switch members.count {
    case ...Self.cardLimit:
      mode = .cards
      groups = []
    case ...Self.gridLimit:
      let columns = members.count <= 24 ? 3 : members.count <= 60 ? 4 : 6
      mode = .grid(columns: columns)
      groups = members.map { GraphGroup(label: $0.container.name, members: [$0]) }
    default:
      mode = .groups(columns: 3)
      groups = GraphGroup.grouping(members, limit: Self.groupLimit)
    }
  }

  /// The classes of what has this bridge's colour.
  func colour(_ classes: String) -> String { "a\(accent) \(classes)" }

  // MARK: sizes

  static let cardWidth = 430
  static let cardGap = 12
  static let cellGap = 10
  static let panelPadding = 14
  /// The height of a row with a pill.
  static let row = 26

  /// A group says from which address to which.
  private var cellWidth: Int {
    if case .groups = mode { return 238 }
    return 172
  }

  var cellHeight: Int {
    switch mode {
    case .cards: 0
    case .grid(let columns): columns < 6 && members.contains { !$0.ports.isEmpty } ? 58 : 42
    case .groups: 58
    }
  }

  var panelWidth: Int {
    switch mode {
    case .cards: Self.cardWidth
    case .grid(let columns), .groups(let columns):
      2 * Self.panelPadding + columns * cellWidth + (columns - 1) * Self.cellGap
    }
  }

  private var panelHeight: Int {
    switch mode {
    case .cards: members.map { $0.cardHeight + Self.cardGap }.reduce(-Self.cardGap, +)
    case .grid(let columns), .groups(let columns):
      2 * Self.panelPadding + (groups.count + columns - 1) / columns * (cellHeight + Self.cellGap) - Self.cellGap
    }
  }

  /// The pills of ports begin below the line to the host.
  static let firstRow = 30

  private var tunnelsTop: Int { max(panelHeight, laneOfPanel) + (bridge.tunnels.isEmpty ? 0 : Self.cardGap) }
  /// Where a panel, which has one pill, ends in the lane.
  private var laneOfPanel: Int { mode == .cards || published == 0 ? 0 : Self.firstRow + Self.row }

  var height: Int { max(bridgeText.count * 16 + 56, tunnelsTop + bridge.tunnels.count * Self.row) }

  /// The number of published host ports.
  var published: Int { members.reduce(0) { $0 + $1.ports.reduce(0) { $0 + $1.count } } }

  func frames(x: Int, y: Int) -> [Frame] {
    switch mode {
    case .cards:
      var top = y
      return members.map { member in
        defer { top += member.cardHeight + Self.cardGap }
        return Frame(x: x, y: top, width: Self.cardWidth, height: member.cardHeight)
      }
    case .grid(let columns), .groups(let columns):
      return groups.indices.map { index in
        Frame(
          x: x + Self.panelPadding + index % columns * (cellWidth + Self.cellGap),
          y: y + Self.panelPadding + index / columns * (cellHeight + Self.cellGap), width: cellWidth,
          height: cellHeight)
      }
    }
  }

  func panel(x: Int, y: Int) -> Frame { Frame(x: x, y: y, width: panelWidth, height: panelHeight) }

  /// The height at which tunnel number `index` leaves the bridge.
  func tunnelRow(_ index: Int) -> Int { tunnelsTop + index * Self.row + Self.row / 2 }

  /// What stands in the bridge below its name.
  var bridgeText: [(text: String, font: SVGFont)] {
    var lines: [(String, SVGFont)] = [(kind, .caption)]
    // One that was spelled out on the spot is called after the bridge.
    for network in bridge.networks where !network.name.contains(":") {
      let flags = network.isInternal ? " · internal" : ""
      lines.append(("network \(network.name)\(flags)", .plain))
    }
    lines += bridge.addresses.map { ($0.description, .address) }
    let others = foreignPorts.count
    if others > 0 { lines.append(("+ \(others) other port\(others == 1 ? "" : "s")", .caption)) }
    return lines
  }

  private var kind: String {
    let name = bridge.kind == .ovs ? "Open vSwitch bridge" : "Linux bridge"
    guard bridge.exists else { return name + ", missing" }
    return bridge.isUp ? name : name + ", down"
  }
}

extension GraphMember {
  /// Of so many ports each has a pill; of more the last pill says how many.
  private static let portLimit = 6

  /// The ports that have a pill of their own, and how many have not.
  var shownPorts: (ports: [PortRange], more: Int) {
    guard ports.count > Self.portLimit else { return (ports, 0) }
    return (Array(ports.prefix(Self.portLimit - 1)), ports.count - Self.portLimit + 1)
  }

  /// Rows of pills at its left.
  var rows: Int { shownPorts.ports.count + (shownPorts.more > 0 ? 1 : 0) }

  /// Each interface's lines: an address each, the MAC address beside the first where there is room.
  var lineCount: Int { interfaces.reduce(0) { $0 + max(1, $1.addresses.count) } }

  var cardHeight: Int { max(38 + lineCount * 16, GraphSection.firstRow + rows * GraphSection.row + 6) }
}
