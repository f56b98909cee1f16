internal import WireCore

extension InterfaceRequest {
  /// Puts the value of one annotation where it belongs.
  mutating func set(_ key: AnnotationKey, _ text: AnnotationText) throws(WireError) {
    switch key {
    case .ip: addresses = try Self.addresses(text)
    case .ports:
      for entry in try text.entries(PortRequest.expectation) { ports.append(try PortRequest(entry)) }
    case .allow: allow = try text.list(AllowList.expectation, AllowList.source)
    case .routes: routes = try Self.routes(text)
    case .gateway: gateway = try Self.gateway(text)
    case .snat: snat = try Self.oneOfEachFamily(text)
    case .mac:
      mac = try text.parsed("a unicast MAC address such as 02:42:64:01:01:06") { (value) -> MACAddress? in
        MACAddress(value).flatMap { $0.isMulticast || $0.isZero ? nil : $0 }
      }
    case .mtu: mtu = UInt32(try text.number(in: 68...65535))
    case .vlan: vlan = try text.parsed(VLANMembership.expectation) { VLANMembership($0) }
    case .bandwidth: bandwidth = try Self.bandwidth(text)
    case .sysctl: sysctls = try Self.sysctls(text)
    case .network, .dns, .dnsSearch, .hosts, .alias: throw text.refused("the key is not for an interface")
    }
  }

  private static func addresses(_ text: AnnotationText) throws(WireError) -> AddressRequest {
    if text.value.trimmingBlanks == "none" { return .none }
    var result: [RequestedAddress] = []
    for entry in try text.entries("addresses, with or without prefix length, or \"none\"") {
      let address = try requestedAddress(entry)
      if result.contains(where: { $0.address == address.address }) { throw entry.refused("the address is given twice") }
      result.append(address)
    }
    return .given(result)
  }

  private static func requestedAddress(_ entry: AnnotationText) throws(WireError) -> RequestedAddress {
    let prefix = Prefix(entry.value)
    guard let address = prefix?.address ?? IPAddress(entry.value), prefix?.length != 0 else {
      throw entry.expected("an address such as 10.210.5.9, 10.210.5.9/22 or fd42::9")
    }
    guard !address.isAny, !address.isMulticast, !address.isLoopback, address != IPAddress(.ipv4, 0xffff_ffff) else {
      throw entry.expected("an address that an interface can have")
    }
    // A subnet's own address, unless the subnet is too small to have one (RFC 3021, RFC 6164).
    if let prefix, prefix.length < address.family.bitCount - 1, address == prefix.first || address == prefix.broadcast {
      throw entry.refused(
        "this is the \(address == prefix.first ? "network's own" : "broadcast") address of \(prefix.network)")
    }
    return RequestedAddress(address, length: prefix?.length)
  }

  private static func routes(_ text: AnnotationText) throws(WireError) -> [RouteRequest] {
    var result: [RouteRequest] = []
    for entry in try text.entries(RouteRequest.expectation) {
      do throws(RouteSyntaxError) { result.append(try RouteRequest(entry.value)) } catch {
        throw entry.expected(error.expectation)
      }
    }
    return result
  }

  private static func gateway(_ text: AnnotationText) throws(WireError) -> GatewayRequest {
    text.value.trimmingBlanks == "none" ? .none : .given(try oneOfEachFamily(text))
  }

  private static func oneOfEachFamily(_ text: AnnotationText) throws(WireError) -> [IPAddress] {
    let expectation = "an address, at most one of each family"
    let result = try text.list(expectation) { (value) -> IPAddress? in
      IPAddress(value).flatMap { $0.isAny || $0.isMulticast || $0.isLoopback ? nil : $0 }
    }
    guard Set(result.map(\.family)).count == result.count else { throw text.expected(expectation) }
    return result
  }

  private static func bandwidth(_ text: AnnotationText) throws(WireError) -> Bandwidth {
    let expectation = "ingress=RATE or egress=RATE, each once, with \(Rate.expectation)"
    var result = Bandwidth()
    for entry in try text.entries(expectation) {
      let parts = entry.value.pieces(at: UInt8(ascii: "="), limit: 2)
      guard parts.count == 2, let rate = Rate(parts[1].trimmingBlanks) else { throw entry.expected(expectation) }
      switch parts[0].trimmingBlanks {
      case "ingress" where result.ingress == nil: result.ingress = rate
      case "egress" where result.egress == nil: result.egress = rate
      default: throw entry.expected(expectation)
      }
    }
    return result
  }

  private static func sysctls(_ text: AnnotationText) throws(WireError) -> [SysctlSetting] {
    var result: [SysctlSetting] = []
    for entry in try text.entries(SysctlSetting.expectation) {
      let setting = try entry.parsed(SysctlSetting.expectation, SysctlSetting.init(_:))
      if result.contains(where: { $0.key == setting.key }) { throw entry.refused("the setting is given twice") }
      result.append(setting)
    }
    return result
  }
}
