import WireConfig
import WireCore
import WireEngine
import WireJSON
import WirePlan

/// One wired container, in the form that `ls`, `inspect` and `port` print it.
struct Listing {
  let container: WiredContainer

  private var identity: ContainerIdentity { container.attachment.container }

  var json: JSONValue {
    .object([
      .init("id", .string(identity.id)), .init("name", .string(identity.owner)),
      .init("runtime", .string(container.runtime)), .init("status", .string(container.status.rawValue)),
      .init("pid", .integer(Int64(container.pid))), .init("netns", .string("net:[\(container.netns)]")),
      .init("interfaces", .array(container.attachment.interfaces.map { interface($0) })), .init("ports", ports),
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

  /// The cells of `wirehook ls`.
  var row: [String] {
    let interfaces = container.attachment.interfaces.map { interface in
      ([interface.name.description] + interface.addresses.map { $0.description }).joined(separator: " ")
        + " (\(interface.network))"
    }
    return [
      identity.owner.escapingControls(limit: 24), container.status.rawValue, "\(container.pid)",
      interfaces.joined(separator: ", "), portTexts.joined(separator: ", "),
    ]
  }

  static let headings = ["NAME", "STATUS", "PID", "INTERFACES", "PORTS"]

  /// `0.0.0.0:8080->80/tcp`, as `docker ps` shows them; one entry for both families.
  var portTexts: [String] {
    container.attachment.ports.map { port in
      let mapping = port.mapping
      let host = mapping.hostAddress.map { $0.family == .ipv6 ? "[\($0)]:" : "\($0):" } ?? ""
      return "\(host)\(mapping.hostPort)->\(mapping.containerPort)/\(mapping.transport.rawValue)"
    }
  }
}
