package import WireLinux

/// What the kernel refused.
package struct Refusal: Sendable, Hashable, CustomStringConvertible {
  /// The request by name: `RTM_NEWLINK whabc`.
  package let request: String
  /// The error's number, as in errno(3).
  package let errno: Int32
  /// The kernel's own sentence (`NETLINK_EXT_ACK`), where it gave one.
  package let extack: String?
  /// Which message of the batch it was, from 0.
  package let index: Int

  package init(request: String, errno: Int32, extack: String? = nil, index: Int = 0) {
    self.request = request
    self.errno = errno
    self.extack = extack
    self.index = index
  }

  /// `RTM_NEWLINK whabc: File exists`, with the kernel's sentence in brackets.
  package var description: String {
    let text = "\(request): \(SystemError.text(errno))"
    return extack.map { "\(text) (\($0))" } ?? text
  }
}

/// Why a netlink request did not succeed.
package enum NetlinkError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kernel said no.
  case refused(Refusal)
  /// The socket itself failed.
  case system(SystemError)
  /// A reply, or a request of ours, is not what netlink(7) allows.
  case malformed(String)
  /// A list that changes ran through, each time that it was asked for.
  case unsettled(request: String)
  /// No answer before the deadline.
  case timeout(request: String)

  /// The error's number, where the kernel gave one.
  package var errno: Int32? {
    switch self {
    case .refused(let refusal): refusal.errno
    case .system(let error): error.errno
    case .malformed, .unsettled, .timeout: nil
    }
  }

  package var description: String {
    switch self {
    case .refused(let refusal): refusal.description
    case .system(let error): error.description
    case .malformed(let text): "netlink: \(text)"
    case .unsettled(let request): "\(request): the list kept changing while the kernel gave it"
    case .timeout(let request): "\(request): no answer from the kernel in time"
    }
  }
}
