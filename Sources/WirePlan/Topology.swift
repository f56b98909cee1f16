package import WireCore

/// What is joined to what on a host: the value that every picture and listing of it is drawn from.
///
/// All lists are sorted, so that the same host gives the same picture.
package struct Topology: Sendable, Hashable {
  /// The host's name.
  package var host: String
  /// The host's links that are neither bridges nor a container's, nor loopback.
  package var links: [HostLink] = []
  package var bridges: [Bridge] = []
  package var containers: [Container] = []

  package init(host: String) { self.host = host }

  /// A link of the host: hardware, a VLAN, somebody else's veth.
  package struct HostLink: Sendable, Hashable {
    package var name: String
    /// As `ip -d link` names it; nil for hardware.
    package var kind: String?
    package var mac: MACAddress?
    /// Bytes.
    package var mtu: UInt32
    package var isUp: Bool
    package var addresses: [Prefix] = []
    /// The bridge that it is a port of.
    package var master: String?
    /// The families whose way to the Internet leaves by it.
    package var uplinkOf: [Family] = []

    package init(name: String, kind: String?, mac: MACAddress?, mtu: UInt32, isUp: Bool) {
      self.name = name
      self.kind = kind
      self.mac = mac
      self.mtu = mtu
      self.isUp = isUp
    }
  }

  /// A bridge, and what hangs on it besides containers.
  package struct Bridge: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
      /// The kernel's own.
      case bridge
      /// One of Open vSwitch.
      case ovs
    }

    package var name: String
    package var kind: Kind
    /// False: it is recorded or configured, and the kernel or Open vSwitch does not have it.
    package var exists = true
    package var isUp = true
    /// Bytes; nil where it is not known.
    package var mtu: UInt32?
    package var mac: MACAddress?
    package var addresses: [Prefix] = []
    /// wirehook's networks on it.
    package var networks: [Network] = []
    /// Its ports, those of containers included.
    package var ports: [Port] = []
    package var tunnels: [Tunnel] = []

    package init(name: String, kind: Kind) {
      self.name = name
      self.kind = kind
    }
  }

  /// A network as it stands on a bridge.
  package struct Network: Sendable, Hashable {
    package var name: String
    package var subnets: [Prefix]
    package var masquerades: Bool
    package var isInternal: Bool

    package init(name: String, subnets: [Prefix], masquerades: Bool, isInternal: Bool) {
      self.name = name
      self.subnets = subnets
      self.masquerades = masquerades
      self.isInternal = isInternal
    }
  }

  /// A port of a bridge.
  package struct Port: Sendable, Hashable {
    package var name: String
    package var vlan: VLANMembership?

    package init(name: String, vlan: VLANMembership? = nil) {
      self.name = name
      self.vlan = vlan
    }
  }

  /// A tunnel to another host, as a port of a bridge.
  package struct Tunnel: Sendable, Hashable {
    package var name: String
    /// `vxlan`, `geneve`, `gre`.
    package var kind: String
    /// The VNI or key; `flow` where Open vSwitch's flows choose it.
    package var key: String?
    package var local: IPAddress?
    /// Nil where the other ends are learnt or set otherwise.
    package var remote: IPAddress?

    package init(name: String, kind: String, key: String?, local: IPAddress? = nil, remote: IPAddress? = nil) {
      self.name = name
      self.kind = kind
      self.key = key
      self.local = local
      self.remote = remote
    }
  }

  package struct Container: Sendable, Hashable {
    package var id: String
    package var name: String
    /// `attached`, `attaching` or `gone`, as `wirehook ls` says it.
    package var status: String
    package var interfaces: [Interface]
    package var ports: [PublishedPort]

    package init(id: String, name: String, status: String, interfaces: [Interface], ports: [PublishedPort]) {
      self.id = id
      self.name = name
      self.status = status
      self.interfaces = interfaces
      self.ports = ports
    }

    /// The id as engines shorten it: the first twelve characters.
    package var shortID: String { String(id.prefix(12)) }

    /// The published ports that lead to an interface's addresses.
    package func ports(to interface: Interface) -> [PortMapping] {
      ports.filter { port in
        interface.addresses.contains { port.targets.contains($0.address) }
      }.map { $0.mapping }
    }
  }

  package struct Interface: Sendable, Hashable {
    /// Inside the container.
    package var name: String
    package var network: String
    package var bridge: String
    package var hostLink: String
    package var mac: MACAddress
    package var vlan: VLANMembership?
    package var addresses: [Prefix]

    package init(
      name: String, network: String, bridge: String, hostLink: String, mac: MACAddress, vlan: VLANMembership? = nil,
      addresses: [Prefix]
    ) {
      self.name = name
      self.network = network
      self.bridge = bridge
      self.hostLink = hostLink
      self.mac = mac
      self.vlan = vlan
      self.addresses = addresses
    }
  }
}
