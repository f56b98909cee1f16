/// What has passed in one direction.
package struct TrafficCounters: Sendable, Hashable {
  package var bytes: UInt64
  package var packets: UInt64
  package var errors: UInt64
  package var drops: UInt64

  package init(bytes: UInt64 = 0, packets: UInt64 = 0, errors: UInt64 = 0, drops: UInt64 = 0) {
    self.bytes = bytes
    self.packets = packets
    self.errors = errors
    self.drops = drops
  }

  package static func + (left: Self, right: Self) -> Self {
    Self(
      bytes: left.bytes &+ right.bytes, packets: left.packets &+ right.packets, errors: left.errors &+ right.errors,
      drops: left.drops &+ right.drops)
  }
}
