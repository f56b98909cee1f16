import WireConfig
import WireCore
import WireNetlink
import WireOVSDB
import WirePlan

/// What differs on the host between the kinds of bridges that containers are joined to. One file each beside this one;
/// those who attach, check and repair know nothing else of them.
///
/// What differs in a plan is `Joining`, in WirePlan.
protocol Driver {
  /// What the host has of the network's bridge. Asked in every attach.
  func look(at network: Network, _ standing: Standing, on host: borrowing Host) throws(WireError) -> BridgeFacts

  /// Makes what is missing of a managed network's bridge and tunnels; every part of it may be there already. The caller
  /// has the network's lock, and gives the host's link on it (`setup.link`) its addresses afterwards. `earlier` is the
  /// form in which the network stood before.
  func install(_ setup: NetworkSetup, insteadOf earlier: NetworkSetup?, on host: borrowing Host) throws(WireError)

  /// What is not so of the bridge and its tunnels, besides the host's link and its addresses.
  func differences(of setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> [String]

  /// How a host end that is there is not the port that was recorded.
  func differences(
    of interface: AttachedInterface, _ hostEnd: Link, on host: borrowing Host
  ) throws(WireError) -> [String]

  /// Makes host ends that are there ports again.
  func replug(_ attachment: Attachment, on host: borrowing Host) throws(WireError)

  /// Whether wirehook made the network's bridge; false also where there is none.
  func madeBridge(of setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> Bool

  /// Takes away what `install` made and no other network needs: tunnels, the host's own port in a VLAN, and with
  /// `bridge` the bridge. The caller has the network's lock, and knows that nothing of anybody else's is on the bridge.
  func remove(_ setup: NetworkSetup, bridge: Bool, on host: borrowing Host) throws(WireError)

  /// Fills in what the host has of the network's bridge: its ports and tunnels.
  func describe(_ report: inout NetworkReport, on host: borrowing Host) throws(WireError)
}

extension Network.Driver {
  /// The other drivers of the contract are refused when a network's file is read.
  var driver: any Driver {
    switch self {
    case .ovs: OVSDriver()
    case .bridge, .ovn, .macvlan, .ipvlan: BridgeDriver()
    }
  }
}

extension Attachment {
  /// The drivers of its interfaces, each once.
  var drivers: [any Driver] {
    Set(interfaces.map { $0.driver }).map { $0.driver }
  }
}

/// A network's bridge, as the host has it.
struct BridgeFacts: Sendable {
  /// The index of the host's link on the network; nil: it is still to be made.
  var index: UInt32?
  /// Bytes; nil where the bridge does not limit it.
  var mtu: UInt32?
  /// How ports are joined; nil: a Linux bridge.
  var switchPort: SwitchPort?
  /// Tunnels on a bridge that is somebody else's.
  var foreignTunnels: [TunnelInterface] = []
}
