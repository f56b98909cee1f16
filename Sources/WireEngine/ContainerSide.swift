package import WireCore
package import WireLinux
package import WireNetlink
package import WirePlan

/// The container's end of the work: its namespace, and rtnetlink inside it.
package struct ContainerSide: ~Copyable {
  package let namespace: NetworkNamespace
  package let process: ProcessIdentity
  /// A netlink socket belongs for life to the namespace it was opened in: no switching afterwards.
  package let route: NetlinkSocket

  package init(_ container: consuming ContainerNamespace, home: borrowing NetworkNamespace) throws(WireError) {
    route = try container.namespace.run(
      backTo: home, mapping: { Hints.explain($0, while: "entering the container's network namespace") }
    ) { () throws(WireError) in
      do throws(SystemError) {
        return try NetlinkSocket(.route)
      } catch {
        throw Hints.explain(error, while: "opening a netlink socket in the container")
      }
    }
    process = container.process
    namespace = container.namespace
  }

  /// Every link in the namespace.
  package borrowing func links(until deadline: Deadline) throws(WireError) -> [NamespaceFacts.Link] {
    do throws(NetlinkError) {
      return try route.links(until: deadline).map { NamespaceFacts.Link(name: $0.name, isUp: $0.isUp) }
    } catch {
      throw Hints.explain(error, while: "listing the container's links")
    }
  }
}
