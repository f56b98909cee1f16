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
  /// Whether loopback is all there is.
  private let isEmpty: Bool

  package init(_ container: consuming ContainerNamespace, home: borrowing NetworkNamespace) throws(WireError) {
    var isEmpty = false
    route = try container.namespace.run(
      backTo: home, mapping: { Hints.explain($0, while: "entering the container's network namespace") }
    ) { () throws(WireError) in
      do throws(SystemError) {
        isEmpty = try Self.hasOnlyLoopback()
        return try NetlinkSocket(.route)
      } catch {
        throw Hints.explain(error, while: "looking into the container's network namespace")
      }
    }
    self.isEmpty = isEmpty
    process = container.process
    namespace = container.namespace
  }

  /// Every link in the namespace.
  package borrowing func links(until deadline: Deadline) throws(WireError) -> [NamespaceFacts.Link] {
    guard !isEmpty else { return [] }
    do throws(NetlinkError) {
      return try route.links(until: deadline).map { NamespaceFacts.Link(name: $0.name, isUp: $0.isUp) }
    } catch {
      throw Hints.explain(error, while: "listing the container's links")
    }
  }

  /// Asked of /proc, which takes no lock that others wait for: in nearly every namespace this is the whole answer, and
  /// rtnetlink need not be asked.
  private static func hasOnlyLoopback() throws(SystemError) -> Bool {
    let lines = try Files.read("/proc/thread-self/net/dev", limit: 1 << 20).split(separator: UInt8(ascii: "\n"))
    // Two lines of headings; each other one begins with a name and a colon.
    guard lines.count == 3 else { return false }
    let name = lines[2].drop { $0 == UInt8(ascii: " ") }
    return name.starts(with: "lo:".utf8)
  }
}
