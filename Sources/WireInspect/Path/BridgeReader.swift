import WireCore
import WireEngine
import WireLinux
import WireNetlink

/// Asks the kernel about a bridge, one entry at a time: its forwarding table may be long.
enum BridgeReader {
  static func read(
    _ bridge: LinkFacts, _ ports: [LinkFacts], from entry: LinkFacts, _ mac: MACAddress?, in host: PlaceFacts,
    _ route: borrowing NetlinkSocket, until deadline: Deadline
  ) throws(WireError) -> BridgeFacts? {
    do throws(NetlinkError) {
      guard let mode = try route.bridgeMode(bridge.index, until: deadline) else { return nil }
      var facts = BridgeFacts()
      facts.mode = mode
      for port in ports where port.index != bridge.index {
        facts.ports[port.name] = try route.bridgePort(port.index, until: deadline)
      }
      if mode.filtersVLANs {
        for vlans in try route.portVLANs(until: deadline) {
          if let name = ports.first(where: { $0.index == vlans.link })?.name { facts.vlans[name] = vlans }
        }
        facts.vlan = facts.vlans[entry.name]?.untagged
      }
      if let mac { try look(for: mac, &facts, bridge, in: host, route, until: deadline) }
      return facts
    } catch {
      throw Hints.explain(error, while: "looking at bridge \(bridge.name)")
    }
  }

  private static func look(
    for mac: MACAddress, _ facts: inout BridgeFacts, _ bridge: LinkFacts, in host: PlaceFacts,
    _ route: borrowing NetlinkSocket, until deadline: Deadline
  ) throws(NetlinkError) {
    do throws(NetlinkError) {
      guard let found = try route.forwarding(of: mac, on: bridge.index, vlan: facts.vlan, until: deadline) else {
        return
      }
      facts.entry = BridgeFacts.Entry(
        behind: host.link(found.link)?.name ?? "link \(found.link)", isPermanent: found.isPermanent)
    } catch {
      // Kernels before 5.0 only list the whole table.
      guard case .refused = error else { throw error }
      facts.isAsked = false
    }
  }
}
