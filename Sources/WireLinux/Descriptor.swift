internal import Glibc

/// An open file descriptor that closes itself exactly once.
package struct Descriptor: ~Copyable, Sendable {
  package let raw: Int32

  package init(adopting raw: Int32) { self.raw = raw }

  /// Hands the descriptor over: from here on the caller closes it.
  package consuming func release() -> Int32 {
    let raw = raw
    discard self
    return raw
  }

  /// open(2) with `O_CLOEXEC`.
  package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
    let raw = retrying { Glibc.open(path, flags | O_CLOEXEC, mode) }
    guard raw >= 0 else { throw SystemError("open", errno, path: path) }
    return Descriptor(adopting: raw)
  }

  /// socket(2) with `SOCK_CLOEXEC`.
  package static func socket(_ family: Int32, _ type: Int32, _ protocolNumber: Int32) throws(SystemError) -> Descriptor
  {
    let raw = Glibc.socket(family, type | Int32(SOCK_CLOEXEC.rawValue), protocolNumber)
    guard raw >= 0 else { throw SystemError("socket", errno) }
    return Descriptor(adopting: raw)
  }

  deinit { _ = close(raw) }
}
