internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// Finds the network that each interface of a request names, and what the host has of it.
enum NetworkChoice {
  /// What was found: the interfaces with their networks, and the links that are there.
  struct Chosen {
    var requests: [(request: InterfaceRequest, facts: NetworkFacts)] = []
    /// The indices of the host's links on the networks that are there.
    var links: [InterfaceName: UInt32] = [:]
    var facts: HostFacts
  }

  static func choose(
    _ request: ContainerRequest, _ standing: Standing, on host: borrowing Host
  ) throws(WireError) -> Chosen {
    let ipv6 = try hasIPv6()
    var chosen = Chosen(facts: HostFacts(ipv6: ipv6, bridgeNetfilter: false, uplinkMTU: 1500))
    // Only a published port comes back to its own bridge port.
    if request.interfaces.contains(where: { !$0.ports.isEmpty }) {
      chosen.facts.bridgeNetfilter = isOn("net", "bridge", "bridge-nf-call-iptables")
    }
    for interface in request.interfaces {
      let network = try network(interface.network, standing, ipv6: ipv6, on: host)
      var facts = try facts(of: network, standing, &chosen, on: host)
      if case .given(let given) = interface.addresses {
        facts.hostAddresses = try own(given.map { $0.address }, on: host)
      }
      if network.isolate == .containers, facts.switchPort == nil {
        chosen.facts.bridgeNetfilterIsWhole =
          isOn("net", "bridge", "bridge-nf-call-iptables") && isOn("net", "bridge", "bridge-nf-call-ip6tables")
      }
      chosen.requests.append((interface, facts))
    }
    return chosen
  }

  /// What the host has of one network.
  private static func facts(
    of network: Network, _ standing: Standing, _ chosen: inout Chosen, on host: borrowing Host
  ) throws(WireError) -> NetworkFacts {
    let bridge = try network.driver.driver.look(at: network, standing, on: host)
    var facts = NetworkFacts(network: network, bridgeMTU: bridge.mtu, bridgeAddresses: [])
    facts.switchPort = bridge.switchPort
    if let index = bridge.index {
      chosen.links[network.link] = index
      if !network.managed { facts.bridgeAddresses = try addresses(of: index, network, on: host) }
    }
    guard network.mtu == nil else { return facts }
    if let vxlan = network.vxlan {
      facts.tunnelMTU = try NetworkMTU.tunnel(vxlan, on: host)
    } else if bridge.mtu == nil {
      chosen.facts.uplinkMTU = try NetworkMTU.uplink(on: host)
      facts.foreignTunnelMTU = try NetworkMTU.least(of: bridge.foreignTunnels, on: host)
    }
    return facts
  }

  /// Those of the addresses that are this host's. As `ip route get ADDRESS`, which then says `local`.
  private static func own(_ addresses: [IPAddress], on host: borrowing Host) throws(WireError) -> [IPAddress] {
    var own: [IPAddress] = []
    do throws(NetlinkError) {
      for address in addresses where try host.route.isLocal(address, until: host.deadline) { own.append(address) }
    } catch {
      throw Hints.explain(error, while: "asking whether an address is this host's")
    }
    return own
  }

  private static func addresses(
    of index: UInt32, _ network: Network, on host: borrowing Host
  ) throws(WireError) -> [Prefix] {
    do throws(NetlinkError) {
      return try host.route.addresses(of: index, until: host.deadline).map { $0.prefix }
    } catch {
      throw Hints.explain(error, while: "reading the addresses of bridge \(network.bridge)")
    }
  }

  private static func network(
    _ reference: NetworkReference?, _ standing: Standing, ipv6: Bool, on host: borrowing Host
  ) throws(WireError) -> Network {
    switch reference {
    case .bridge(let bridge): return .onTheSpot(bridge: bridge)
    case .ovs(let bridge): return .onTheSpot(ovs: bridge, database: host.main.ovsDatabase)
    case .named(let name): return try configured(name, standing, ipv6: ipv6, on: host)
    case nil: return try configured(host.main.defaultNetwork, standing, ipv6: ipv6, on: host)
    }
  }

  private static func configured(
    _ name: String, _ standing: Standing, ipv6: Bool, on host: borrowing Host
  ) throws(WireError) -> Network {
    if let network = try host.configuration.network(named: name) { return network }
    if name == DefaultNetwork.name { return try StandardNetwork.find(standing.network(name), ipv6: ipv6, on: host) }
    let known = try host.configuration.networkNames()
    let near = Spelling.nearest(to: name, in: known).map { "did you mean \($0)? " } ?? ""
    throw WireError(
      "network \(name.quoted)", "there is no such network",
      hint: "\(near)expected a file \(host.configuration.networksDirectory)/\(name).json, bridge:NAME or ovs:NAME")
  }

  /// A host may lack IPv6, or have it switched off.
  static func hasIPv6() throws(WireError) -> Bool {
    do throws(SystemError) {
      return try Sysctl("net", "ipv6", "conf", "all", "disable_ipv6").read() == "0"
    } catch {
      // Anything else than "no such setting" says nothing about IPv6, and a guess would take it from a network.
      guard error.errno == ENOENT else { throw Hints.explain(error, while: "asking whether the host speaks IPv6") }
      return false
    }
  }

  /// Whether a setting is there and not 0.
  static func isOn(_ parts: String...) -> Bool {
    do throws(SystemError) {
      return try Sysctl(path: parts).read() != "0"
    } catch {
      return false
    }
  }
}
