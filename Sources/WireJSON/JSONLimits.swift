/// How large a document may be. All is checked before json-c sees a byte, so memory and time are bounded.
package struct JSONLimits: Sendable {
  /// In bytes.
  package let size: Int
  /// Arrays and objects within each other: at most 64, which the scanner's stack of bits holds.
  package let depth: Int
  /// How many bytes may become a tree; of a document of which parts are wanted, all parts together.
  package let kept: Int
  /// How many values may become a tree: an empty object, two bytes, costs json-c some 800.
  package let values: Int

  package init(size: Int, depth: Int, kept: Int? = nil, values: Int = JSONLimits.usualValues) {
    self.size = size
    self.depth = min(depth, 64)
    self.kept = kept ?? size
    self.values = values
  }

  /// Far more than any file that we know of has; 16 MB at the very worst.
  package static let usualValues = 20_000

  /// A file that a person writes for us.
  package static let configuration = JSONLimits(size: 1 << 20, depth: 16)
  /// The state on a hook's standard input: engines put whole manifests into annotations.
  package static let state = JSONLimits(size: 4 << 20, depth: 64)
  /// A bundle's config.json: seccomp profiles and device lists make it long.
  package static let bundle = JSONLimits(size: 16 << 20, depth: 64, kept: 4 << 20)
  /// An engine's list of all its containers.
  package static let list = JSONLimits(size: 16 << 20, depth: 64, values: 500_000)
  /// A record of ours: each of thousands of ports may have some values.
  package static let record = JSONLimits(size: 4 << 20, depth: 64, values: 500_000)
}
