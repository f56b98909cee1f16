package import WireCore
package import WireJSON
package import WirePlan

/// Counters of published ports in a table of their own, `inet wirehook-stats`, which is there only while they are wanted.
///
/// The kernel counts a packet in an element that it makes itself, keyed by the container's address and the host port that
/// the client called (conntrack knows it): nothing has to be told of containers that come and go. Requests are counted
/// where they leave the host's stack, after DNAT; answers where they enter it. docs/stats.md weighs other ways.
package struct PortCounters: Sendable {
  package static let table = "wirehook-stats"

  private struct Key: Hashable {
    var transport: TransportProtocol
    var target: IPAddress
    var hostPort: UInt16
  }

  private var requests: [Key: TrafficCounters] = [:]
  private var answers: [Key: TrafficCounters] = [:]

  private enum Direction: String, CaseIterable {
    case requests
    case answers

    /// Behind source NAT, so that the rest of the host's rules has had its say; and behind the connection's lookup.
    var hook: String {
      self == .requests ? "hook postrouting priority 300" : "hook prerouting priority -150"
    }
    var conntrack: String { self == .requests ? "original" : "reply" }
    var address: String { self == .requests ? "daddr" : "saddr" }
  }

  private static func set(_ direction: Direction, _ transport: TransportProtocol, _ family: Family) -> String {
    "\(direction.rawValue)_\(transport.rawValue)\(family == .ipv4 ? 4 : 6)"
  }

  /// The table as nft(8) reads it. A table that was there is replaced: all counters begin at zero.
  package static var script: String {
    var text = "table inet \(table)\ndelete table inet \(table)\ntable inet \(table) {\n"
    for direction in Direction.allCases {
      var rules = ""
      for transport in TransportProtocol.allCases {
        for family in Family.allCases {
          let set = set(direction, transport, family)
          let (type, word) = family == .ipv4 ? ("ipv4_addr", "ip") : ("ipv6_addr", "ip6")
          text += "  set \(set) { type \(type) . inet_service; size 65535; flags dynamic; }\n"
          rules +=
            "    meta nfproto \(family == .ipv4 ? "ipv4" : "ipv6") meta l4proto \(transport.rawValue) "
            + "update @\(set) { \(word) \(direction.address) . ct original proto-dst counter }\n"
        }
      }
      text += """
          chain \(direction.rawValue) {
            type filter \(direction.hook); policy accept;
            ct status & dnat == 0 return
            ct direction != \(direction.conntrack) return
        \(rules)  }

        """
    }
    return text + "}\n"
  }

  /// Reads what `nft -j list table inet wirehook-stats` prints; what is not understood is passed over.
  package init(nft document: JSONValue) {
    guard case .array(let objects)? = document["nftables"] else { return }
    for object in objects {
      guard let set = object["set"], case .string(let name)? = set["name"], case .array(let elements)? = set["elem"]
      else { continue }
      for direction in Direction.allCases {
        for transport in TransportProtocol.allCases {
          for family in Family.allCases where name == Self.set(direction, transport, family) {
            for element in elements { read(element["elem"] ?? element, direction, transport) }
          }
        }
      }
    }
  }

  private mutating func read(_ element: JSONValue, _ direction: Direction, _ transport: TransportProtocol) {
    guard case .array(let key)? = element["val"]?["concat"], key.count == 2, case .string(let text) = key[0],
      let target = IPAddress(text), case .integer(let port) = key[1], let hostPort = UInt16(exactly: port),
      case .integer(let bytes)? = element["counter"]?["bytes"],
      case .integer(let packets)? = element["counter"]?["packets"]
    else { return }
    let counters = TrafficCounters(bytes: UInt64(clamping: bytes), packets: UInt64(clamping: packets))
    let place = Key(transport: transport, target: target, hostPort: hostPort)
    switch direction {
    case .requests: requests[place] = counters
    case .answers: answers[place] = counters
    }
  }

  /// What a published port has carried, both families together: to the container, and back.
  package func counters(of port: PublishedPort) -> (received: TrafficCounters, sent: TrafficCounters) {
    var sums = (received: TrafficCounters(), sent: TrafficCounters())
    for target in port.targets {
      let key = Key(transport: port.mapping.transport, target: target, hostPort: port.mapping.hostPort)
      sums.received = sums.received + (requests[key] ?? TrafficCounters())
      sums.sent = sums.sent + (answers[key] ?? TrafficCounters())
    }
    return sums
  }
}
