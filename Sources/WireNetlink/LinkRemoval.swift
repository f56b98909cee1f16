internal import CLinux
internal import Glibc
package import WireCore
package import WireLinux

extension NetlinkSocket {
  /// Removes links, and returns as soon as they are out of sight; one that is gone already is fine.
  ///
  /// The kernel acknowledges `RTM_DELLINK` only after its grace periods, some 20 ms after the link has left every list.
  /// Nobody needs to wait for that: a child process sends the request and lives until then, while this one watches the
  /// names disappear. Asking for a name costs a microsecond and comes before the kernel's notification, which a busy host
  /// may lose besides. The child works in this thread's namespace, which must be this socket's.
  ///
  /// `holding` is a descriptor that the child keeps open meanwhile: that of an nf_tables socket, whose closing waits as
  /// well. Without links a child is started for that alone.
  package func remove(
    _ links: [InterfaceName], holding descriptor: Int32? = nil, until deadline: Deadline
  ) throws(NetlinkError) {
    var left = links.filter { mayBeThere($0) }
    guard let first = left.first else {
      // Nobody waits for it; without it this process would.
      if let descriptor { _ = clinux_hold_open(descriptor) }
      return
    }
    var batch = Batch()
    if left.count == 1 {
      // By its index: where the link goes by itself before the child's turn comes, the name may be a new one's by then.
      batch.deleteLink(index(of: first).map { .index($0) } ?? .name(first))
    } else {
      try gather(left, for: &batch, until: deadline)
    }
    batch.askForAcknowledgement()
    guard let start = batch.bytes.baseAddress else { return }
    let child = clinux_send_detached(start, batch.bytes.count, descriptor ?? -1)
    guard child > 0 else { throw .system(SystemError("fork", errno)) }
    var pause = timespec(tv_sec: 0, tv_nsec: 50_000)
    while true {
      let status = clinux_child_status(child)
      left = left.filter { mayBeThere($0) }
      guard let first = left.first else { return }
      if status >= 0 {
        // A name that is there after a success is a new link's.
        if status == 0 || status == ENODEV { return }
        throw .refused(Refusal(request: "RTM_DELLINK \(first)", errno: status, extack: nil, index: 0))
      }
      guard !deadline.isOver else { throw .timeout(request: "RTM_DELLINK \(first)") }
      nanosleep(&pause, nil)
      pause.tv_nsec = min(pause.tv_nsec * 5 / 4, 2_000_000)
    }
  }

  /// Only `ENODEV` says that a link is gone; a kernel that could not look has said nothing.
  private func mayBeThere(_ name: InterfaceName) -> Bool {
    index(of: name) != nil || errno != ENODEV
  }

  /// Puts links into a group of their own and deletes the group: its links share the grace periods, which links that are
  /// deleted singly wait for one after the other.
  private func gather(_ links: [InterfaceName], for batch: inout Batch, until deadline: Deadline) throws(NetlinkError) {
    var number: UInt32 = 0
    guard clinux_random(&number, 4) == 4 else { throw .system(SystemError("getrandom", errno)) }
    // Not one that a person would type: those are small. And the kernel takes it as signed.
    let group = number >> 2 | 1 << 30
    var groups = Batch()
    for link in links {
      var settings = LinkSettings()
      settings.group = group
      groups.setLink(.name(link), settings)
    }
    for refusal in try attempt(groups, until: deadline) where refusal.errno != ENODEV { throw .refused(refusal) }
    batch.deleteGroup(group)
  }
}
