import WireConfig
import WireCore
import WireEngine
import WireJSON
import WirePlan
import WireView

/// One wired container, in the form that `ls`, `inspect` and `port` print it.
struct Listing {
  let container: WiredContainer

  private var identity: ContainerIdentity { container.attachment.container }
  private var interfaces: [AttachedInterface] { container.attachment.interfaces }

  var json: JSONValue {
    .object([
      .init("id", .string(identity.id)), .init("name", .string(identity.owner)),
      .init("runtime", .string(container.runtime)), .init("status", .string(container.status.rawValue)),
      .init("pid", .integer(Int64(container.pid))), .init("netns", .string("net:[\(container.netns)]")),
      .init("interfaces", .array(interfaces.map { interface($0) })), .init("ports", ports),
    ])
  }

  var ports: JSONValue {
    .array(
      container.attachment.ports.map { port in
        .object([
          .init("protocol", .string(port.mapping.transport.rawValue)),
          .init("hostIP", .string(port.mapping.hostAddress?.description ?? "")),
          .init("hostPort", .integer(Int64(port.mapping.hostPort))),
          .init("containerPort", .integer(Int64(port.mapping.containerPort))),
        ])
      })
  }

  private func interface(_ interface: AttachedInterface) -> JSONValue {
    .object([
      .init("name", .string(interface.name.description)), .init("network", .string(interface.network)),
      .init("driver", .string(interface.driver.rawValue)), .init("bridge", .string(interface.bridge.description)),
      .init("host", .string(interface.hostLink.description)), .init("mac", .string(interface.mac.description)),
      .init("mtu", .integer(Int64(interface.mtu))),
      .init("vlan", interface.vlan.map { vlan in vlan.tag.map { .integer(Int64($0)) } ?? .string("\(vlan)") } ?? .null),
      .init("addresses", .array(interface.addresses.map { .string($0.description) })),
      .init("gateway", interface.gateways.first.map { .string($0.description) } ?? .null),
      .init("gateways", .array(interface.gateways.map { .string($0.description) })),
    ])
  }

  /// The table of `wirehook ls`.
  static func table(_ listings: [Listing]) -> Table {
    var table = Table([
      .init("NAME", .left, .name, isCut: true), .init("STATUS", .left, .status), .init("PID", .right),
      .init("INTERFACES", isCut: true), .init("PORTS", .left, .port, isCut: true),
    ])
    for listing in listings {
      table.add([
        [listing.identity.owner], [listing.container.status.rawValue], ["\(listing.container.pid)"],
        listing.interfaces.map { interface in
          ([interface.name.description] + interface.addresses.map { $0.description }).joined(separator: " ")
            + " (\(place(of: interface)))"
        }, listing.portRanges,
      ])
    }
    return table
  }

  /// The network; of an Open vSwitch the port, by which its own tools know it; the VLAN.
  private static func place(of interface: AttachedInterface) -> String {
    var parts = [interface.network]
    if interface.driver == .ovs { parts.append("port \(interface.hostLink)") }
    if let vlan = interface.vlan { parts.append("VLAN \(vlan)") }
    return parts.joined(separator: " ")
  }

  /// `0.0.0.0:8080->80/tcp`, as `docker ps` shows them; one entry for both families.
  var portTexts: [String] { container.attachment.ports.flatMap { PortRange.joining([$0.mapping]) }.map { $0.text() } }

  /// The same, neighbours joined.
  var portRanges: [String] { PortRange.joining(container.attachment.ports.map { $0.mapping }).map { $0.text() } }
}

/// What `--format` can ask for.
extension Listing {
  static let fields = [
    "ID", "ShortID", "Name", "Status", "PID", "NetNS", "Runtime", "Bundle", "Created", "IP", "IP6", "Addresses", "MAC",
    "Interfaces", "Networks", "Gateway", "Ports",
  ]

  func value(_ field: String) -> String {
    let addresses = interfaces.flatMap { $0.addresses }
    switch field {
    case "ID": return identity.id
    case "ShortID": return String(identity.id.prefix(12))
    case "Name": return identity.owner
    case "Status": return container.status.rawValue
    case "PID": return "\(container.pid)"
    case "NetNS": return "net:[\(container.netns)]"
    case "Runtime": return container.runtime
    case "Bundle": return container.bundle
    case "Created": return Moment.text(container.created)
    case "IP": return addresses.first { $0.family == .ipv4 }?.address.description ?? ""
    case "IP6": return addresses.first { $0.family == .ipv6 }?.address.description ?? ""
    case "Addresses": return addresses.map { $0.description }.joined(separator: ",")
    case "MAC": return interfaces.first?.mac.description ?? ""
    case "Interfaces": return interfaces.map { $0.name.description }.joined(separator: ",")
    case "Networks": return interfaces.map { $0.network }.joined(separator: ",")
    case "Gateway": return interfaces.flatMap { $0.gateways }.first?.description ?? ""
    case "Ports": return portRanges.joined(separator: ",")
    default: return ""
    }
  }
}

extension WiredContainer {
  /// Whether its name, or a network that it is on, is as asked.
  func isOn(network: String?) -> Bool {
    network.map { name in attachment.interfaces.contains { $0.network == name } } ?? true
  }
}
