import WireCore
import WirePlan

/// Topologies to draw, made up from a few numbers.
enum Sample {
  static func prefix(_ text: String) -> Prefix {
    Prefix(text) ?? Prefix(host: .any(.ipv4))
  }

  static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .any(.ipv4) }

  /// A host with one uplink and no bridge.
  static func host(_ name: String = "host1") -> Topology {
    var topology = Topology(host: name)
    var uplink = Topology.HostLink(
      name: "enp3s0", kind: nil, mac: MACAddress(0x5254_0012_3456), mtu: 1500, isUp: true)
    uplink.addresses = [prefix("192.168.77.1/24"), prefix("2001:db8:77::1/64")]
    uplink.uplinkOf = [.ipv4, .ipv6]
    topology.links = [uplink]
    return topology
  }

  static func bridge(_ network: String, _ number: Int, isInternal: Bool = false) -> Topology.Bridge {
    var bridge = Topology.Bridge(name: "wh-\(network)", kind: .bridge)
    bridge.addresses = [prefix("10.210.\(number).1/24"), prefix("fd42:210:\(number)::1/64")]
    bridge.mtu = 1500
    bridge.networks = [
      Topology.Network(
        name: network, subnets: bridge.addresses.map { $0.network }, masquerades: !isInternal, isInternal: isInternal)
    ]
    return bridge
  }

  static func container(
    _ name: String, on network: String, _ number: Int, _ host: Int, id: String? = nil, ports: [PortMapping] = []
  ) -> Topology.Container {
    let addresses = [
      prefix("10.210.\(number).\(host)/24"), prefix("fd42:210:\(number)::\(String(host, radix: 16))/64"),
    ]
    let interface = Topology.Interface(
      name: "eth0", network: network, bridge: "wh-\(network)", hostLink: "wh\(network)\(host)",
      mac: MACAddress(0x0a57_0ad2_0000 + UInt64(number * 256 + host)), addresses: addresses)
    return Topology.Container(
      id: id ?? String(StableHash.of(name), radix: 16) + String(StableHash.of(name, salt: 1), radix: 16), name: name,
      status: "attached", interfaces: [interface],
      ports: ports.map { PublishedPort(mapping: $0, targets: addresses.map { $0.address }, allow: nil) })
  }

  static func port(_ host: UInt16, _ container: UInt16, on address: String? = nil) -> PortMapping {
    PortMapping(.tcp, hostAddress: address.map(self.address), hostPort: host, containerPort: container)
  }

  /// One container that publishes one port.
  static var one: Topology {
    var topology = host()
    topology.bridges = [bridge("front", 4)]
    topology.containers = [container("web", on: "front", 4, 2, ports: [port(8080, 80)])]
    return topology
  }

  /// Two networks, one of them internal, a container on both, a tunnel, and a bridge that has an uplink as its port.
  static var two: Topology {
    var topology = host()
    var back = bridge("storage", 5, isInternal: true)
    back.tunnels = [
      Topology.Tunnel(name: "vx42", kind: "vxlan", key: "42", remote: address("192.168.77.9"))
    ]
    var lan = Topology.Bridge(name: "br3", kind: .ovs)
    lan.ports = [Topology.Port(name: "enp4s0"), Topology.Port(name: "tap0")]
    lan.networks = [Topology.Network(name: "bridge:br3", subnets: [], masquerades: false, isInternal: false)]
    topology.bridges = [bridge("front", 4), back, lan]
    var link = Topology.HostLink(name: "enp4s0", kind: nil, mac: MACAddress(0x5254_0012_3457), mtu: 9000, isUp: true)
    link.master = "br3"
    topology.links.append(link)
    var web = container(
      "web", on: "front", 4, 2, ports: [port(8080, 80), port(8443, 443), port(5353, 53, on: "127.0.0.1")])
    web.interfaces += container("web", on: "storage", 5, 2).interfaces
    web.interfaces[1].name = "san0"
    var camera = container("camera", on: "front", 4, 3)
    camera.interfaces[0].bridge = "br3"
    camera.interfaces[0].network = "bridge:br3"
    camera.interfaces[0].vlan = .access(10)
    var dead = container("batch-job", on: "front", 4, 9)
    dead.status = "gone"
    let hostile = #"<b>"x"&'y'</b> a name that its author made as long as a container engine lets it be, really"#
    topology.containers = [
      web, camera, dead, container("database", on: "storage", 5, 3, ports: [port(5432, 5432)]),
      container(hostile, on: "front", 4, 7, ports: (0..<11).map { port(9000 + $0, 9000 + $0) }),
    ]
    topology.sort()
    return topology
  }

  /// The picture of docs/graph.md.
  static var page: Topology {
    var topology = host()
    var storage = bridge("storage", 5, isInternal: true)
    storage.tunnels = [
      Topology.Tunnel(name: "vx42", kind: "vxlan", key: "42", remote: address("192.168.77.9"))
    ]
    var lan = Topology.Bridge(name: "br-lan", kind: .ovs)
    lan.ports = [Topology.Port(name: "enp4s0"), Topology.Port(name: "tap0")]
    lan.networks = [Topology.Network(name: "ovs:br-lan", subnets: [], masquerades: false, isInternal: false)]
    topology.bridges = [bridge("front", 4), storage, lan]
    var link = Topology.HostLink(name: "enp4s0", kind: nil, mac: MACAddress(0x5254_0012_3457), mtu: 9000, isUp: true)
    link.master = "br-lan"
    topology.links.append(link)
    var web = container("web", on: "front", 4, 2, ports: [port(8080, 80), port(8443, 443)])
    web.interfaces += container("web", on: "storage", 5, 2).interfaces
    web.interfaces[1].name = "san0"
    var camera = container("camera", on: "front", 4, 3)
    camera.interfaces[0].bridge = "br-lan"
    camera.interfaces[0].network = "ovs:br-lan"
    camera.interfaces[0].vlan = .access(10)
    camera.interfaces[0].addresses = [prefix("192.168.10.7/24")]
    topology.containers = [
      web, camera, container("mail", on: "front", 4, 3, ports: [port(25, 25), port(8025, 80, on: "127.0.0.1")]),
      container("database", on: "storage", 5, 3),
    ]
    topology.sort()
    return topology
  }

  /// `count` containers, spread over two networks.
  static func many(_ count: Int) -> Topology {
    var topology = host()
    topology.bridges = [bridge("front", 4), bridge("storage", 5)]
    topology.containers = (0..<count).map { index in
      let names = ["web", "api", "worker", "redis"]
      let network = index % 3 == 2 ? ("storage", 5) : ("front", 4)
      let ports = index % 5 == 0 ? [port(UInt16(8000 + index), 80)] : []
      return container("\(names[index % 4])-\(index)", on: network.0, network.1, 2 + index % 250, ports: ports)
    }
    topology.sort()
    return topology
  }
}
