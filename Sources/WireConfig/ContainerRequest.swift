package import WireCore

/// What a container's annotations ask for.
package struct ContainerRequest: Sendable, Equatable {
  /// Whether there is any `wirehook.` key at all. Without one a container is wired only where `auto` says so.
  package var isExplicit: Bool
  /// `wirehook.network=none`.
  package var optsOut: Bool
  /// In the order of `wirehook.network`; one on the default network (`network` is nil) where that key is absent; empty
  /// only for a container that opts out.
  package var interfaces: [InterfaceRequest]
  /// What its resolver is told.
  package var names = NameRequest()

  package init(isExplicit: Bool, optsOut: Bool, interfaces: [InterfaceRequest]) {
    self.isExplicit = isExplicit
    self.optsOut = optsOut
    self.interfaces = interfaces
  }
}

/// What is asked for one interface of the container.
package struct InterfaceRequest: Sendable, Equatable {
  /// nil: the default network.
  package var network: NetworkReference?
  /// The link's name inside the container.
  package var name: InterfaceName
  package var addresses = AddressRequest.pool
  package var ports: [PortRequest] = []
  /// Who may call the published ports; empty: whom the network allows.
  package var allow: [Prefix] = []
  /// The same for one host port, which is one of `ports`.
  package var allowByPort: [UInt16: [Prefix]] = [:]
  package var routes: [RouteRequest] = []
  package var gateway = GatewayRequest.automatic
  /// Addresses of the host to leave with: at most one of each family.
  package var snat: [IPAddress] = []
  package var mac: MACAddress?
  /// In bytes.
  package var mtu: UInt32?
  /// The VLANs of its port.
  package var vlan: VLANMembership?
  package var bandwidth = Bandwidth()
  package var sysctls: [SysctlSetting] = []

  package init(network: NetworkReference?, name: InterfaceName) {
    self.network = network
    self.name = name
  }
}

/// How an annotation names a network.
package enum NetworkReference: Sendable, Hashable, CustomStringConvertible {
  /// A configured one.
  case named(String)
  /// `bridge:NAME`, a Linux bridge that is there.
  case bridge(InterfaceName)
  /// `ovs:NAME`, an Open vSwitch bridge that is there.
  case ovs(InterfaceName)

  /// As the annotation spells it.
  package var description: String {
    switch self {
    case .named(let name): name
    case .bridge(let name): "bridge:\(name)"
    case .ovs(let name): "ovs:\(name)"
    }
  }
}

package enum AddressRequest: Sendable, Hashable {
  /// One of each family that the network has.
  case pool
  /// `wirehook.ip=none`: the link comes up without an address.
  case none
  /// These; a family that is not among them comes from the pool. Of several in one family the first is the primary.
  case given([RequestedAddress])
}

package struct RequestedAddress: Sendable, Hashable {
  package var address: IPAddress
  /// The prefix length; nil: the one of the subnet that holds the address.
  package var length: Int?

  package init(_ address: IPAddress, length: Int? = nil) {
    self.address = address
    self.length = length
  }
}

package enum GatewayRequest: Sendable, Hashable {
  /// The first network that has a gateway gives it, each family by itself.
  case automatic
  /// No default route by this interface.
  case none
  /// At most one of each family.
  case given([IPAddress])
}

/// Limits of traffic, seen from the container.
package struct Bandwidth: Sendable, Hashable {
  package var ingress: Rate?
  package var egress: Rate?

  package init(ingress: Rate? = nil, egress: Rate? = nil) {
    self.ingress = ingress
    self.egress = egress
  }
}
