internal import Glibc
package import WireCore
package import WireLinux
import WirePlan
import WireState

/// The network namespace of a container, proven to be neither the host's nor this process's own.
package struct ContainerNamespace: ~Copyable {
  package let namespace: NetworkNamespace
  /// The process whose namespace it is; a reused pid cannot misdirect, for the process was seen alive after opening.
  package let process: ProcessIdentity

  package var identity: NamespaceIdentity { namespace.identity }

  /// Opens the namespace that a file keeps, as `ip netns add` makes them; nil where it is the host's. It has no process.
  package static func open(path: String, home: NamespaceIdentity) throws(WireError) -> ContainerNamespace? {
    do throws(SystemError) {
      let namespace = try NetworkNamespace.open(path: path)
      guard namespace.identity != home, namespace.identity != (try NamespaceIdentity.of(pid: 1)) else { return nil }
      return ContainerNamespace(namespace: namespace, process: ProcessIdentity(pid: 0, startTime: 0))
    } catch {
      throw Hints.explain(error, while: "opening the network namespace \(path)")
    }
  }

  /// Opens the namespace of a container that is recorded; nil where the container is gone.
  static func open(
    _ record: ContainerRecord, _ identity: ContainerIdentity, home: NamespaceIdentity
  ) throws(WireError) -> ContainerNamespace? {
    let opened: ContainerNamespace?
    if let path = identity.namespaceFile {
      opened = try open(path: path, home: home)
    } else {
      opened = try open(pid: record.pid, home: home)
    }
    guard let namespace = opened, namespace.process.startTime == record.pidStart,
      record.netns == namespace.identity
    else { return nil }
    return namespace
  }

  /// Opens the namespace of a container's init, by its pid on the host; nil where the container shares the host's
  /// network. `home` is the namespace that the hook runs in, which is the host's.
  package static func open(pid: Int32, home: NamespaceIdentity) throws(WireError) -> ContainerNamespace? {
    guard pid > 0, pid != getpid() else {
      throw WireError(
        "finding the container's network", "the state's pid \(pid) cannot be a container's process",
        hint: "start this hook from an OCI runtime at createRuntime or prestart")
    }
    do throws(SystemError) {
      let handle = try ProcessHandle(pid: pid)
      let namespace = try NetworkNamespace.open(of: handle)
      // Pid 1's namespace is the machine's, even where the hook itself runs in a namespace of its own.
      guard namespace.identity != home, namespace.identity != (try NamespaceIdentity.of(pid: 1)) else { return nil }
      return ContainerNamespace(namespace: namespace, process: handle.identity)
    } catch {
      let gone = error.errno == ESRCH || error.errno == ENOENT
      throw WireError(
        "opening the network namespace of pid \(pid)", gone ? "no such process runs" : error.description,
        hint: gone
          ? "the container has ended, or the runtime lives in another pid namespace"
          : geteuid() == 0 && UserNamespace.isInitial
            ? "that process is no container of this host" : Hints.hint(errno: error.errno))
    }
  }
}
