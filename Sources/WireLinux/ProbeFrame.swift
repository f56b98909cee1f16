package import WireCore

/// The Ethernet frames of a probe: what asks, and what says that an address is somebody's.
package enum ProbeFrame {
  private static let solicitation: UInt8 = 135
  private static let advertisement: UInt8 = 136

  /// An ARP probe, whose sender has no address yet, or the solicitation of duplicate address detection.
  package static func question(for address: IPAddress, from mac: MACAddress) -> [UInt8] {
    switch address.family {
    case .ipv4:
      let broadcast = [UInt8](repeating: 0xff, count: 6)
      let request: [UInt8] = [0, 1, 0x08, 0x00, 6, 4, 0, 1]
      let body = request + mac.bytes + [0, 0, 0, 0] + [0, 0, 0, 0, 0, 0] + address.bytes
      // To the least length of an Ethernet frame.
      return broadcast + mac.bytes + [0x08, 0x06] + body + [UInt8](repeating: 0, count: 18)
    case .ipv6:
      let low = address.bytes.suffix(3)
      // The solicited-node group of the address (RFC 4291 2.7.1), and its MAC address (RFC 2464 7).
      let group: [UInt8] = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff] + low
      let source = [UInt8](repeating: 0, count: 16)
      var message: [UInt8] = [solicitation, 0, 0, 0, 0, 0, 0, 0] + address.bytes
      let sum = checksum(source + group + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58] + message)
      message[2] = UInt8(sum >> 8)
      message[3] = UInt8(sum & 0xff)
      let header: [UInt8] = [0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255] + source + group
      return [0x33, 0x33, 0xff] + low + mac.bytes + [0x86, 0xdd] + header + message
    }
  }

  /// Which of the addresses another sender than `own` has, by this frame, or is just about to take.
  package static func holder(
    of addresses: [IPAddress], in frame: ArraySlice<UInt8>, besides own: MACAddress
  ) -> (address: IPAddress, mac: MACAddress)? {
    let bytes = Array(frame)
    guard bytes.count >= 14, let ethernet = MACAddress(bytes: bytes[6..<12]) else { return nil }
    let claim: (address: IPAddress, mac: MACAddress)? =
      switch EtherType(rawValue: UInt16(bytes[12]) << 8 | UInt16(bytes[13])) {
      case .arp: arp(bytes[14...])
      case .ipv6: ipv6(bytes[14...]).map { ($0, ethernet) }
      default: nil
      }
    guard let claim, claim.mac != own, ethernet != own, addresses.contains(claim.address) else { return nil }
    return claim
  }

  /// Whose is the sender's address; of a probe, which has none, the one that is asked for.
  private static func arp(_ packet: ArraySlice<UInt8>) -> (address: IPAddress, mac: MACAddress)? {
    let bytes = Array(packet.prefix(28))
    guard bytes.count == 28, bytes[..<6] == [0, 1, 0x08, 0x00, 6, 4], bytes[6] == 0, bytes[7] == 1 || bytes[7] == 2,
      let mac = MACAddress(bytes: bytes[8..<14]), let sender = IPAddress(bytes: bytes[14..<18]),
      let target = IPAddress(bytes: bytes[24..<28])
    else { return nil }
    return (sender.isAny && bytes[7] == 1 ? target : sender, mac)
  }

  /// The sender of a packet, or the target of an advertisement, or that of a solicitation from nobody.
  private static func ipv6(_ packet: ArraySlice<UInt8>) -> IPAddress? {
    let bytes = Array(packet.prefix(64))
    guard bytes.count >= 40, bytes[0] >> 4 == 6, let source = IPAddress(bytes: bytes[8..<24]) else { return nil }
    // RFC 4861 7.1: a router in between would have counted the hop limit down.
    guard bytes.count == 64, bytes[6] == 58, bytes[7] == 255, let target = IPAddress(bytes: bytes[48..<64]) else {
      return source
    }
    let isClaim = bytes[40] == advertisement || bytes[40] == solicitation && source.isAny
    return isClaim ? target : source
  }

  /// RFC 1071, of an even count of bytes.
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count - 1, by: 2) {
      sum &+= UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(truncatingIfNeeded: sum)
  }
}
