internal import CLinux
internal import Glibc
package import WireCore
package import WireLinux

extension NetlinkSocket {
  /// Removes links and returns as soon as they are out of sight; one that is gone already is fine.
  ///
  /// The kernel acknowledges `RTM_DELLINK` only after its grace periods, some 20 ms after the link has gone from every
  /// list. Nobody needs to wait for that: a child process sends the request and lives until then, while this one watches
  /// the names disappear. The child works in this thread's namespace, which must be this socket's.
  package func remove(_ links: [InterfaceName], until deadline: Deadline) throws(NetlinkError) {
    var batch = Batch()
    var left = links.filter { index(of: $0) != nil }
    for link in left { batch.deleteLink(.name(link)) }
    guard !left.isEmpty else { return }
    guard let start = batch.bytes.baseAddress else { return }
    let child = clinux_send_detached(start, batch.bytes.count)
    guard child > 0 else { throw .system(SystemError("fork", errno)) }
    while true {
      left = left.filter { index(of: $0) != nil }
      guard !left.isEmpty else { return }
      guard !deadline.isOver else { throw .timeout(request: batch.name(of: 0)) }
      var status: Int32 = 0
      if waitpid(child, &status, WNOHANG) == child, let first = left.first(where: { index(of: $0) != nil }) {
        throw .refused(Refusal(request: "RTM_DELLINK \(first)", errno: EPERM, extack: nil, index: 0))
      }
      usleep(50)
    }
  }
}
