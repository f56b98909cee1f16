package import WireCore
internal import WireJSON

/// What annotations may ask for. A part that is absent allows what the defaults here say, most of them everything. It
/// judges what is asked for: what a container leaves out is the administrator's own default, and stays so.
package struct Policy: Sendable, Equatable {
  /// Networks as an annotation names them, `*` standing for any text: `front`, `bridge:br*`.
  package var networks: [String]?
  /// By default not those below 1024, at which programs of a host are trusted more than others.
  package var hostPorts: [ClosedRange<UInt16>] = [1024...65535]
  /// Addresses of the host to publish on and to leave with.
  package var hostAddresses: [Prefix]?
  /// The widest sources that `wirehook.allow` may name.
  package var sources: [Prefix]?
  package var staticIPs = true
  package var macs = true
  /// Where `wirehook.routes` may lead.
  package var routes: [Prefix]?
  package var gateways = true
  package var vlans: [ClosedRange<UInt16>]?
  /// Keys, `*` standing for any text: `net.ipv4.conf.*`. The list of the safe ones is made only where a container asks for a
  /// setting: few do, and it is 4 % of the instructions of an attach.
  package var sysctls: [String] { givenSysctls ?? Policy.safeSysctls }
  private var givenSysctls: [String]?
  /// Whether labels that are baked into an image count like those of the person who runs it.
  package var imageLabels = false

  package init() {}
}

extension Policy {
  /// The keys of `policy` in the main file.
  package static let keys = [
    "networks", "host_ports", "host_addresses", "sources", "static_ips", "macs", "routes", "gateways", "vlans",
    "sysctls",
    "image_labels",
  ]

  init(_ reader: JSONReader) throws(WireError) {
    try reader.allowOnly(Self.keys)
    networks = try Self.texts(reader["networks"])
    hostPorts = try reader["host_ports"]?.ranges(in: 1...65535, Self.portExpectation) ?? hostPorts
    hostAddresses = try reader["host_addresses"]?.sources()
    sources = try reader["sources"]?.sources()
    staticIPs = try reader["static_ips"]?.bool() ?? staticIPs
    macs = try reader["macs"]?.bool() ?? macs
    routes = try reader["routes"]?.sources()
    gateways = try reader["gateways"]?.bool() ?? gateways
    vlans = try reader["vlans"]?.ranges(in: 1...4094, "a VLAN, or a range such as \"100-199\"")
    givenSysctls = try Self.texts(reader["sysctls"])
    imageLabels = try reader["image_labels"]?.bool() ?? imageLabels
  }

  private static func texts(_ reader: JSONReader?) throws(WireError) -> [String]? {
    guard let reader else { return nil }
    var result: [String] = []
    for element in try reader.elements() {
      result.append(try element.parsed("a name of 1 to 200 bytes") { (1...200).contains($0.utf8.count) ? $0 : nil })
    }
    return result
  }

  private static let portExpectation = "a port, or a range such as \"8000-9000\""
}

extension JSONReader {
  /// Numbers, and ranges as text.
  fileprivate func ranges(
    in limits: ClosedRange<UInt16>, _ expectation: String
  ) throws(WireError) -> [ClosedRange<UInt16>] {
    var result: [ClosedRange<UInt16>] = []
    for element in try elements() {
      if case .integer = element.value {
        let number = UInt16(try element.integer(in: Int64(limits.lowerBound)...Int64(limits.upperBound)))
        result.append(number...number)
      } else {
        result.append(
          try element.parsed(expectation) { text in
            PortRequest.range(text[...]).flatMap { limits.contains($0.upperBound) ? $0 : nil }
          })
      }
    }
    return result
  }
}
