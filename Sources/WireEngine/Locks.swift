package import WireCore
package import WireLinux

/// What wirehook's processes exclude each other from: bytes of one lock file, `lock` in the state directory.
///
/// Order of taking, so that no two wait for each other: a container, then a network, then the store.
/// Nobody waits for another container's lock while it holds the store's.
package enum LockName: Sendable {
  /// Writing to the recorded state.
  case store
  /// Setting up what a network's containers share.
  case network(String)
  /// All work on one container: attach, detach, taking back.
  case container(String)

  /// The byte. Two containers whose ids hash alike wait for each other; that is all.
  var offset: UInt64 {
    switch self {
    case .store: 0
    case .network(let name): 1 << 61 | StableHash.of(name) >> 3
    case .container(let id): 1 << 62 | StableHash.of(id) >> 2
    }
  }

  var description: String {
    switch self {
    case .store: "the recorded state"
    case .network(let name): "network \(name)"
    case .container(let id): "container \(id.quoted)"
    }
  }
}

/// The open lock file.
package struct Locks: ~Copyable {
  private let file: RangeLock
  private let path: String

  package init(stateDirectory: String) throws(WireError) {
    path = stateDirectory + "/lock"
    do throws(SystemError) {
      file = try RangeLock(path: path)
    } catch {
      throw Hints.explain(error, while: "opening the lock file")
    }
  }

  package borrowing func lock(_ name: LockName, until deadline: Deadline) throws(WireError) {
    do throws(LockError) {
      try file.lock(name.offset, until: deadline)
    } catch {
      throw WireError(
        "waiting for \(name.description)", error.description,
        hint: "see what that process waits for, or raise timeout_ms")
    }
  }

  package borrowing func tryLock(_ name: LockName) throws(WireError) -> Bool {
    do throws(LockError) {
      return try file.tryLock(name.offset)
    } catch {
      throw WireError("locking \(name.description)", error.description)
    }
  }

  package borrowing func unlock(_ name: LockName) { file.unlock(name.offset) }
}
