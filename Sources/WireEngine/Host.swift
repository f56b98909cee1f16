package import WireConfig
package import WireCore
package import WireLinux
package import WireNetlink
package import WireState

/// The host as one run of wirehook sees it: its namespace, what is recorded of it, and how long the run may take.
package struct Host: ~Copyable {
  package let configuration: Configuration
  package let deadline: Deadline
  package let log: Log
  /// The namespace that the hook was started in: the host's.
  package let namespace: NetworkNamespace
  /// rtnetlink in that namespace.
  package let route: NetlinkSocket
  package let locks: Locks
  package let store: Store
  let switches = Switches()

  package var main: MainConfig { configuration.main }

  /// Opens the state of this host, and makes what is missing of it.
  package init(
    _ configuration: Configuration, namespace: consuming NetworkNamespace, deadline: Deadline, log: Log
  ) throws(WireError) {
    let directory = configuration.main.stateDirectory
    let route = try Self.openRoute(directory)
    let locks = try Locks(stateDirectory: directory)
    let store = try Self.openStore(directory, until: deadline)
    self.configuration = configuration
    self.deadline = deadline
    self.log = log
    self.namespace = namespace
    self.route = route
    self.locks = locks
    self.store = store
  }

  private static func openRoute(_ directory: String) throws(WireError) -> NetlinkSocket {
    do throws(SystemError) {
      try Files.makePrivateDirectory(directory)
      return try NetlinkSocket(.route)
    } catch {
      throw Hints.explain(error, while: "opening the state directory \(directory)")
    }
  }

  /// The namespace that this process runs in, which is the host's.
  package static func home() throws(WireError) -> NetworkNamespace {
    do throws(SystemError) {
      return try NetworkNamespace.current()
    } catch {
      throw Hints.explain(error, while: "opening the host's network namespace")
    }
  }

  /// Whether anything can be recorded at all: a detach on a host without state has nothing to do.
  package static func hasState(_ configuration: Configuration) -> Bool {
    Files.exists(configuration.main.stateDirectory + "/" + Store.fileName)
  }

  private static func openStore(_ directory: String, until deadline: Deadline) throws(WireError) -> Store {
    let boot: String
    do throws(SystemError) {
      boot = try ProcessIdentity.bootID()
    } catch {
      throw Hints.explain(error, while: "reading the boot id")
    }
    do throws(StateError) {
      return try Store.open(
        directory: directory, bootID: boot, busyMilliseconds: min(deadline.remaining, Store.busyMilliseconds))
    } catch {
      throw Hints.explain(error, in: directory)
    }
  }
}

extension Host {
  /// Runs a change of the recorded state, under its lock. Errors of the body and of the database become one kind.
  package borrowing func change<Result>(
    _ body: () throws(StateError) -> Result
  ) throws(WireError) -> Result {
    try locks.lock(.store, until: deadline)
    defer { locks.unlock(.store) }
    do throws(StateError) {
      return try store.transaction(body)
    } catch {
      throw Hints.explain(error, in: main.stateDirectory)
    }
  }

  /// Reads the recorded state.
  package borrowing func read<Result>(_ body: () throws(StateError) -> Result) throws(WireError) -> Result {
    do throws(StateError) {
      return try body()
    } catch {
      throw Hints.explain(error, in: main.stateDirectory)
    }
  }
}
