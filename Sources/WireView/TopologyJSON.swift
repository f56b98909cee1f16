import WireCore
package import WireJSON
package import WirePlan

/// The topology for programs.
extension Topology {
  package var json: JSONValue {
    .object([
      .init("host", .string(host)), .init("links", .array(links.map { $0.json })),
      .init("bridges", .array(bridges.map { $0.json })), .init("containers", .array(containers.map { $0.json })),
    ])
  }
}

extension Topology.HostLink {
  fileprivate var json: JSONValue {
    .object([
      .init("name", .string(name)), .init("kind", .text(kind)), .init("mac", .text(mac)),
      .init("mtu", .integer(Int64(mtu))), .init("up", .bool(isUp)), .init("addresses", .texts(addresses)),
      .init("bridge", .text(master)), .init("uplink", .texts(uplinkOf.map { $0.name })),
    ])
  }
}

extension Topology.Bridge {
  fileprivate var json: JSONValue {
    .object([
      .init("name", .string(name)), .init("kind", .string(kind.rawValue)), .init("exists", .bool(exists)),
      .init("up", .bool(isUp)), .init("mtu", mtu.map { .integer(Int64($0)) } ?? .null), .init("mac", .text(mac)),
      .init("addresses", .texts(addresses)),
      .init(
        "networks",
        .array(
          networks.map { network in
            .object([
              .init("name", .string(network.name)), .init("subnets", .texts(network.subnets)),
              .init("masquerade", .bool(network.masquerades)), .init("internal", .bool(network.isInternal)),
            ])
          })),
      .init(
        "ports",
        .array(
          ports.map { port in
            .object([
              .init("name", .string(port.name)), .init("vlan", .vlan(port.vlan)),
            ])
          })),
      .init(
        "tunnels",
        .array(
          tunnels.map { tunnel in
            .object([
              .init("name", .string(tunnel.name)), .init("kind", .string(tunnel.kind)), .init("key", .text(tunnel.key)),
              .init("local", .text(tunnel.local)), .init("remote", .text(tunnel.remote)),
            ])
          })),
    ])
  }
}

extension Topology.Container {
  fileprivate var json: JSONValue {
    .object([
      .init("id", .string(id)), .init("name", .string(name)), .init("status", .string(status)),
      .init(
        "interfaces",
        .array(
          interfaces.map { interface in
            .object([
              .init("name", .string(interface.name)), .init("network", .string(interface.network)),
              .init("bridge", .string(interface.bridge)), .init("host", .string(interface.hostLink)),
              .init("mac", .text(interface.mac)),
              .init("vlan", .vlan(interface.vlan)),
              .init("addresses", .texts(interface.addresses)),
            ])
          })),
      .init(
        "ports",
        .array(
          ports.map { port in
            .object([
              .init("protocol", .string(port.mapping.transport.rawValue)),
              .init("hostIP", .string(port.mapping.hostAddress?.description ?? "")),
              .init("hostPort", .integer(Int64(port.mapping.hostPort))),
              .init("containerPort", .integer(Int64(port.mapping.containerPort))),
              .init("targets", .texts(port.targets)),
            ])
          })),
    ])
  }
}

extension JSONValue {
  /// The text of a value; null where there is none.
  static func text<Value: CustomStringConvertible>(_ value: Value?) -> JSONValue {
    value.map { .string($0.description) } ?? .null
  }

  static func texts(_ values: [some CustomStringConvertible]) -> JSONValue {
    .array(values.map { .string($0.description) })
  }

  /// The number of an access port; a trunk as it is written.
  static func vlan(_ vlan: VLANMembership?) -> JSONValue {
    vlan.map { vlan in vlan.tag.map { .integer(Int64($0)) } ?? .string(vlan.description) } ?? .null
  }
}
