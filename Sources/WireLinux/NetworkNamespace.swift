internal import CLinux
internal import Glibc

/// Tells one network namespace from another for as long as either is open.
package struct NamespaceIdentity: Sendable, Hashable {
  package let device: UInt64
  package let inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  /// The namespace that this thread is in, without opening it.
  package static func current() throws(SystemError) -> NamespaceIdentity {
    var status = stat()
    guard stat(NetworkNamespace.own, &status) == 0 else {
      throw SystemError("stat", errno, path: NetworkNamespace.own)
    }
    return NamespaceIdentity(status)
  }

  /// The namespace of a process, without opening it; nil where there is no such process, or it may not be looked at.
  package static func of(pid: Int32) throws(SystemError) -> NamespaceIdentity? {
    let path = "/proc/\(pid)/ns/net"
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard [ENOENT, ESRCH, EACCES, EPERM].contains(errno) else { throw SystemError("stat", errno, path: path) }
      return nil
    }
    return NamespaceIdentity(status)
  }

  fileprivate init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}

/// An open network namespace (network_namespaces(7)). It lives on while it is open, whoever dies.
package struct NetworkNamespace: ~Copyable, Sendable {
  /// The descriptor's number, for `IFLA_NET_NS_FD`.
  package var raw: Int32 { descriptor.raw }
  package let identity: NamespaceIdentity
  private let descriptor: Descriptor

  fileprivate static let own = "/proc/thread-self/ns/net"

  /// Opens the namespace that a file names: /run/netns/NAME, /proc/PID/ns/net. `EINVAL` if it is another kind of file.
  package static func open(path: String) throws(SystemError) -> NetworkNamespace {
    let descriptor = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    guard clinux_namespace_type(descriptor.raw) == CLONE_NEWNET else {
      throw SystemError("open", EINVAL, path: path, reason: "it is not a network namespace")
    }
    return try NetworkNamespace(descriptor, path)
  }

  /// The namespace of a process. That the process lives after the file was opened proves that the file was its own.
  package static func open(of process: borrowing ProcessHandle) throws(SystemError) -> NetworkNamespace {
    let path = "/proc/\(process.identity.pid)/ns/net"
    let namespace = try NetworkNamespace(Descriptor.open(path, O_RDONLY), path)
    guard process.isAlive else { throw SystemError("open", ESRCH, path: path) }
    return namespace
  }

  /// As `open(of:)` where only the pid is known; `ESRCH` where no such process runs.
  package static func open(pid: Int32) throws(SystemError) -> NetworkNamespace {
    try open(of: ProcessHandle(pid: pid))
  }

  /// The namespace that this thread is in.
  package static func current() throws(SystemError) -> NetworkNamespace {
    try NetworkNamespace(Descriptor.open(own, O_RDONLY), own)
  }

  private init(_ descriptor: consuming Descriptor, _ path: String) throws(SystemError) {
    var status = stat()
    guard fstat(descriptor.raw, &status) == 0 else { throw SystemError("fstat", errno, path: path) }
    identity = NamespaceIdentity(status)
    self.descriptor = descriptor
  }

  /// Moves this thread, and no other, into the namespace (setns(2)).
  package func enter() throws(SystemError) {
    guard clinux_setns(descriptor.raw, CLONE_NEWNET) == 0 else { throw SystemError("setns", errno) }
  }

  /// Runs the body in this namespace and comes back to `home`. Sockets and /proc/sys/net belong to the namespace they are
  /// opened in, so what the body opens goes on working afterwards.
  ///
  /// If there is no way back the process ends: going on in a container's namespace as if it were the host's is worse.
  package func run<Result: ~Copyable, Failure: Error>(
    backTo home: borrowing NetworkNamespace, mapping: (SystemError) -> Failure,
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do throws(SystemError) { try enter() } catch { throw mapping(error) }
    defer { home.comeBack() }
    return try body()
  }

  /// Enters the namespace, or ends the process. Want of memory may pass, so it is tried again: whoever gave up here could
  /// take nothing back either.
  private func comeBack() {
    var code: Int32 = 0
    for _ in 0..<100 {
      if clinux_setns(descriptor.raw, CLONE_NEWNET) == 0 { return }
      code = errno
      usleep(1000)
    }
    let line = "wirehook: returning to the host's network namespace failed: setns: \(SystemError.text(code))\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
    _exit(1)
  }
}
