internal import WireCore

/// The annotations that there are; each is `wirehook.` and the raw value.
package enum AnnotationKey: String, Sendable, CaseIterable {
  case network, ip, ports, allow, routes, gateway, snat, mac, mtu, vlan, bandwidth, sysctl
  case dns, hosts, alias
  case dnsSearch = "dns-search"

  package static let prefix = "wirehook."

  /// Whether it is for the container as a whole: no interface's name may follow.
  var isForContainer: Bool {
    switch self {
    case .network, .dns, .dnsSearch, .hosts, .alias: true
    default: false
    }
  }

  /// Whether a key is ours to judge.
  package static func isOurs(_ key: String) -> Bool { key.utf8.starts(with: prefix.utf8) }

  /// Reads a whole key, `wirehook.ip` or `wirehook.ip.san0`, into the key and what follows it.
  static func parse(_ text: AnnotationText) throws(WireError) -> (key: AnnotationKey, suffix: String?) {
    let parts = text.key.pieces(at: UInt8(ascii: "."), limit: 3)
    let name = parts.count > 1 ? String(parts[1]) : ""
    guard let key = AnnotationKey(rawValue: name) else {
      let near = Spelling.nearest(to: name, in: allCases.map(\.rawValue))
      throw WireError(
        "annotation \(text.key.quoted)", "unknown key",
        hint: near.map { "did you mean \((prefix + $0).quoted)?" }
          ?? "known keys are \(allCases.map { prefix + $0.rawValue }.joined(separator: ", "))")
    }
    guard parts.count > 2 else { return (key, nil) }
    guard !key.isForContainer else { throw text.refused("the key takes no interface's name") }
    return (key, String(parts[2]))
  }
}
