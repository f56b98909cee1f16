package import WireCore

extension Element {
  /// The published port that this element is, and where it leads; nil for an element of another set.
  package var publication: (mapping: PortMapping, target: IPAddress)? {
    let hostLength: Int
    switch set {
    case .ports4, .ports6: hostLength = 0
    case .lports4, .loports4: hostLength = Family.ipv4.byteCount
    case .lports6, .loports6: hostLength = Family.ipv6.byteCount
    default: return nil
    }
    let rest = key.dropFirst(hostLength)
    // Protocol and port, each padded to a register.
    guard let data, rest.count == 8, let transport = rest.first.flatMap({ TransportProtocol(number: $0) }),
      data.count == Family.ipv4.byteCount + 4 || data.count == Family.ipv6.byteCount + 4,
      let target = IPAddress(bytes: data.dropLast(4))
    else { return nil }
    let hostPort = rest.dropFirst(4).prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
    let containerPort = data.suffix(4).prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
    let host = hostLength == 0 ? nil : IPAddress(bytes: key.prefix(hostLength))
    return (PortMapping(transport, hostAddress: host, hostPort: hostPort, containerPort: containerPort), target)
  }
}
