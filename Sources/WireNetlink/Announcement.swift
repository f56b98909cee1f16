package import WireCore
internal import CLinux
internal import Glibc
package import WireLinux

/// Tells the neighbours on a link whose address is where, so that a reused address works at once: a gratuitous ARP
/// (RFC 5227 2.3) or an unsolicited neighbour advertisement (RFC 4861 7.2.6). Nobody answers, nothing is waited for.
package enum Announcement {
  /// Sends one frame an address, through a packet socket of the current thread's namespace.
  ///
  /// A frame that is lost costs a neighbour its patience and nobody a start: errors are not reported.
  package static func send(_ addresses: [IPAddress], of mac: MACAddress, on link: UInt32) {
    guard let socket = try? Descriptor.socket(AF_PACKET, Int32(SOCK_RAW.rawValue), 0) else { return }
    for address in addresses {
      let frame = frame(address, of: mac)
      _ = frame.withUnsafeBytes { clinux_send_frame(socket.raw, Int32(bitPattern: link), $0.baseAddress, $0.count) }
    }
  }

  /// The Ethernet frame that announces `address`.
  package static func frame(_ address: IPAddress, of mac: MACAddress) -> [UInt8] {
    address.family == .ipv4 ? arp(address, mac) : neighborAdvertisement(address, mac)
  }

  /// An ARP request for one's own address, sent to all (RFC 826, RFC 5227: "ARP announcement").
  private static func arp(_ address: IPAddress, _ mac: MACAddress) -> [UInt8] {
    let ethernet = [UInt8](repeating: 0xff, count: 6) + mac.bytes + [0x08, 0x06]
    let header: [UInt8] = [0, 1, 0x08, 0x00, 6, 4, 0, 1]
    return ethernet + header + mac.bytes + address.bytes + [UInt8](repeating: 0, count: 6) + address.bytes
  }

  /// An advertisement to all nodes, ff02::1, with the override flag and the target's link-layer address.
  private static func neighborAdvertisement(_ address: IPAddress, _ mac: MACAddress) -> [UInt8] {
    let allNodes = IPAddress(.ipv6, 0xff02 << 112 | 1).bytes
    var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + address.bytes + [2, 1] + mac.bytes
    let sum = checksum(address.bytes + allNodes + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58] + message)
    message[2] = UInt8(sum >> 8)
    message[3] = UInt8(sum & 0xff)
    let ethernet: [UInt8] = [0x33, 0x33, 0, 0, 0, 1] + mac.bytes + [0x86, 0xdd]
    // Hop limit 255: what came through a router is not believed (RFC 4861 7.1.2).
    let ipv6: [UInt8] = [0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255]
    return ethernet + ipv6 + address.bytes + allNodes + message
  }

  /// The Internet checksum (RFC 1071) of an even number of bytes.
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count - 1, by: 2) { sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1]) }
    while sum >> 16 != 0 { sum = (sum & 0xffff) + (sum >> 16) }
    return ~UInt16(truncatingIfNeeded: sum)
  }
}
