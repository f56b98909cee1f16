package import WireCore

extension Policy {
  /// Throws the first thing that `request` asks for and may not have.
  package func judge(_ request: ContainerRequest) throws(WireError) {
    for (index, interface) in request.interfaces.enumerated() {
      let suffix = index == 0 ? "" : ".\(interface.name)"
      try judgeIdentity(interface, suffix)
      for port in interface.ports { try judge(port, suffix) }
      try judgeSources(interface, suffix)
      try judgeWays(interface, suffix)
      for setting in interface.sysctls {
        guard !sysctls.contains(where: { Self.matches(setting.key, $0) }) else { continue }
        throw refusal("sysctl" + suffix, setting.key, "sysctls", sysctls)
      }
    }
  }

  private func judgeIdentity(_ interface: InterfaceRequest, _ suffix: String) throws(WireError) {
    if let networks, let name = interface.network?.description, !networks.contains(where: { Self.matches(name, $0) }) {
      throw refusal("network", name, "networks", networks)
    }
    if !staticIPs, case .given(let addresses) = interface.addresses, let first = addresses.first {
      throw refusal("ip" + suffix, "\(first.address)", "static_ips", ["no address of one's own choice"])
    }
    if !macs, let mac = interface.mac {
      throw refusal("mac" + suffix, "\(mac)", "macs", ["no MAC address of one's own choice"])
    }
    for address in interface.snat { try judge(address, "snat" + suffix, "\(address)") }
  }

  private func judge(_ port: PortRequest, _ suffix: String) throws(WireError) {
    if let address = port.hostAddress { try judge(address, "ports" + suffix, port.text) }
    guard let wanted = port.hostPorts, !Self.covers(hostPorts, wanted) else { return }
    throw refusal("ports" + suffix, port.text, "host_ports", Self.texts(hostPorts))
  }

  /// The routes, the default gateway and the VLANs.
  private func judgeWays(_ interface: InterfaceRequest, _ suffix: String) throws(WireError) {
    if let routes {
      for route in interface.routes where !routes.contains(where: { $0.contains(route.destination) }) {
        throw refusal("routes" + suffix, "\(route.destination)", "routes", routes.map(\.description))
      }
    }
    if !gateways, case .given(let given) = interface.gateway, let first = given.first {
      throw refusal("gateway" + suffix, "\(first)", "gateways", ["no gateway of one's own choice"])
    }
    guard let vlans, let membership = interface.vlan else { return }
    let wanted: [ClosedRange<UInt16>]
    switch membership {
    case .access(let tag): wanted = [tag...tag]
    case .trunk(let ranges): wanted = ranges
    }
    guard wanted.allSatisfy({ Self.covers(vlans, $0) }) else {
      throw refusal("vlan" + suffix, "\(membership)", "vlans", Self.texts(vlans))
    }
  }

  /// Whether one of `allowed` holds all of `wanted`.
  private static func covers(_ allowed: [ClosedRange<UInt16>], _ wanted: ClosedRange<UInt16>) -> Bool {
    allowed.contains { $0.lowerBound <= wanted.lowerBound && wanted.upperBound <= $0.upperBound }
  }

  private static func texts(_ ranges: [ClosedRange<UInt16>]) -> [String] {
    ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
  }

  /// `0.0.0.0` and `::` are asked for as such: only a prefix of length 0 holds them all.
  private func judge(_ address: IPAddress, _ key: String, _ text: String) throws(WireError) {
    guard let hostAddresses else { return }
    let isAllowed = hostAddresses.contains {
      address.isAny ? $0.family == address.family && $0.length == 0 : $0.contains(address)
    }
    guard isAllowed else { throw refusal(key, text, "host_addresses", hostAddresses.map(\.description)) }
  }

  private func judgeSources(_ interface: InterfaceRequest, _ suffix: String) throws(WireError) {
    guard let sources else { return }
    let byPort = interface.allowByPort.sorted { $0.key < $1.key }.map { (".\($0.key)", $0.value) }
    for (suffix, prefixes) in [(suffix, interface.allow)] + byPort {
      for prefix in prefixes where !sources.contains(where: { $0.contains(prefix) }) {
        throw refusal("allow" + suffix, "\(prefix)", "sources", sources.map(\.description))
      }
    }
  }

  private func refusal(_ key: String, _ value: String, _ part: String, _ allowed: [String]) -> WireError {
    let list = allowed.isEmpty ? "nothing" : allowed.prefix(16).joined(separator: ", ")
    return WireError(
      "annotation wirehook.\(key) \(value.quoted)", "the policy of this host does not allow it",
      hint: "policy.\(part) allows \(list)")
  }

  /// Whether `pattern` covers all of `text`; `*` stands for any text. Linear but for the last `*`, which alone is retried.
  static func matches(_ text: String, _ pattern: String) -> Bool {
    let (text, pattern) = (Array(text.utf8), Array(pattern.utf8))
    var (position, index) = (0, 0)
    var retry: (position: Int, index: Int)?
    while position < text.count {
      if index < pattern.count, pattern[index] == UInt8(ascii: "*") {
        retry = (position, index)
        index += 1
      } else if index < pattern.count, pattern[index] == text[position] {
        position += 1
        index += 1
      } else if let last = retry {
        retry = (last.position + 1, last.index)
        (position, index) = (last.position + 1, last.index + 1)
      } else {
        return false
      }
    }
    return pattern[index...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
