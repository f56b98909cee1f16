import WireCore

/// An element as nft(8) lists it: `tcp . 8080 : 10.210.0.2 . 80`.
extension Element: CustomStringConvertible {
  package var description: String {
    let definition = set.definition
    let first = Self.fields(key, definition.key)
    let last = keyEnd.map { Self.fields($0, definition.key) } ?? first
    let range = zip(first, last).map { $0 == $1 ? $0 : "\($0)-\($1)" }.joined(separator: " . ")
    guard let data else { return range }
    return range + " : " + Self.fields(data, definition.data).joined(separator: " . ")
  }

  /// Bytes that do not fill their fields, which the kernel does not send, are left out.
  private static func fields(_ bytes: [UInt8], _ types: [DataType]) -> [String] {
    var rest = bytes[...]
    var texts: [String] = []
    for type in types {
      texts.append(text(rest.prefix(type.length), type))
      rest = rest.dropFirst(types.count == 1 ? type.length : type.paddedLength)
    }
    return texts
  }

  private static func text(_ bytes: ArraySlice<UInt8>, _ type: DataType) -> String {
    switch type {
    case .ipv4Address, .ipv6Address, .integer: return IPAddress(bytes: bytes).map { $0.description } ?? "?"
    case .etherAddress: return MACAddress(bytes: bytes).map { $0.description } ?? "?"
    case .interfaceName: return "\"\(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))\""
    case .transportProtocol:
      return bytes.first.flatMap { TransportProtocol(number: $0) }?.rawValue ?? bytes.first.map { "\($0)" } ?? "?"
    case .port, .icmpv6Type: return "\(bytes.reduce(0) { $0 << 8 | Int($1) })"
    }
  }
}
