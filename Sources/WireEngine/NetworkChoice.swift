internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WirePlan
import WireState

/// Finds the network that each interface of a request names, and what the host has of it.
enum NetworkChoice {
  /// One bridge as the kernel has it.
  struct Bridge: Sendable {
    var index: UInt32
    var mtu: UInt32
  }

  /// What was found: the interfaces with their networks, and the bridges that are there.
  struct Chosen {
    var requests: [(request: InterfaceRequest, facts: NetworkFacts)] = []
    var bridges: [InterfaceName: Bridge] = [:]
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
      let bridge = try bridge(of: network, standing, on: host)
      var facts = NetworkFacts(network: network, bridgeMTU: bridge?.mtu, bridgeAddresses: [])
      if let bridge {
        chosen.bridges[network.bridge] = bridge
        if !network.managed { facts.bridgeAddresses = try addresses(of: bridge, network, on: host) }
      } else if network.mtu == nil {
        chosen.facts.uplinkMTU = try uplinkMTU(on: host)
      }
      if network.isolate == .containers {
        chosen.facts.bridgeNetfilterIsWhole =
          isOn("net", "bridge", "bridge-nf-call-iptables") && isOn("net", "bridge", "bridge-nf-call-ip6tables")
      }
      chosen.requests.append((interface, facts))
    }
    return chosen
  }

  /// The network's bridge; nil for one that is still to be made.
  private static func bridge(
    of network: Network, _ standing: Standing, on host: borrowing Host
  ) throws(WireError) -> Bridge? {
    // One that was set up and is still the same was looked at then: two calls that take no lock tell the rest.
    if let index = host.route.index(of: network.bridge), let mtu = host.route.mtu(of: network.bridge),
      standing.network(network.name)?.bridgeIndex == Int32(truncatingIfNeeded: index)
    {
      return Bridge(index: index, mtu: mtu)
    }
    let link: Link?
    do throws(NetlinkError) {
      link = try host.route.link(.name(network.bridge), until: host.deadline)
    } catch {
      throw Hints.explain(error, while: "looking at bridge \(network.bridge)")
    }
    guard let link else {
      guard network.managed else {
        throw WireError(
          "network \(network.name)", "there is no bridge \(network.bridge) on this host",
          hint: "make it: ip link add \(network.bridge) up type bridge")
      }
      return nil
    }
    guard link.kind == "bridge" else {
      throw WireError(
        "network \(network.name)", "link \(network.bridge) is not a bridge",
        hint: "name a bridge, or give the network another \"bridge\"")
    }
    return Bridge(index: link.index, mtu: link.mtu)
  }

  private static func addresses(of bridge: Bridge, _ network: Network, on host: borrowing Host) throws(WireError)
    -> [Prefix]
  {
    do throws(NetlinkError) {
      return try host.route.addresses(of: bridge.index, until: host.deadline).map { $0.prefix }
    } catch {
      throw Hints.explain(error, while: "reading the addresses of bridge \(network.bridge)")
    }
  }

  private static func network(
    _ reference: NetworkReference?, _ standing: Standing, ipv6: Bool, on host: borrowing Host
  ) throws(WireError) -> Network {
    switch reference {
    case .bridge(let bridge): return .onTheSpot(bridge: bridge)
    case .ovs(let bridge):
      throw WireError(
        "annotation wirehook.network \"ovs:\(bridge)\"", "Open vSwitch is not in this version of wirehook",
        hint: "use a Linux bridge: bridge:NAME")
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
      hint: "\(near)expected a file \(host.configuration.networksDirectory)/\(name).json, or bridge:NAME")
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

  /// The MTU of the link by which the host reaches the Internet; 1500 where there is none.
  static func uplinkMTU(on host: borrowing Host) throws(WireError) -> UInt32 {
    do throws(NetlinkError) {
      for family in Family.allCases {
        guard let index = try host.route.uplink(family, until: host.deadline),
          let link = try host.route.link(.index(index), until: host.deadline)
        else { continue }
        // The kernel's largest for a bridge; a loopback or tunnel device may say more.
        return min(link.mtu, 65_535)
      }
    } catch {
      throw Hints.explain(error, while: "looking for the default route")
    }
    return 1500
  }
}
