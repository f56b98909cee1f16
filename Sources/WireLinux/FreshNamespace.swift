internal import CLinux
internal import Glibc

extension NetworkNamespace {
  /// Runs the body in a network namespace made for it, which goes with the last socket opened in it: for trying things out.
  package static func inFresh<Result>(
    _ body: (borrowing NetworkNamespace) -> Result
  ) throws(SystemError) -> Result {
    let home = try current()
    guard clinux_unshare(CLONE_NEWNET) == 0 else { throw SystemError("unshare", errno) }
    let fresh = try current(elseBackTo: home)
    return try fresh.run(backTo: home, mapping: { $0 }) { () throws(SystemError) in body(fresh) }
  }

  private static func current(elseBackTo home: borrowing NetworkNamespace) throws(SystemError) -> NetworkNamespace {
    do throws(SystemError) {
      return try current()
    } catch {
      try home.enter()
      throw error
    }
  }
}
