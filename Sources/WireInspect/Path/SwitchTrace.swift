package import WireCore

/// What `ofproto/trace --names` says that a switch does with a frame.
package struct SwitchTrace: Sendable, Hashable {
  /// A flow that matched, or the place where none did.
  package struct Rule: Sendable, Hashable {
    package var bridge: String
    package var table: Int
    /// Empty: everything. As ovs-ofctl(8) takes it.
    package var match: String
    /// Nil: no flow of the table matched.
    package var priority: Int?
    package var actions: [String] = []
  }

  package var rules: [Rule] = []
  /// OVS's own remarks: `forwarding to learned port`.
  package var remarks: [String] = []
  /// The ports that it leaves by; none: it is dropped.
  package var outputs: [String] = []
  /// The other ends of the tunnels that it leaves by.
  package var tunnels: [IPAddress] = []

  package var isDropped: Bool { outputs.isEmpty && tunnels.isEmpty }

  package init(_ text: String) {
    var bridge = ""
    for line in text.split(separator: "\n") {
      let words = line.drop { $0 == " " }
      if let name = Self.bridge(words) {
        bridge = name
      } else if let rule = Self.rule(words, of: bridge) {
        rules.append(rule)
      } else if words.hasPrefix("-> ") || words.hasPrefix(">> ") {
        remark(String(words.dropFirst(3)))
      } else if let actions = words.rest(behind: "Datapath actions: ") {
        leave(by: actions)
      } else if line.first == " ", let last = rules.indices.last {
        rules[last].actions.append(String(words))
      }
    }
  }

  /// `bridge("br1")`
  private static func bridge(_ line: Substring) -> String? {
    guard let rest = line.rest(behind: "bridge(\""), rest.hasSuffix("\")") else { return nil }
    return String(rest.dropLast(2))
  }

  /// ` 0. icmp,nw_dst=10.0.0.2, priority 500, cookie 0x7`, ` 0. priority 0`, ` 2. No match.`
  private static func rule(_ line: Substring, of bridge: String) -> Rule? {
    guard let dot = line.firstIndex(of: "."), let table = DecimalNumber.parse(line[..<dot], upTo: 255) else {
      return nil
    }
    let text = line[dot...].dropFirst(2)
    var rule = Rule(bridge: bridge, table: Int(table), match: "", priority: nil)
    guard let start = text.ranges(of: "priority ").last else {
      return text.hasPrefix("No match") || text.hasPrefix("Packets") ? rule : nil
    }
    let number = text[start.upperBound...].prefix { $0 != "," }
    guard let priority = DecimalNumber.parse(number, upTo: 65_535) else { return nil }
    rule.priority = Int(priority)
    rule.match = String(text[..<start.lowerBound].dropLast(2))
    return rule
  }

  private mutating func remark(_ text: String) {
    remarks.append(text)
    // Of a tunnel in userspace the datapath's actions are those of the bridge below it.
    guard let rest = text[...].rest(behind: "tunneling to "), let end = rest.firstRange(of: " via ") else { return }
    add(tunnel: rest[..<end.lowerBound])
  }

  private mutating func add(tunnel: Substring) {
    if let remote = IPAddress(tunnel), !tunnels.contains(remote) { tunnels.append(remote) }
  }

  /// Reads `push_vlan(vid=10,pcp=0),br1,whabc`: what has no brackets is a port, but for a few actions.
  private mutating func leave(by actions: Substring) {
    for action in Self.parts(of: actions) {
      guard let bracket = action.firstIndex(of: "("), action.first != "\"" else {
        let name = action.filter { $0 != "\"" }
        if !Self.plainActions.contains(name), !outputs.contains(name) { outputs.append(name) }
        continue
      }
      let inner = action[bracket...].dropFirst().dropLast()
      switch action[..<bracket] {
      case "clone": leave(by: inner)
      case "set":
        guard inner.hasPrefix("tunnel("), let start = inner.firstRange(of: "dst=") else { break }
        add(tunnel: inner[start.upperBound...].prefix { $0 != "," && $0 != ")" })
      default: break
      }
    }
  }

  private static let plainActions: Set<String> = ["drop", "ct", "ct_clear", "pop_vlan", "pop_eth", "pop_nsh"]

  /// Splits at the commas that are in no brackets.
  private static func parts(of actions: Substring) -> [Substring] {
    var depth = 0
    return actions.split { character in
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      return character == "," && depth == 0
    }
  }
}

extension Substring {
  fileprivate func rest(behind prefix: String) -> Substring? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
