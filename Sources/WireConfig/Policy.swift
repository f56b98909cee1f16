package import WireCore
internal import WireJSON

/// What annotations may ask for. A part that is absent allows everything. It judges what is asked for: what a container
/// leaves out is the administrator's own default, and stays so.
package struct Policy: Sendable, Equatable {
  /// Networks as an annotation names them, `*` standing for any text: `front`, `bridge:br*`.
  package var networks: [String]?
  package var hostPorts: [ClosedRange<UInt16>]?
  /// Addresses of the host to publish on and to leave with.
  package var hostAddresses: [Prefix]?
  /// The widest sources that `wirehook.allow` may name.
  package var sources: [Prefix]?
  package var staticIPs = true
  package var macs = true
  /// Keys, `*` standing for any text: `net.ipv4.conf.*`.
  package var sysctls: [String]?
  /// Whether labels that are baked into an image count like those of the person who runs it.
  package var imageLabels = false

  package init() {}
}

extension Policy {
  /// The keys of `policy` in the main file.
  package static let keys = [
    "networks", "host_ports", "host_addresses", "sources", "static_ips", "macs", "sysctls", "image_labels",
  ]

  init(_ reader: JSONReader) throws(WireError) {
    try reader.allowOnly(Self.keys)
    networks = try Self.texts(reader["networks"])
    hostPorts = try Self.ports(reader["host_ports"])
    hostAddresses = try reader["host_addresses"]?.sources()
    sources = try reader["sources"]?.sources()
    staticIPs = try reader["static_ips"]?.bool() ?? staticIPs
    macs = try reader["macs"]?.bool() ?? macs
    sysctls = try Self.texts(reader["sysctls"])
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

  private static func ports(_ reader: JSONReader?) throws(WireError) -> [ClosedRange<UInt16>]? {
    guard let reader else { return nil }
    var result: [ClosedRange<UInt16>] = []
    for element in try reader.elements() {
      if case .integer = element.value {
        let port = UInt16(try element.integer(in: 1...65535))
        result.append(port...port)
      } else {
        result.append(try element.parsed("a port, or a range such as \"8000-9000\"", { PortRequest.range($0[...]) }))
      }
    }
    return result
  }
}
