internal import Glibc
import WireConfig
package import WireCore
package import WireLinux
import WireState

/// A state file that cannot be used any more.
package enum DamagedState {
  /// Sets a damaged file aside, so that a new one is begun; the name that it has now, nil where nothing was wrong.
  package static func setAside(_ configuration: Configuration, until deadline: Deadline) throws(WireError) -> String? {
    let directory = configuration.main.stateDirectory
    guard Host.hasState(configuration) else { return nil }
    let locks = try Locks(stateDirectory: directory)
    try locks.lock(.store, until: deadline)
    defer { locks.unlock(.store) }
    do throws(StateError) {
      guard try isDamaged(directory) else { return nil }
      return try Store.setAside(directory: directory)
    } catch {
      throw Hints.explain(error, in: directory)
    }
  }

  private static func isDamaged(_ directory: String) throws(StateError) -> Bool {
    let boot: String
    do throws(SystemError) { boot = try ProcessIdentity.bootID() } catch { boot = "" }
    do throws(StateError) {
      _ = try Store.open(directory: directory, bootID: boot)
      return false
    } catch {
      guard error.kind == .corrupt else { throw error }
      return true
    }
  }
}
