import WireCore
import WireLinux

extension Installer {
  /// How far a target is set up.
  enum Status: Sendable { case absent, outdated, current }

  /// Whether what an installation would write is there: all of it, with these very programs, or some of it.
  func status(of target: InstallationTarget) throws(WireError) -> Status {
    let changes = try install(target).changes.filter { change in
      // The drop-ins that keep others off our links are everybody's.
      !LinkRules.files.contains { root + $0.path == change.path }
    }
    if changes.allSatisfy({ !$0.isNeeded }) { return .current }
    return try uninstall(target).changes.contains { change in
      change.isNeeded && !LinkRules.files.contains { root + $0.path == change.path }
    } ? .outdated : .absent
  }
}
