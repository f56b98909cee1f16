/// Where an OVSDB server listens, as `ovs-vsctl --db` takes it (ovsdb(7), "Connection Methods"): `unix:FILE`,
/// `tcp:IP:PORT`, `tcp:[IP6]:PORT`.
package enum DatabaseAddress: Sendable, Hashable, CustomStringConvertible {
  case unix(path: String)
  case tcp(IPAddress, port: UInt16)

  /// Where Open vSwitch's packages put it.
  package static let standard = DatabaseAddress.unix(path: "/var/run/openvswitch/db.sock")
  /// The longest path of a UNIX socket: `sun_path` less the terminating NUL.
  package static let pathLimit = 107
  /// The port of OVSDB (IANA).
  package static let standardPort: UInt16 = 6640

  package static let expectation = "unix:/ABSOLUTE/PATH (107 bytes at most) or tcp:IP[:PORT]; ssl: is not supported"

  package init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst("unix:".count))
      guard path.hasPrefix("/"), path.utf8.count <= Self.pathLimit, path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
      else { return nil }
      self = .unix(path: path)
    } else if text.hasPrefix("tcp:") {
      guard let (address, port) = Self.endpoint(text.dropFirst("tcp:".count)) else { return nil }
      self = .tcp(address, port: port)
    } else {
      return nil
    }
  }

  /// The socket by which ovs-vswitchd has a bridge's flows changed (ovs-vswitchd(8), "BRIDGE.mgmt"). It is beside that of the
  /// database; nil where that is asked over the network: nothing tells then that the switch is on this host at all.
  package func managementSocket(of bridge: InterfaceName) -> DatabaseAddress? {
    guard case .unix(let path) = self, let slash = path.lastIndex(of: "/") else { return nil }
    return .unix(path: "\(path[..<slash])/\(bridge).mgmt")
  }

  private static func endpoint(_ text: Substring) -> (IPAddress, UInt16)? {
    let host: Substring
    let rest: Substring
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      (host, rest) = (text[text.index(after: text.startIndex)..<end], text[text.index(after: end)...])
    } else {
      let end = text.firstIndex(of: ":") ?? text.endIndex
      (host, rest) = (text[..<end], text[end...])
    }
    guard let address = IPAddress(host) else { return nil }
    if rest.isEmpty { return (address, standardPort) }
    guard rest.hasPrefix(":"), let port = DecimalNumber.parse(rest.dropFirst(), upTo: 65535), port > 0 else {
      return nil
    }
    return (address, UInt16(port))
  }

  package var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tcp(let address, let port): address.family == .ipv6 ? "tcp:[\(address)]:\(port)" : "tcp:\(address):\(port)"
    }
  }
}
