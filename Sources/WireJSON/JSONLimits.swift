/// How large a document may be. Both are checked before json-c sees a byte, so memory and time are bounded.
package struct JSONLimits: Sendable {
  /// In bytes.
  package let size: Int
  /// Arrays and objects within each other: at most 64, which the scanner's stack of bits holds.
  package let depth: Int

  package init(size: Int, depth: Int) {
    self.size = size
    self.depth = min(depth, 64)
  }

  /// A file that a person writes for us.
  package static let configuration = JSONLimits(size: 1 << 20, depth: 16)
  /// The state on a hook's standard input: engines put whole manifests into annotations.
  package static let state = JSONLimits(size: 4 << 20, depth: 64)
  /// A bundle's config.json: seccomp profiles and device lists make it long.
  package static let bundle = JSONLimits(size: 16 << 20, depth: 64)
}
