package import WireCore
package import WireLinux
import WireNetlink
package import WirePlan

/// What one interface of a container has carried.
package struct InterfaceTraffic: Sendable {
  package var container: WiredContainer
  package var interface: AttachedInterface
  /// What the container has received and sent; nil where its link is gone.
  package var received: TrafficCounters?
  package var sent: TrafficCounters?
}

/// Reads the kernel's counters of containers' interfaces. Changes nothing, and needs no namespace but the host's.
package enum TrafficReader {
  /// All interfaces of `containers`, in their order.
  package static func read(
    _ containers: [WiredContainer], until deadline: Deadline
  ) throws(WireError) -> [InterfaceTraffic] {
    let statistics: [String: LinkStatistics]
    do throws(NetlinkError) {
      let socket: NetlinkSocket
      do throws(SystemError) { socket = try NetlinkSocket(.route) } catch { throw NetlinkError.system(error) }
      statistics = try socket.statistics(until: deadline)
    } catch {
      throw Hints.explain(error, while: "reading the counters of links")
    }
    return containers.flatMap { container in
      container.attachment.interfaces.map { interface in
        let traffic = statistics[interface.hostLink.description]?.fromTheOtherEnd
        return InterfaceTraffic(
          container: container, interface: interface, received: traffic?.received, sent: traffic?.sent)
      }
    }
  }
}
