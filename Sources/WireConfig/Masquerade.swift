package import WireCore
internal import WireJSON

/// With which source address packets leave the host.
package enum SourceNAT: Sendable, Hashable {
  /// Their own.
  case off
  /// The address of the link that they leave by.
  case masquerade
  /// One of these addresses of the host.
  case addresses([IPAddress])
}

package struct Masquerade: Sendable, Hashable {
  package var ipv4: SourceNAT
  package var ipv6: SourceNAT

  package init(ipv4: SourceNAT = .masquerade, ipv6: SourceNAT = .masquerade) {
    self.ipv4 = ipv4
    self.ipv6 = ipv6
  }

  package subscript(family: Family) -> SourceNAT { family == .ipv4 ? ipv4 : ipv6 }
}

extension Masquerade {
  private static let expectation = "true, false, addresses, or {\"ipv4\": …, \"ipv6\": …} of these"

  /// Reads a boolean, addresses of both families, or an object with one of these for each family; a family that is not
  /// named is masqueraded.
  init(_ reader: JSONReader) throws(WireError) {
    self.init()
    switch reader.value {
    case .bool(let isOn):
      ipv4 = isOn ? .masquerade : .off
      ipv6 = ipv4
    case .string, .array:
      let addresses = try Self.addresses(reader, expectation: Self.expectation)
      for family in Family.allCases where addresses.contains(where: { $0.family == family }) {
        set(family, .addresses(addresses.filter { $0.family == family }))
      }
    case .object:
      try reader.allowOnly(["ipv4", "ipv6"])
      if let given = reader["ipv4"] { ipv4 = try Self.one(given, .ipv4) }
      if let given = reader["ipv6"] { ipv6 = try Self.one(given, .ipv6) }
    default: throw reader.expected(Self.expectation)
    }
  }

  private mutating func set(_ family: Family, _ nat: SourceNAT) {
    switch family {
    case .ipv4: ipv4 = nat
    case .ipv6: ipv6 = nat
    }
  }

  private static func one(_ reader: JSONReader, _ family: Family) throws(WireError) -> SourceNAT {
    if case .bool(let isOn) = reader.value { return isOn ? .masquerade : .off }
    let expectation = "true, false or \(family.name) addresses of the host"
    let addresses = try addresses(reader, expectation: expectation)
    guard addresses.allSatisfy({ $0.family == family }) else { throw reader.expected(expectation) }
    return .addresses(addresses)
  }

  private static func addresses(_ reader: JSONReader, expectation: String) throws(WireError) -> [IPAddress] {
    var elements = [reader]
    if case .array = reader.value { elements = try reader.elements(limit: 64) }
    guard !elements.isEmpty else { throw reader.expected(expectation) }
    var result: [IPAddress] = []
    for element in elements {
      result.append(
        try element.parsed(expectation) { text in
          IPAddress(text).flatMap { $0.isAny || $0.isMulticast || $0.isLoopback ? nil : $0 }
        })
    }
    return result
  }
}
