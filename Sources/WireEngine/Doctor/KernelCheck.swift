internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireNFTables
import WireNetlink

/// The kernel's features, each tried in a network namespace of its own. A module that is there is loaded by that, as it
/// would be by the first container that needs it.
enum KernelCheck {
  private struct Feature {
    let name: String
    /// What does not work without it.
    let use: String
    /// Whether nothing works without it.
    let isVital: Bool
    let remedy: String
  }

  static func findings(_ networks: [Network]) -> [Doctor.Finding] {
    do throws(SystemError) {
      return try NetworkNamespace.inFresh { namespace in
        var trial = Trial(networks: networks)
        do throws(SystemError) {
          trial.run(try NetlinkSocket(.route), in: namespace)
        } catch {
          trial.findings.append(Doctor.Finding(Hints.explain(error, while: "opening rtnetlink")))
        }
        return trial.findings
      }
    } catch {
      return [Doctor.Finding(Hints.explain(error, while: "making a network namespace"))]
    }
  }

  private struct Trial {
    let networks: [Network]
    var findings: [Doctor.Finding] = []
    let deadline = Deadline.after(milliseconds: 5000)

    mutating func run(_ route: borrowing NetlinkSocket, in namespace: borrowing NetworkNamespace) {
      let names = ["try0", "try1", "try2", "try3", "try4", "try5"].map { InterfaceName(derived: $0) }
      links(route, names, in: namespace)
      vlans(route, names[3])
      nftables(names[0])
      shaping(route, names[0], names[4])
      ipv6()
    }

    private mutating func links(
      _ route: borrowing NetlinkSocket, _ names: [InterfaceName], in namespace: borrowing NetworkNamespace
    ) {
      var pair = Batch()
      pair.createVeth(names[0], LinkSettings(), peer: names[1], LinkSettings(), in: namespace)
      send(
        pair, route,
        Feature(name: "veth", use: "no container has an interface", isVital: true, remedy: "modprobe veth"))
      var bridge = Batch()
      bridge.createBridge(names[2], LinkSettings())
      send(
        bridge, route, Feature(name: "bridge", use: "no network stands", isVital: true, remedy: "modprobe bridge"))
      var vxlan = Batch()
      vxlan.createVXLAN(names[5], LinkSettings(), VXLANSettings(id: 1))
      send(
        vxlan, route,
        Feature(
          name: "vxlan", use: "a bridge network cannot span hosts",
          isVital: networks.contains { $0.driver == .bridge && $0.vxlan != nil }, remedy: "modprobe vxlan"))
    }

    private mutating func vlans(_ route: borrowing NetlinkSocket, _ name: InterfaceName) {
      var bridge = Batch()
      bridge.createBridge(name, LinkSettings(), filtersVLANs: true)
      send(
        bridge, route,
        Feature(
          name: "bridge VLAN filtering", use: "wirehook.vlan and \"vlan\" do not work on Linux bridges",
          isVital: networks.contains { $0.driver == .bridge && $0.vlan != nil },
          remedy: "use a kernel with CONFIG_BRIDGE_VLAN_FILTERING"))
    }

    private mutating func nftables(_ link: InterfaceName) {
      let table = Feature(
        name: "nf_tables", use: "no port is published and nothing leaves the host (maps, NAT, fib in family inet)",
        isVital: true, remedy: "modprobe -a nf_tables nft_ct nft_fib_inet nft_nat nft_masq")
      let ingress = Feature(
        name: "nf_tables ingress hook", use: "the host hears what containers on Open vSwitch's userspace datapath send",
        isVital: networks.contains { $0.driver == .ovs },
        remedy: "use Linux 5.10 or newer with CONFIG_NETFILTER_INGRESS")
      let bridge = Feature(
        name: "nf_tables bridge family",
        use: "containers on Linux bridges may send from addresses of others (antispoof)",
        isVital: false, remedy: "use a kernel with CONFIG_NF_TABLES_BRIDGE, or set \"antispoof\": false")
      do throws(NFTablesError) {
        let socket = try FirewallSocket()
        let end = deadline.moment
        judge(table) { () throws(NFTablesError) in try socket.build(elements: [], deadline: end) }
        judge(ingress) { () throws(NFTablesError) in try socket.add([], guarding: [link], deadline: end) }
        judge(bridge) { () throws(NFTablesError) in try socket.build(elements: [.antispoof(link)], deadline: end) }
      } catch {
        lacks(table, error.reason)
      }
    }

    private mutating func shaping(_ route: borrowing NetlinkSocket, _ link: InterfaceName, _ shaper: InterfaceName) {
      var ifb = Batch()
      ifb.createIFB(shaper, LinkSettings())
      send(
        ifb, route,
        Feature(name: "ifb", use: "wirehook.bandwidth egress does not work", isVital: false, remedy: "modprobe ifb"))
      let bucket = Feature(
        name: "tbf", use: "wirehook.bandwidth does not work", isVital: false, remedy: "modprobe sch_tbf")
      guard let rate = Rate("10mbit"), let index = route.index(of: link) else { return }
      var limit = Batch()
      limit.addTokenBucket(TokenBucket(rate: rate, mtu: 1500), on: index)
      send(limit, route, bucket)
    }

    private mutating func ipv6() {
      let isThere = Files.exists("/proc/self/net/if_inet6")
      findings.append(
        isThere
          ? Doctor.Finding(.ok, "kernel: IPv6", "works")
          : Doctor.Finding(
            .warning, "kernel: IPv6", "it is switched off: networks get IPv4 alone",
            "take ipv6.disable=1 out of the kernel's command line"))
    }

    private mutating func send(
      _ batch: consuming Batch, _ route: borrowing NetlinkSocket, _ feature: Feature
    ) {
      do throws(NetlinkError) {
        try route.send(batch, until: deadline)
        works(feature)
      } catch {
        lacks(feature, error.description)
      }
    }

    private mutating func judge(_ feature: Feature, _ attempt: () throws(NFTablesError) -> Void) {
      do throws(NFTablesError) {
        try attempt()
        works(feature)
      } catch {
        lacks(feature, error.reason)
      }
    }

    private mutating func works(_ feature: Feature) {
      findings.append(Doctor.Finding(.ok, "kernel: \(feature.name)", "works"))
    }

    private mutating func lacks(_ feature: Feature, _ reason: String) {
      findings.append(
        Doctor.Finding(
          feature.isVital ? .error : .warning, "kernel: \(feature.name)", "without it \(feature.use) (\(reason))",
          feature.remedy))
    }
  }
}
