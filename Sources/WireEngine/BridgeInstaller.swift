internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// Makes a bridge of ours, or gives one that is there what the network needs.
enum BridgeInstaller {
  /// The bridge's index. Every part of it may be there already.
  static func install(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> UInt32 {
    let what = "setting up network \(setup.network)"
    try Forwarding.enable(setup, on: host)
    do throws(NetlinkError) {
      if host.route.index(of: setup.bridge) == nil {
        try make(setup, uplink: try? NetworkChoice.uplinkMTU(on: host), host)
      }
      guard let bridge = try host.route.link(.name(setup.bridge), until: host.deadline) else {
        throw NetlinkError.malformed("bridge \(setup.bridge) vanished while it was made")
      }
      try configure(setup, bridge, on: host)
      return bridge.index
    } catch {
      throw Hints.explain(error, while: what)
    }
  }

  private static func make(_ setup: NetworkSetup, uplink: UInt32?, _ host: borrowing Host) throws(NetlinkError) {
    // Fixed at birth: else it is its lowest port's, and changes as containers come and go.
    let mac = LinkNames.bridgeMAC(setup.bridge, machineID: MachineID.read())
    let settings = LinkSettings(
      mac: mac, mtu: setup.mtu ?? uplink, isUp: false, alias: LinkNames.alias(network: setup.network))
    var batch = Batch()
    batch.createBridge(setup.bridge, settings, filtersVLANs: setup.vlanFiltering)
    try host.route.send(batch, until: host.deadline)
    // Before it comes up: nobody's advertisement shall configure our bridge.
    write(["net", "ipv6", "conf", setup.bridge.description, "accept_ra"], "0")
    write(["net", "ipv6", "conf", setup.bridge.description, "accept_dad"], "0")
  }

  private static func configure(_ setup: NetworkSetup, _ bridge: Link, on host: borrowing Host) throws(NetlinkError) {
    var batch = Batch()
    for address in setup.addresses { batch.addAddress(Address(address, link: bridge.index)) }
    var settings = LinkSettings(isUp: true)
    // 127.0.0.1:PORT of the host reaches a container; the guard chain keeps the neighbours out of 127.0.0.0/8.
    settings.ipv4 = [.routeLocalnet: 1]
    batch.setLink(.index(bridge.index), settings)
    if setup.families.contains(.ipv6) {
      // Answers to [::1]: IPv6 looks loopback addresses up strictly by device.
      var answers = Route(.ipv6, to: Prefix(host: .loopback(.ipv6)), link: bridge.index)
      answers.kind = .local
      answers.table = Route.localTable
      // A route for each bridge: only a metric of its own tells them apart.
      answers.metric = 1024 &+ bridge.index
      batch.addRoute(answers)
    }
    for refusal in try host.route.attempt(batch, until: host.deadline) where refusal.errno != EEXIST {
      throw .refused(refusal)
    }
  }

  /// A kernel without the setting has nothing to protect.
  private static func write(_ path: [String], _ value: String) {
    do throws(SystemError) { try Sysctl(path: path).write(value) } catch {}
  }
}
