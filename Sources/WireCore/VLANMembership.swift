/// The VLANs (IEEE 802.1Q) that a port is a member of.
package enum VLANMembership: Sendable, Hashable, CustomStringConvertible {
  /// Frames of this VLAN go in and out untagged.
  case access(UInt16)
  /// Frames of these VLANs go in and out with their tags, and no others.
  case trunk([ClosedRange<UInt16>])

  /// The tags that a frame may have: 0 means none, 4095 is reserved.
  package static let tags: ClosedRange<UInt16> = 1...4094

  package static let expectation = "a VLAN from 1 to 4094, or trunk:10,20-29"

  /// Reads `10` or `trunk:10,20-29`.
  package init?(_ text: String) {
    guard text.hasPrefix("trunk:") else {
      guard let tag = Self.tag(text[...]) else { return nil }
      self = .access(tag)
      return
    }
    var ranges: [ClosedRange<UInt16>] = []
    for piece in text.dropFirst("trunk:".count).split(separator: ",", omittingEmptySubsequences: false) {
      let ends = piece.split(separator: "-", omittingEmptySubsequences: false)
      guard (1...2).contains(ends.count), let first = Self.tag(ends[0]), let last = Self.tag(ends[ends.count - 1]),
        first <= last
      else { return nil }
      ranges.append(first...last)
    }
    self = .trunk(Self.merged(ranges))
  }

  /// The tag of an access port.
  package var tag: UInt16? {
    guard case .access(let tag) = self else { return nil }
    return tag
  }

  /// Every tag of a trunk, in order.
  package var trunks: [UInt16] {
    guard case .trunk(let ranges) = self else { return [] }
    return ranges.flatMap { Array($0) }
  }

  package var description: String {
    switch self {
    case .access(let tag): "\(tag)"
    case .trunk(let ranges):
      "trunk:"
        + ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        .joined(separator: ",")
    }
  }

  private static func tag(_ text: Substring) -> UInt16? {
    DecimalNumber.parse(text, upTo: UInt64(tags.upperBound)).flatMap { $0 >= 1 ? UInt16($0) : nil }
  }

  /// In order, without overlaps.
  private static func merged(_ ranges: [ClosedRange<UInt16>]) -> [ClosedRange<UInt16>] {
    var merged: [ClosedRange<UInt16>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}
