package import WireCore

/// One element of a set or map of ours, in the kernel's bytes: compared as such with what a dump returns.
package struct Element: Sendable, Hashable {
  package let set: SetName
  /// The key; of an interval its first value.
  package let key: [UInt8]
  /// The last value of an interval, inclusive; nil in a set without intervals.
  package let keyEnd: [UInt8]?
  /// What a map maps to; nil in a set.
  package let data: [UInt8]?

  init(_ set: SetName, _ key: [UInt8], end: [UInt8]? = nil, data: [UInt8]? = nil) {
    self.set = set
    self.key = key
    keyEnd = end
    self.data = data
  }
}

extension Element {
  /// A published port. Nil where the host address is of the other family than the container's.
  package static func port(_ mapping: PortMapping, to container: IPAddress) -> Element? {
    let is4 = container.family == .ipv4
    let data = Field.join(container.bytes, Field.number(mapping.containerPort))
    let key = Field.join([mapping.transport.number], Field.number(mapping.hostPort))
    guard let host = mapping.hostAddress else { return Element(is4 ? .ports4 : .ports6, key, data: data) }
    guard host.family == container.family else { return nil }
    if host.isAny { return Element(is4 ? .ports4 : .ports6, key, data: data) }
    let set: SetName = host.isLoopback ? (is4 ? .loports4 : .loports6) : (is4 ? .lports4 : .lports6)
    return Element(set, host.bytes + key, data: data)
  }

  /// A bridge that carries containers of ours, whosever it is.
  package static func segment(_ bridge: InterfaceName) -> Element { Element(.segments, Field.name(bridge)) }
  /// A bridge of ours, which we filter. It is a segment too.
  package static func bridge(_ bridge: InterfaceName) -> Element { Element(.bridges, Field.name(bridge)) }
  /// A bridge without a way out.
  package static func `internal`(_ bridge: InterfaceName) -> Element { Element(.internal, Field.name(bridge)) }
  /// A bridge on which everything is reachable from outside.
  package static func exposed(_ bridge: InterfaceName) -> Element { Element(.exposed, Field.name(bridge)) }
  /// A bridge whose containers and those of other such bridges reach each other.
  package static func open(_ bridge: InterfaceName) -> Element { Element(.open, Field.name(bridge)) }
  /// Packets from `bridge` to `other` pass; to itself (where br_netfilter shows them to us) unless its containers are isolated.
  package static func intra(_ bridge: InterfaceName, _ other: InterfaceName) -> Element {
    Element(.intra, Field.name(bridge) + Field.name(other))
  }

  /// `subnet` is on `bridge`: what goes from the one to the other has not left its segment, so its source is not changed,
  /// unless it was sent to a published port: then the answer must come back this way, so it is masqueraded.
  package static func home(_ bridge: InterfaceName, _ subnet: Prefix) -> Element {
    Element(
      subnet.family == .ipv4 ? .home4 : .home6, Field.name(bridge) + subnet.first.bytes,
      end: Field.name(bridge) + subnet.last.bytes)
  }

  /// `subnet` leaves the host with the address of the link that it leaves by.
  package static func masquerade(_ subnet: Prefix) -> Element {
    Element(subnet.family == .ipv4 ? .masq4 : .masq6, subnet.first.bytes, end: subnet.last.bytes)
  }

  /// `container` leaves the host as `host`. Nil where the families differ.
  package static func snat(_ container: IPAddress, to host: IPAddress) -> Element? {
    guard container.family == host.family else { return nil }
    return Element(container.family == .ipv4 ? .snat4 : .snat6, container.bytes, data: host.bytes)
  }

  /// `subnet` leaves the host as `host`. Nil where the families differ.
  package static func snat(_ subnet: Prefix, to host: IPAddress) -> Element? {
    guard subnet.family == host.family else { return nil }
    return Element(
      subnet.family == .ipv4 ? .netsnat4 : .netsnat6, subnet.first.bytes, end: subnet.last.bytes, data: host.bytes)
  }

  /// `container` has no route back through this host (an internal network, another gateway): who calls its published
  /// ports is masqueraded.
  package static func noReturn(_ container: IPAddress) -> Element {
    Element(container.family == .ipv4 ? .noreturn4 : .noreturn6, container.bytes)
  }

  /// Only those whom `allow` names may call this port of the host. The host itself always may.
  package static func restricted(_ transport: TransportProtocol, hostPort: UInt16, of container: IPAddress) -> Element {
    Element(container.family == .ipv4 ? .restricted4 : .restricted6, callKey(transport, hostPort, container))
  }

  /// `source` may call a restricted port. Nil where the families differ.
  package static func allow(
    _ transport: TransportProtocol, hostPort: UInt16, of container: IPAddress, from source: Prefix
  ) -> Element? {
    guard container.family == source.family else { return nil }
    let key = callKey(transport, hostPort, container)
    return Element(
      container.family == .ipv4 ? .allow4 : .allow6, key + source.first.bytes, end: key + source.last.bytes)
  }

  /// What comes in by this host end is checked: its sender must be one of the following.
  package static func antispoof(_ hostEnd: InterfaceName) -> Element { Element(.antispoof, Field.name(hostEnd)) }
  package static func sender(_ hostEnd: InterfaceName, _ mac: MACAddress) -> Element {
    Element(.ethers, Field.join(Field.name(hostEnd), mac.bytes))
  }
  package static func sender(_ hostEnd: InterfaceName, _ address: IPAddress) -> Element {
    Element(address.family == .ipv4 ? .sources4 : .sources6, Field.name(hostEnd) + address.bytes)
  }
  /// Any address of this family may be the sender's.
  package static func anySender(_ hostEnd: InterfaceName, _ family: Family) -> Element {
    Element(family == .ipv4 ? .free4 : .free6, Field.name(hostEnd))
  }

  private static func callKey(_ transport: TransportProtocol, _ hostPort: UInt16, _ container: IPAddress) -> [UInt8] {
    Field.join(container.bytes, [transport.number], Field.number(hostPort))
  }
}

/// Fields of a key in the kernel's bytes.
enum Field {
  /// Numbers are in network order.
  static func number(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

  /// Names fill IFNAMSIZ bytes.
  static func name(_ name: InterfaceName) -> [UInt8] {
    padded(Array(name.description.utf8), to: InterfaceName.limit + 1)
  }

  /// Each field of a concatenation is padded to whole 32-bit registers.
  static func join(_ fields: [UInt8]...) -> [UInt8] {
    fields.reduce(into: []) { $0 += padded($1, to: ($1.count + 3) & ~3) }
  }

  static func padded(_ bytes: [UInt8], to count: Int) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: max(0, count - bytes.count))
  }
}
