internal import CLinux
internal import Glibc

/// Holds on to a running process: its pid cannot come to mean another one while this is open, without being noticed.
package struct ProcessHandle: ~Copyable, Sendable {
  package let identity: ProcessIdentity
  private let descriptor: Descriptor

  /// Opens a process; `ESRCH` where there is none, or only a zombie.
  ///
  /// The order matters: first the handle, then what /proc says of the pid, then the question whether the handle's process
  /// still lives. If it does, then the pid was its own all the time, and what was read is about it.
  package init(pid: Int32) throws(SystemError) {
    guard pid > 0 else { throw SystemError("pidfd_open", ESRCH, path: "pid \(pid)") }
    let raw = clinux_pidfd_open(pid)
    guard raw >= 0 else { throw SystemError("pidfd_open", errno, path: "pid \(pid)") }
    let descriptor = Descriptor(adopting: raw)
    guard let found = try ProcessIdentity.of(pid: pid), Self.lives(descriptor) else {
      throw SystemError("open", ESRCH, path: "pid \(pid)")
    }
    identity = found
    self.descriptor = descriptor
  }

  /// False once the process has ended.
  package var isAlive: Bool { Self.lives(descriptor) }

  /// A pidfd becomes readable when its process ends (pidfd_open(2)).
  private static func lives(_ descriptor: borrowing Descriptor) -> Bool {
    var entry = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
    return retrying { poll(&entry, 1, 0) } == 0
  }
}
