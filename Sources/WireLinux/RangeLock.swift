internal import Glibc
internal import CLinux

/// Why a lock was not got.
package enum LockError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Another process kept it until the deadline. The pid is nil where it let go at the last moment.
  case held(path: String, pid: Int32?, name: String?)
  case system(SystemError)

  package var description: String {
    switch self {
    case .held(let path, let pid?, let name): "lock \(path): held by pid \(pid)\(name.map { " (\($0))" } ?? "")"
    case .held(let path, nil, _): "lock \(path): held too long by others"
    case .system(let error): error.description
    }
  }
}

/// Locks between processes: any number of them in one file, each one byte at an offset of its own (0 up to 2⁶³−1). The
/// file stays empty.
///
/// They are POSIX record locks (fcntl_locking(2)): the kernel keeps those who wait in a queue, names the holder, and lets
/// go when the holder dies. Their pitfalls: they belong to the process, so threads do not exclude each other and a second
/// `lock` of the same byte succeeds; a forked child does not inherit them; and closing ANY descriptor of the file lets go
/// of all of them. So: one `RangeLock` a file and process, kept until the end.
package struct RangeLock: ~Copyable, Sendable {
  package enum Mode: Sendable {
    case shared
    case exclusive

    fileprivate var type: Int16 { Int16(self == .shared ? F_RDLCK : F_WRLCK) }
  }

  private let descriptor: Descriptor
  private let path: String

  package init(path: String) throws(SystemError) {
    descriptor = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    self.path = path
  }

  /// Locks the byte at `offset`, waiting in the kernel's queue until the deadline.
  package func lock(_ offset: UInt64, _ mode: Mode = .exclusive, until deadline: Deadline) throws(LockError) {
    while true {
      if try tryLock(offset, mode) { return }
      guard !deadline.isOver else { throw holder(offset, mode) }
      // Never for ever at once, so that the deadline `never` needs no path of its own.
      let wait = min(deadline.remaining, 60_000)
      if clinux_lock_wait(descriptor.raw, mode.type, at(offset), wait) == 0 { return }
      guard errno == EINTR else { throw .system(SystemError("fcntl", errno, path: path)) }
    }
  }

  /// Locks the byte if nobody else has it; false if somebody has.
  package func tryLock(_ offset: UInt64, _ mode: Mode = .exclusive) throws(LockError) -> Bool {
    if retrying({ clinux_lock(descriptor.raw, mode.type, at(offset)) }) == 0 { return true }
    guard errno == EAGAIN || errno == EACCES else { throw .system(SystemError("fcntl", errno, path: path)) }
    return false
  }

  /// Lets go of the byte; of one that was never locked as well.
  package func unlock(_ offset: UInt64) {
    _ = clinux_lock(descriptor.raw, Int16(F_UNLCK), at(offset))
  }

  private func at(_ offset: UInt64) -> Int64 { Int64(bitPattern: offset & UInt64(Int64.max)) }

  private func holder(_ offset: UInt64, _ mode: Mode) -> LockError {
    let pid = clinux_lock_holder(descriptor.raw, mode.type, at(offset))
    guard pid > 0 else { return .held(path: path, pid: nil, name: nil) }
    return .held(path: path, pid: pid, name: ProcessIdentity.name(ofPid: pid))
  }
}
