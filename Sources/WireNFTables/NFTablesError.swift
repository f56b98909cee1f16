internal import Glibc

/// What the kernel said when a request to nf_tables failed.
package struct NFTablesError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// The table, a set or a chain is not there (ENOENT): somebody flushed the ruleset, or nothing was built yet.
    case missing
    /// An interval overlaps one that is there already (EEXIST).
    case exists
    /// The same key is there with other data, or somebody else changed the ruleset each time we tried (EBUSY, ERESTART).
    case busy
    /// The kernel has no memory, or no room in a socket buffer, for it.
    case noMemory
    /// CAP_NET_ADMIN in the user namespace that owns the network namespace is wanted.
    case permission
    /// The kernel lacks nf_tables, or an expression of ours.
    case unsupported
    /// No answer before the deadline.
    case timeout
    case other
  }

  package let kind: Kind
  /// The system's error number.
  package let code: Int32
  /// The sentence of the kernel's extended acknowledgement, where it gave one.
  package let extack: String?
  /// The request that failed: `adding elements to inet wirehook`.
  package let request: String

  package init(_ request: String, code: Int32, extack: String? = nil) {
    self.request = request
    self.code = code
    self.extack = extack
    kind =
      switch code {
      case ENOENT: .missing
      case EEXIST, ENOTEMPTY: .exists
      case EBUSY, ERESTART, EAGAIN, EINTR: .busy
      case ENOMEM, ENOBUFS, ENFILE: .noMemory
      case EPERM, EACCES: .permission
      case EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT, ENOPROTOOPT: .unsupported
      case ETIMEDOUT: .timeout
      default: .other
      }
  }

  /// The kernel's own words: its sentence if there is one, else the text of the error number.
  package var reason: String {
    extack ?? (code == ERESTART ? "the ruleset changed meanwhile" : String(cString: strerror(code)))
  }

  package var description: String { "\(request): \(reason)" }
}
