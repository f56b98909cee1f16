internal import WireCore

/// One setting of `wirehook.sysctl`, inside the container's network namespace.
package struct SysctlSetting: Sendable, Hashable {
  /// Dotted, and always below `net.`: `net.ipv4.conf.eth0.arp_notify`.
  package var key: String
  package var value: String

  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }

  static let expectation = "net.KEY=VALUE, such as net.ipv4.conf.eth0.arp_notify=1"

  /// Reads `net.KEY=VALUE`. The key becomes a path below /proc/sys, so nothing in it may lead elsewhere.
  init?(_ text: String) {
    let halves = text.pieces(at: UInt8(ascii: "="), limit: 2)
    guard halves.count == 2 else { return nil }
    let (key, value) = (halves[0].trimmingBlanks, halves[1].trimmingBlanks)
    let parts = key.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard key.utf8.count <= 200, (1...256).contains(value.utf8.count), parts.count >= 3,
      parts.first?.elementsEqual("net".utf8) == true,
      !parts.contains(where: \.isEmpty),
      key.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") }),
      value.utf8.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x09 })
    else { return nil }
    self.init(key: String(key), value: String(value))
  }
}
