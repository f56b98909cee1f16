package import WireConfig
package import WireCore

/// What one container's wiring looks like, resolved: every name, address and port is decided.
///
/// This is the value that attach applies, that the record keeps, and from which `Step.all(of:)` derives what to do;
/// detach, gc, `ls` and `inspect` read it back.
package struct Attachment: Sendable, Hashable {
  package var container: ContainerIdentity
  package var interfaces: [AttachedInterface]
  package var ports: [PublishedPort]
  /// Changes of the files that the container's resolver reads.
  package var files: [FileEdit] = []
  /// Somebody else gave the container its network, Docker or Podman: only ports are published to it, and nothing of the
  /// interfaces is ours.
  package var isWiredByOthers = false

  package init(container: ContainerIdentity, interfaces: [AttachedInterface], ports: [PublishedPort]) {
    self.container = container
    self.interfaces = interfaces
    self.ports = ports
  }
}

/// Whose wiring it is.
package struct ContainerIdentity: Sendable, Hashable {
  package var id: String
  /// The name that people gave it, where the engine tells one.
  package var name: String?
  /// Where the engine keeps its files of the container; nil where no engine is known. A rename is seen there.
  package var engine: EngineReference?
  /// The file that keeps its namespace, as `/run/netns/blue`, for one that was attached without a process. It lives as
  /// long as the file stands for that namespace.
  package var namespaceFile: String?

  package init(id: String, name: String?, engine: EngineReference? = nil, namespaceFile: String? = nil) {
    self.id = id
    self.name = name
    self.engine = engine
    self.namespaceFile = namespaceFile
  }

  /// What a lease is remembered by: the name outlives the id.
  package var owner: String { name ?? id }
}

/// The engine that runs a container, and where it keeps its files of containers.
package struct EngineReference: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable { case docker, podman }

  package var kind: Kind
  /// The folder of all its containers.
  package var directory: String

  package init(_ kind: Kind, directory: String) {
    self.kind = kind
    self.directory = directory
  }
}

/// One interface of a container: a veth pair whose host end is a port of a bridge, the kernel's or Open vSwitch's.
package struct AttachedInterface: Sendable, Hashable {
  /// The name inside the container.
  package var name: InterfaceName
  /// The network as the user wrote it: `front`, `bridge:br3`.
  package var network: String
  package var bridge: InterfaceName
  /// The host end of the pair.
  package var hostLink: InterfaceName
  package var mac: MACAddress
  /// Bytes.
  package var mtu: UInt32
  package var vlan: VLANMembership?
  /// How it is a port of Open vSwitch; nil for a port of a Linux bridge.
  package var switchPort: SwitchPort?
  /// The first of each family is the one that ports are published to.
  package var addresses: [Prefix] = []
  /// One of each family at most, whether or not this interface gives the default route.
  package var gateways: [IPAddress] = []
  /// The families whose default route leaves by this interface.
  package var defaultRoutes: [Family] = []
  /// The routing table that answers from this interface's addresses are looked up in; nil for a single interface.
  package var sourceTable: UInt32?
  package var routes: [ContainerRoute] = []
  package var sysctls: [InterfaceSysctl] = []
  package var ingress: Rate?
  package var egress: Rate?
  /// The ifb device through which what the container sends is shaped; with `egress` only, on a Linux bridge.
  package var shaper: InterfaceName?
  /// A container that calls its own published port comes back out of its own bridge port (br_netfilter).
  package var hairpin = false
  /// The bridge keeps this port from every other isolated one.
  package var isolated = false
  /// What it sends has its own addresses as the sender's, or is dropped.
  package var antispoof = false
  /// The neighbours are told who has the addresses now.
  package var announced = false
  /// Router advertisements and autoconfiguration stay on.
  package var slaac = false
  /// It came to a namespace that had a network of somebody else's: settings for the whole namespace are not ours to change.
  package var isAmongOthers = false
  /// The host's addresses to leave with, one of each family at most.
  package var sourceAddresses: [IPAddress] = []
  /// The families whose answers do not come back through this host, so that what is published to this interface must
  /// be masqueraded: no gateway, or one that is not an address of this host.
  package var noWayBack: [Family] = []

  package init(
    name: InterfaceName, network: String, bridge: InterfaceName, hostLink: InterfaceName, mac: MACAddress, mtu: UInt32
  ) {
    self.name = name
    self.network = network
    self.bridge = bridge
    self.hostLink = hostLink
    self.mac = mac
    self.mtu = mtu
  }

  package var driver: Network.Driver { switchPort == nil ? .bridge : .ovs }

  /// The address that ports of this family are published to.
  package func address(_ family: Family) -> IPAddress? { addresses.first { $0.family == family }?.address }
}

/// What a port of Open vSwitch has that a port of a Linux bridge has not.
package struct SwitchPort: Sendable, Hashable {
  package var database: DatabaseAddress
  /// The bridge's datapath is ovs-vswitchd itself (`datapath_type=netdev`): it reads the host end by a packet socket, so
  /// that the host's own IP stack hears the same frames unless it is kept from it.
  package var isUserspace: Bool
  /// Open vSwitch limits the bandwidth, and not the kernel's traffic control.
  package var limits = false

  package init(database: DatabaseAddress, isUserspace: Bool, limits: Bool = false) {
    self.database = database
    self.isUserspace = isUserspace
    self.limits = limits
  }
}

/// A route in the container, besides the connected and the default ones.
package struct ContainerRoute: Sendable, Hashable {
  package var destination: Prefix
  package var via: IPAddress?
  package var metric: UInt32?

  package init(destination: Prefix, via: IPAddress?, metric: UInt32?) {
    self.destination = destination
    self.via = via
    self.metric = metric
  }
}

/// A `net.*` setting inside the container's namespace.
package struct InterfaceSysctl: Sendable, Hashable {
  /// The key as written: `net.ipv4.conf.eth0.arp_notify`.
  package var key: String
  package var value: String

  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// A published port with what it leads to.
package struct PublishedPort: Sendable, Hashable {
  package var mapping: PortMapping
  /// The container's addresses that it leads to: one of each family at most.
  package var targets: [IPAddress]
  /// Who may call it, by source; nil: everybody.
  package var allow: [Prefix]?

  package init(mapping: PortMapping, targets: [IPAddress], allow: [Prefix]?) {
    self.mapping = mapping
    self.targets = targets
    self.allow = allow
  }
}
