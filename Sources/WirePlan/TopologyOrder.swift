extension Topology {
  /// Puts in bridges that another reader knows more of (Open vSwitch): they replace those of the same name, and host links
  /// that are a bridge's own or a tunnel's are taken out.
  package mutating func merge(_ others: [Bridge]) {
    for var other in others {
      if let index = bridges.firstIndex(where: { $0.name == other.name }) {
        let known = bridges.remove(at: index)
        if other.networks.isEmpty { other.networks = known.networks }
        if other.addresses.isEmpty { other.addresses = known.addresses }
        (other.exists, other.isUp) = (known.exists, known.isUp)
        (other.mtu, other.mac) = (other.mtu ?? known.mtu, other.mac ?? known.mac)
      }
      if let own = links.first(where: { $0.name == other.name }) {
        if other.addresses.isEmpty { other.addresses = own.addresses }
        (other.mtu, other.mac) = (other.mtu ?? own.mtu, other.mac ?? own.mac)
      }
      let tunnels = Set(other.tunnels.map { $0.name })
      links.removeAll { $0.name == other.name || tunnels.contains($0.name) }
      for index in links.indices where other.ports.contains(where: { $0.name == links[index].name }) {
        links[index].master = other.name
      }
      bridges.append(other)
    }
    sort()
  }

  /// Keeps one network's bridges and containers.
  package mutating func keep(network: String) {
    bridges.removeAll { bridge in !bridge.networks.contains { $0.name == network } }
    containers.removeAll { container in !container.interfaces.contains { $0.network == network } }
    let kept = Set(bridges.map { $0.name })
    for index in containers.indices { containers[index].interfaces.removeAll { !kept.contains($0.bridge) } }
  }

  /// Uplinks first, then by name; names with numbers in their order (`web-2` before `web-10`).
  package mutating func sort() {
    links.sort { left, right in
      left.uplinkOf.isEmpty == right.uplinkOf.isEmpty
        ? NaturalOrder.precedes(left.name, right.name) : !left.uplinkOf.isEmpty
    }
    bridges.sort { NaturalOrder.precedes($0.name, $1.name) }
    for index in bridges.indices {
      bridges[index].networks.sort { NaturalOrder.precedes($0.name, $1.name) }
      bridges[index].ports.sort { NaturalOrder.precedes($0.name, $1.name) }
      bridges[index].tunnels.sort { NaturalOrder.precedes($0.name, $1.name) }
    }
    containers.sort { left, right in
      left.name == right.name ? left.id < right.id : NaturalOrder.precedes(left.name, right.name)
    }
  }
}

/// The order in which people count: runs of digits compare as numbers.
package enum NaturalOrder {
  package static func precedes(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    var (i, j) = (0, 0)
    while i < left.count, j < right.count {
      let (first, second) = (run(left, from: i), run(right, from: j))
      guard isDigit(left[i]), isDigit(right[j]) else {
        if left[i] != right[j] { return left[i] < right[j] }
        (i, j) = (i + 1, j + 1)
        continue
      }
      let (a, b) = (first.drop { $0 == UInt8(ascii: "0") }, second.drop { $0 == UInt8(ascii: "0") })
      if a.count != b.count { return a.count < b.count }
      if !a.elementsEqual(b) { return a.lexicographicallyPrecedes(b) }
      (i, j) = (i + first.count, j + second.count)
    }
    return left.count - i < right.count - j || (left.count - i == right.count - j && left.count < right.count)
  }

  private static func run(_ text: [UInt8], from start: Int) -> ArraySlice<UInt8> {
    text[start...].prefix(while: isDigit)
  }
  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
