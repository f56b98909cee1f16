import CLinux
import Glibc
import WireLinux

extension NetworkNamespace {
  /// Runs the body on a thread of its own, in a network namespace of its own that dies with it: what a test does to the
  /// network it does to nobody else's.
  static func withFresh(_ body: @escaping @Sendable () throws -> Void) throws {
    let work = Work {
      try unshareNetwork()
      try body()
    }
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(work).toOpaque())
    guard failure == 0 else { throw SystemError("pthread_create", failure) }
    pthread_join(thread, nil)
    if let error = work.failure { throw error }
  }

  private final class Work: @unchecked Sendable {
    private let body: () throws -> Void
    private(set) var failure: (any Error)?

    init(_ body: @escaping () throws -> Void) { self.body = body }

    func run() {
      do { try body() } catch { failure = error }
    }
  }

  fileprivate static func unshareNetwork() throws {
    guard clinux_unshare(CLONE_NEWNET) == 0 else { throw SystemError("unshare", errno) }
  }
}

/// A namespace such as a runtime makes for a container. Only within `NetworkNamespace.withFresh`.
struct Container: ~Copyable {
  let namespace: NetworkNamespace
  private let home: NetworkNamespace

  init() throws {
    let home = try NetworkNamespace.current()
    try NetworkNamespace.unshareNetwork()
    let fresh = try NetworkNamespace.current()
    try home.enter()
    namespace = fresh
    self.home = home
  }

  func run<Value>(_ body: () throws -> Value) throws -> Value {
    try namespace.run(backTo: home, mapping: { $0 as any Error }, body)
  }
}
