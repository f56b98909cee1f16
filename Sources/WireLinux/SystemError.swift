internal import Glibc

/// A system call that failed.
package struct SystemError: Error, Sendable, Hashable {
  /// The call's name: `open`.
  package let call: String
  /// The error's number, as in errno(3).
  package let errno: Int32
  /// The file that it was about.
  package let path: String?
  /// What is wrong, where the number alone does not say it.
  package let reason: String?

  package init(_ call: String, _ errno: Int32, path: String? = nil, reason: String? = nil) {
    self.call = call
    self.errno = errno
    self.path = path
    self.reason = reason
  }

  /// The kernel's sentence for an error number, as perror(3) prints it.
  package static func text(_ errno: Int32) -> String { String(cString: strerror(errno)) }
}

extension SystemError: CustomStringConvertible {
  /// `open /run/wirehook: Permission denied`.
  package var description: String {
    let subject = path.map { "\(call) \($0)" } ?? call
    return "\(subject): \(reason ?? Self.text(errno))"
  }
}

/// Makes a system call again for as long as a signal interrupts it.
@inline(__always)
package func retrying(_ call: () -> Int32) -> Int32 {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// As above, for calls that answer with a count of bytes.
@inline(__always)
package func retrying(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
