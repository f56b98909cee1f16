package import WireCore

/// Names that are derived and not chosen by anybody: they fit 15 bytes, and the same container gets the same ones again.
package enum LinkNames {
  package static let loopback = InterfaceName(derived: "lo")

  /// The host end of an interface's pair: `wh` and 60 bits of a hash. `salt` goes up when a name is somebody else's.
  package static func hostEnd(container: String, interface: InterfaceName, salt: UInt8) -> InterfaceName {
    InterfaceName(derived: "wh" + token("\(container)/\(interface)", salt))
  }

  /// The ifb device that shapes what the interface sends: the host end's name with another prefix.
  package static func shaper(of hostEnd: InterfaceName) -> InterfaceName {
    InterfaceName(derived: "wi" + hostEnd.description.dropFirst(2))
  }

  /// The host's own port in a VLAN of an Open vSwitch bridge, which has the gateway's address: `br1.10`.
  package static func vlanLink(bridge: InterfaceName, vlan: UInt16) -> InterfaceName {
    InterfaceName("\(bridge).\(vlan)") ?? InterfaceName(derived: "wv" + token("\(bridge).\(vlan)", 0))
  }

  /// A tunnel of `bridge` to another host; nil: the kernel's VXLAN device, which has all remotes.
  package static func tunnel(bridge: InterfaceName, key: String, remote: IPAddress?) -> InterfaceName {
    InterfaceName(derived: "wx" + token("\(bridge)/\(key)/\(remote.map { "\($0)" } ?? "")", 0))
  }

  /// What `ip link` shows beside the host end. The kernel takes 255 bytes (IFALIASZ): a name that has no room is cut, an
  /// id never, for the last word is read back as the id. One that is too long for that, or is more than one word, is told
  /// by a hash, which is no other container's id.
  package static func alias(container: ContainerIdentity, interface: InterfaceName) -> String {
    let begin = "\(aliasPrefix)\(interface) of "
    let id = isWord(container.id) ? container.id : "#" + token(container.id, 0)
    guard let name = container.name else { return begin + id }
    var text = name.escapingControls(limit: 200)
    while begin.utf8.count + text.utf8.count + id.utf8.count >= 255, !text.isEmpty { text.removeLast() }
    return begin + (text.isEmpty ? id : "\(text) \(id)")
  }

  /// Whether an id can stand in an alias as it is: `#` begins those that cannot.
  private static func isWord(_ id: String) -> Bool {
    id.utf8.count <= 200 && id.utf8.first != UInt8(ascii: "#") && id.utf8.allSatisfy { (0x21...0x7e).contains($0) }
  }

  /// How each alias of ours begins; a bridge that we made says `wirehook: network NAME`.
  package static let aliasPrefix = "wirehook: "

  package static func alias(network: String) -> String { "\(aliasPrefix)network \(network)" }
  package static func alias(tunnelOf network: String) -> String { "\(aliasPrefix)network \(network): tunnel" }
  package static func alias(shaperOf hostEnd: InterfaceName) -> String { "\(aliasPrefix)shaper of \(hostEnd)" }

  /// Whose host end a link with this alias is; the last word is the container's id.
  package static func owner(alias: String) -> (interface: InterfaceName, container: String)? {
    guard isContainers(alias: alias) else { return nil }
    let words = alias.dropFirst(aliasPrefix.count).split(separator: " ")
    guard words.count >= 3, words[1] == "of", let name = InterfaceName(words[0]), let id = words.last else {
      return nil
    }
    return (name, String(id))
  }

  /// The network whose bridge has this alias.
  package static func network(alias: String) -> String? {
    let prefix = Self.alias(network: "")
    return alias.hasPrefix(prefix) ? String(alias.dropFirst(prefix.count)) : nil
  }

  /// Whether a link with this alias was made for a container, and goes with it.
  package static func isContainers(alias: String) -> Bool {
    alias.hasPrefix(aliasPrefix) && !alias.hasPrefix(aliasPrefix + "network ")
  }

  /// The path below /proc/sys of a dotted key. An interface's name may itself hold dots, as sysctl(8) cannot say:
  /// the interface's own name is recognised and kept whole.
  package static func sysctlPath(_ key: String, interface: InterfaceName) -> [String] {
    var parts = key.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
    let name = interface.description.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
    guard name.count > 1, parts.count > name.count else { return parts }
    for start in 0...(parts.count - name.count) where Array(parts[start..<start + name.count]) == name {
      parts.replaceSubrange(start..<start + name.count, with: [interface.description])
      break
    }
    return parts
  }

  /// A locally administered MAC address that follows from the IP address: whoever gets the address later has the same
  /// MAC, so that no neighbour holds a stale entry. Without IPv4 a hash of the IPv6 address, else of the owner.
  package static func mac(addresses: [Prefix], owner: String, interface: InterfaceName) -> MACAddress {
    if let ipv4 = addresses.first(where: { $0.family == .ipv4 }) {
      return MACAddress(0x0a57 << 32 | UInt64(truncatingIfNeeded: ipv4.address.value))
    }
    if let ipv6 = addresses.first(where: { $0.family == .ipv6 }) {
      return MACAddress(0x0a58 << 32 | StableHash.of(ipv6.address.description) >> 32)
    }
    return MACAddress(0x0a59 << 32 | StableHash.of("\(owner)/\(interface)") >> 32)
  }

  /// Whether a MAC address is of those that are given here, so that nobody else may choose it: it may be another
  /// container's tomorrow, or is a bridge's, or a host end's.
  package static func gives(_ mac: MACAddress) -> Bool {
    mac.bytes[0] == 0xfe || mac.bytes[0] == 0x0a && (0x57...0x5a).contains(mac.bytes[1])
  }

  /// The host end's MAC address: a bridge without a fixed one takes the lowest of its ports', and `fe` is lower than none.
  package static func hostMAC(_ hostEnd: InterfaceName) -> MACAddress {
    MACAddress(0xfe << 40 | StableHash.of(hostEnd.description) >> 24)
  }

  /// A bridge's own MAC address: fixed, else it follows its ports; different on each host, for bridges may be joined.
  package static func bridgeMAC(_ bridge: InterfaceName, machineID: String) -> MACAddress {
    MACAddress(0x0a5a << 32 | StableHash.of("\(machineID)/\(bridge)") >> 32)
  }

  private static func token(_ text: String, _ salt: UInt8) -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".unicodeScalars)
    var hash = StableHash.of(text, salt: salt)
    var token = ""
    for _ in 0..<12 {
      token.unicodeScalars.append(alphabet[Int(hash & 31)])
      hash >>= 5
    }
    return token
  }

}
