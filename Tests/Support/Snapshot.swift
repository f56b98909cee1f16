import Foundation

/// What the pretend host looks like, as lines that can be compared and printed: links, addresses, routes, rules, nf_tables,
/// sysctls, records.
package struct Snapshot: Sendable, Hashable {
  package let lines: Set<String>

  /// What is in one and not in the other: `+` came, `-` went.
  package func difference(from before: Snapshot) -> [String] {
    lines.subtracting(before.lines).map { "+ \($0)" }.sorted()
      + before.lines.subtracting(lines).map { "- \($0)" }.sorted()
  }
}

extension Sandbox {
  package func snapshot() throws -> Snapshot {
    var lines: Set<String> = []
    for link in try json("-d link show").array { lines.insert(describe(link: link)) }
    for link in try json("addr show").array {
      for address in link["addr_info"].array where address["scope"].string != "link" {
        lines.insert("address \(link["ifname"].text) \(address["local"].text)/\(address["prefixlen"].text)")
      }
    }
    for family in ["-4", "-6"] {
      for route in try json("\(family) route show table all").array where !isAutomatic(route) {
        let keys = ["type", "dst", "gateway", "dev", "table", "metric", "scope"]
        lines.insert("route \(family) " + keys.map { route[$0].text }.joined(separator: " "))
      }
      for rule in try json("\(family) rule show").array { lines.insert("rule \(family) \(rule.text)") }
    }
    lines.formUnion(try nftLines())
    for key in try sysctlKeys() { lines.insert("sysctl \(key) \(try sysctl(key) ?? "none")") }
    lines.formUnion(try recordLines())
    return Snapshot(lines: lines)
  }

  /// Waits until the host looks as before; what still differs at the end, else nothing.
  package func differences(from before: Snapshot, within limit: Duration = .seconds(6)) throws -> [String] {
    var rest: [String] = []
    _ = try eventually(within: limit) {
      rest = try snapshot().difference(from: before)
      return rest.isEmpty
    }
    return rest
  }

  private func describe(link: JSON) -> String {
    let keys = ["ifname", "address", "mtu", "master", "ifalias"]
    let up = link["flags"].array.contains(.text("UP")) ? "up" : "down"
    return "link \(up) \(link["linkinfo"]["info_kind"].text) " + keys.map { link[$0].text }.joined(separator: " ")
  }

  /// Routes that the kernel adds and removes on its own time.
  private func isAutomatic(_ route: JSON) -> Bool {
    let destination = route["dst"].string ?? ""
    return destination.hasPrefix("fe80:") || destination.hasPrefix("ff00:") || route["type"].string == "anycast"
      || route["type"].string == "multicast"
  }

  /// Chains and rules in full; sets and maps by their elements. Counters are left out.
  private func nftLines() throws -> Set<String> {
    var lines: Set<String> = []
    for entry in try JSON(parsing: sh("nft -j list ruleset"))["nftables"].array {
      guard let (kind, value) = entry.members.first, kind != "metainfo" else { continue }
      var members = value.members
      members["handle"] = nil
      let elements = members.removeValue(forKey: "elem")?.array ?? []
      if kind == "rule" {
        members["expr"] = .list(members["expr"]?.array.filter { $0["counter"] == .null } ?? [])
      }
      lines.insert("nft \(kind) \(JSON.object(members).text)")
      let name = members["name"]?.text ?? ""
      for element in elements { lines.insert("nft element of \(name): \(element.text)") }
    }
    return lines
  }

  private func sysctlKeys() throws -> [String] {
    var keys = ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"]
    keys += ["net/ipv4/ip_local_reserved_ports", "net/ipv4/conf/all/route_localnet"]
    keys += ["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"]
    for link in ["lo", "up0", "all", "default"] {
      keys += ["rp_filter", "arp_ignore", "arp_notify"].map { "net/ipv4/conf/\(link)/\($0)" }
      keys += ["accept_ra", "disable_ipv6"].map { "net/ipv6/conf/\(link)/\($0)" }
    }
    return keys
  }

  /// The containers on record; none where the command line tool is not built.
  private func recordLines() throws -> Set<String> {
    guard FileManager.default.fileExists(atPath: stateFolder) else { return [] }
    return Set(try list().map { "record \($0["id"].text) \($0["ports"].text)" })
  }
}
