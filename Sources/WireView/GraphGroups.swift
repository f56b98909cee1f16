import WireCore
import WirePlan

/// Containers that are shown as one: their names are alike but for a number or a hash at the end.
struct GraphGroup: Hashable {
  /// `web-*`, or the name of a single one.
  var label: String
  var members: [GraphMember]

  /// Groups in the order of their names; what is left over beyond `limit` becomes one more, `others`.
  static func grouping(_ members: [GraphMember], limit: Int) -> [GraphGroup] {
    var order: [String] = []
    var stems: [String: [GraphMember]] = [:]
    for member in members {
      let stem = stem(of: member.container.name)
      if stems[stem] == nil { order.append(stem) }
      stems[stem, default: []].append(member)
    }
    // The largest are the most telling: they stay when there are too many.
    let sizes = order.map { (stem: $0, members: stems[$0] ?? []) }
    let kept = Set(
      sizes.enumerated().sorted { left, right in
        left.element.members.count == right.element.members.count
          ? left.offset < right.offset : left.element.members.count > right.element.members.count
      }.prefix(limit).map { $0.element.stem })
    var groups = sizes.filter { kept.contains($0.stem) }.map { stem, members in
      GraphGroup(label: members.count == 1 ? members[0].container.name : stem + "*", members: members)
    }
    let rest = sizes.filter { !kept.contains($0.stem) }.flatMap { $0.members }
    if !rest.isEmpty { groups.append(GraphGroup(label: "others", members: rest)) }
    return groups
  }

  /// The name up to its number or hash: `web-12` and `web-7` have `web-`; a name that is a hash alone has none.
  static func stem(of name: String) -> String {
    let isHex = { (character: Character) in character.isASCII && character.isHexDigit }
    let tail = name.reversed().prefix { isHex($0) }.count
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    if tail >= 6, tail > digits { return String(name.dropLast(tail)) }
    return String(name.dropLast(digits))
  }
}

/// A container as it hangs on one bridge.
struct GraphMember: Hashable {
  var container: Topology.Container
  /// Those on this bridge.
  var interfaces: [Topology.Interface]
  var ports: [PortRange]
  /// Its first interface is on another bridge: here it is shown as a guest.
  var home: String?

  /// The container in words, for the pointer.
  var title: [String] {
    var lines = [container.name, container.id, container.status]
    for interface in interfaces {
      lines.append("\(interface.name) on \(interface.network), \(interface.mac), host end \(interface.hostLink)")
      lines += interface.addresses.map { $0.description }
    }
    return lines + ports.map { $0.text(arrow: " → ") }
  }

  /// The members of a bridge, in the topology's order.
  static func of(_ bridge: Topology.Bridge, in topology: Topology) -> [GraphMember] {
    topology.containers.compactMap { container in
      let interfaces = container.interfaces.filter { $0.bridge == bridge.name }
      guard !interfaces.isEmpty else { return nil }
      let ports = PortRange.joining(interfaces.flatMap { container.ports(to: $0) })
      let first = container.interfaces.first?.bridge
      return GraphMember(
        container: container, interfaces: interfaces, ports: ports, home: first == bridge.name ? nil : first)
    }
  }
}
