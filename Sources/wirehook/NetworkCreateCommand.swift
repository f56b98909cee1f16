import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireJSON
import WirePlan

struct NetworkCreateCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Write a network's file; the first container that asks for it sets it up.",
    discussion: """
      Without --subnet a free private IPv4 /24 and an IPv6 /64 are chosen. Everything else is as in wirehook.json(5);
      what wirehook config check would refuse is refused, and nothing is written.

      Examples:
        wirehook network create front
        wirehook network create front --subnet 10.20.0.0/24 --gateway 10.20.0.1 --subnet fd00:20::/64
        wirehook network create back --internal --isolate containers
        wirehook network create lan --driver ovs --bridge br1 --vlan 10
        wirehook network create far --vxlan-id 42 --remote 192.168.1.10 --local 192.168.1.9 --dry-run
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Option(name: .long, help: "bridge or ovs.") var driver: Network.Driver = .bridge
  @Option(name: .long, help: "A subnet, once for each. (default: free ones)") var subnet: [String] = []
  @Option(name: .long, help: "The host's address in a subnet, once for each. (default: the first one)")
  var gateway: [String] = []
  @Option(name: .long, help: "The bridge's name. (default: wh-NAME)") var bridge: String?
  @Option(name: .long, help: "Bytes. (default: as the uplink)") var mtu: Int64?
  @Option(name: .long, help: "The VLAN of its containers' ports; with ovs also access:10 or trunk:10,20-29.")
  var vlan: String?
  @Flag(name: .long, help: "No way out of this host.") var `internal` = false
  @Option(name: .long, help: "networks, containers or false: which containers do not reach each other.")
  var isolate: String?
  @Flag(name: .long, help: "Packets leave this host with the container's own address.") var noMasquerade = false
  @Option(name: .long, help: "The VNI of VXLAN tunnels to other hosts.") var vxlanId: Int64?
  @Flag(name: .long, help: "Open vSwitch's flows give the VNI.") var vxlanKeyFlow = false
  @Option(name: .long, help: "Another host's address, once for each.") var remote: [String] = []
  @Option(name: .long, help: "This host's address that tunnels leave from.") var local: String?
  @Flag(name: .long, help: "Only print what would be written.") var dryRun = false
  @Argument(help: "The network's name.") var name: String

  func validate() throws {
    if vxlanId != nil, vxlanKeyFlow { throw ValidationError("give --vxlan-id or --vxlan-key-flow, not both") }
    let isTunnelled = vxlanId != nil || vxlanKeyFlow
    if isTunnelled, remote.isEmpty { throw ValidationError("tunnels need at least one --remote") }
    if !isTunnelled, !remote.isEmpty || local != nil {
      throw ValidationError("--remote and --local are for tunnels: give --vxlan-id too")
    }
  }

  func perform() throws {
    var draft = NetworkDraft(name: name)
    draft.driver = driver
    draft.bridge = bridge
    draft.subnets = subnet
    draft.gateways = gateway
    draft.mtu = mtu
    draft.vlan = vlan
    draft.isInternal = `internal`
    draft.isolate = isolate
    draft.masquerades = !noMasquerade
    if vxlanId != nil || vxlanKeyFlow { draft.vxlan = NetworkDraft.Tunnel(id: vxlanId, local: local, remotes: remote) }
    let created = try NetworkCreation.create(draft, dryRun: dryRun, on: shared.host())
    if listing.json {
      return Output.json(
        .object([
          .init("name", .string(name)), .init("file", .string(created.path)), .init("written", .bool(!dryRun)),
          .init("bridge", .string(created.network.bridge.description)),
          .init("subnets", .array(created.network.subnets.map { .string($0.prefix.description) })),
        ]))
    }
    guard !dryRun else { return print(created.text, terminator: "") }
    let subnets = created.network.subnets.map { $0.prefix.description }.joined(separator: ", ")
    print("wrote \(created.path): bridge \(created.network.bridge), \(subnets)")
    print("the first container with wirehook.network=\(name) sets it up")
  }
}

extension Network.Driver: ExpressibleByArgument {}
