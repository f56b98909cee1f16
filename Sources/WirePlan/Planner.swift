package import WireConfig
package import WireCore

/// Turns what a container asks for, and what the host has, into an `Attachment`.
///
/// Pure but for the claims, which go to the book and the host's ports that the caller hands in.
package struct Planner<Book: ClaimBook & ~Copyable, Ports: HostPorts & ~Copyable>: ~Copyable {
  let container: ContainerIdentity
  let host: HostFacts
  /// Tells this run of the container from the one before: the start time of its process.
  let life: UInt64

  package init(container: ContainerIdentity, host: HostFacts, life: UInt64 = 0) {
    self.container = container
    self.host = host
    self.life = life
  }

  /// Plans every interface, in the order of the requests, and claims what it takes. `publishOn` are host addresses for
  /// ports that name none and whose network names none.
  package borrowing func plan(
    _ requests: [(request: InterfaceRequest, facts: NetworkFacts)], publishOn: [IPAddress], book: borrowing Book,
    hostPorts: borrowing Ports
  ) throws(PlanFailure) -> Attachment {
    var interfaces: [AttachedInterface] = []
    for (request, facts) in requests {
      interfaces.append(try interface(request, facts, book))
    }
    try Gateways.assign(requests, to: &interfaces)
    try RoutePlanner.assign(requests, to: &interfaces)
    var ports: [PublishedPort] = []
    for (index, (request, facts)) in requests.enumerated() {
      let addresses = facts.network.publishOn.isEmpty ? publishOn : facts.network.publishOn
      let planner = PortPlanner(container: container, interface: interfaces[index], network: facts.network)
      ports += try planner.plan(request, publishOn: addresses, book: book, hostPorts: hostPorts)
    }
    return Attachment(container: container, interfaces: interfaces, ports: ports)
  }

  private borrowing func interface(
    _ request: InterfaceRequest, _ facts: NetworkFacts, _ book: borrowing Book
  ) throws(PlanFailure) -> AttachedInterface {
    let network = facts.network
    let addresses = try AddressPlanner(container: container, request: request, facts: facts, host: host).plan(book)
    let derived = LinkNames.mac(addresses: addresses, owner: container.owner, interface: request.name)
    let mac = request.mac ?? derived
    if mac != derived { try check(mac, on: network, book) }
    var interface = AttachedInterface(
      name: request.name, network: network.name, bridge: network.bridge,
      hostLink: try hostLink(request.name, facts, book),
      mac: mac, mtu: try mtu(request, facts))
    interface.addresses = addresses
    interface.vlan = try vlan(request, facts)
    interface.switchPort = facts.switchPort
    interface.sysctls = request.sysctls.map { InterfaceSysctl(key: $0.key, value: $0.value) }
    interface.ingress = request.bandwidth.ingress
    interface.egress = request.bandwidth.egress
    if interface.egress != nil, facts.switchPort == nil {
      interface.shaper = LinkNames.shaper(of: interface.hostLink)
    }
    interface.hairpin = facts.switchPort == nil && host.bridgeNetfilter && !request.ports.isEmpty
    // Where the firewall sees bridged frames it isolates by itself, and lets pass what is published; a port flag would
    // drop that as well. It sees nothing of what Open vSwitch forwards.
    interface.isolated =
      network.isolate == .containers && (facts.switchPort != nil || !host.bridgeNetfilterIsWhole)
    interface.antispoof = try antispoof(facts)
    // On a bridge of ours an address always has the MAC that follows from it: nobody can remember another one. Each
    // announcement is flooded to every port, 3 ms of a processor's time with 300 of them.
    interface.announced = request.mac != nil || !network.managed
    interface.slaac = network.slaac
    interface.sourceAddresses = try sourceAddresses(request, interface)
    return interface
  }

  /// Refuses a MAC address of the container's own choice that is another's.
  private borrowing func check(
    _ mac: MACAddress, on network: Network, _ book: borrowing Book
  ) throws(PlanFailure) {
    let what = "annotation wirehook.mac \"\(mac)\""
    guard !LinkNames.gives(mac) else {
      throw .refused(
        WireError(
          what, "wirehook gives addresses that begin so by itself, to bridges and to containers by their IP addresses",
          hint: "take one that begins with 02:"))
    }
    guard let holder = try book.macHolder(mac, on: network.bridge, besides: container.id) else { return }
    throw .taken(
      by: holder,
      WireError(
        what, "container \(holder.quoted) has it on bridge \(network.bridge)",
        hint: "take another one, or stop that container"))
  }

  /// Flows are set by a socket of this host.
  private borrowing func antispoof(_ facts: NetworkFacts) throws(PlanFailure) -> Bool {
    let network = facts.network
    guard network.antispoof, let port = facts.switchPort, port.database.managementSocket(of: network.bridge) == nil
    else { return network.antispoof }
    guard network.antispoofIsAskedFor else { return false }
    throw .refused(
      WireError(
        "network \(network.name): antispoof",
        "Open vSwitch is told who may send by a socket of this host, and database \(port.database) is not on one",
        hint: "name the database by unix:PATH, or set \"antispoof\": false"))
  }

  /// A Linux bridge's port has the same name in each of the container's lives. ovs-vswitchd keeps what it knows by name: it
  /// would go on reading the link of the life before, if it heard of its end and of the new one's birth at once.
  private borrowing func hostLink(
    _ name: InterfaceName, _ facts: NetworkFacts, _ book: borrowing Book
  ) throws(PlanFailure) -> InterfaceName {
    let owner = facts.switchPort == nil ? container.id : "\(container.id)/\(life)"
    for salt in UInt8(0)...UInt8(7) {
      let link = LinkNames.hostEnd(container: owner, interface: name, salt: salt)
      if try book.claimLink(link, for: container.id) { return link }
    }
    throw .refused(
      WireError("naming the host end of \(name)", "eight derived names in a row belong to other containers"))
  }

  private borrowing func vlan(
    _ request: InterfaceRequest, _ facts: NetworkFacts
  ) throws(PlanFailure) -> VLANMembership? {
    if case .trunk(let ranges)? = request.vlan, facts.switchPort == nil {
      throw .refused(
        WireError(
          "annotation wirehook.vlan \"\(VLANMembership.trunk(ranges))\"",
          "network \(facts.network.name) is a Linux bridge, and trunk ports are Open vSwitch's",
          hint: "give one VLAN, or use a network with \"driver\": \"ovs\""))
    }
    if let vlan = request.vlan, facts.network.probe {
      throw .refused(
        WireError(
          "annotation wirehook.vlan \"\(vlan)\"", "network \(facts.network.name) has \"probe\", which asks in no VLAN",
          hint: "take \"probe\" out of the network"))
    }
    return request.vlan ?? facts.network.vlan
  }

  private borrowing func mtu(_ request: InterfaceRequest, _ facts: NetworkFacts) throws(PlanFailure) -> UInt32 {
    var limit = facts.bridgeMTU ?? facts.network.mtu ?? host.uplinkMTU
    if let tunnel = facts.tunnelMTU { limit = min(limit, tunnel) }
    guard let wanted = request.mtu else {
      return min(facts.network.mtu ?? limit, limit, facts.foreignTunnelMTU ?? limit)
    }
    guard wanted <= limit else {
      throw .refused(
        WireError(
          "annotation wirehook.mtu \"\(wanted)\"", "bridge \(facts.network.bridge) carries \(limit) bytes at most",
          hint: "ask for \(limit) or less, or raise \"mtu\" of network \(facts.network.name)"))
    }
    return wanted
  }

  private borrowing func sourceAddresses(
    _ request: InterfaceRequest, _ interface: AttachedInterface
  ) throws(PlanFailure) -> [IPAddress] {
    for address in request.snat where interface.address(address.family) == nil {
      throw .refused(
        WireError(
          "annotation wirehook.snat \"\(address)\"", "\(request.name) has no \(address.family.name) address",
          hint: "give it one with wirehook.ip, or name a host address of the other family"))
    }
    return request.snat
  }
}
