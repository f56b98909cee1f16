package import WireCore
package import WireLinux
package import WireOCI
import WireState

/// Takes a container's network back.
package enum Detach {
  /// Takes back what is recorded of the container; where nothing is, there is nothing to do. The namespace is not needed:
  /// it may be gone.
  package static func run(
    _ state: ContainerState, _ configuration: Configuration, log: Log, deadline: Deadline
  ) throws(WireError) {
    guard Host.hasState(configuration) else { return }
    let host = try Host(configuration, namespace: Host.home(), deadline: deadline, log: log)
    try host.locks.lock(.container(state.id), until: deadline)
    let found = try host.read { () throws(StateError) in try host.store.container(id: state.id) }
    guard let record = found else { return }
    try Collector.release(record, on: host)
    log.write(.info, "detached container \(state.id)")
  }
}
