import Glibc
import WireCore

/// IPv4 and IPv6 packets in Ethernet frames, with any sender.
extension Frame {
  /// Where a frame says it comes from, and where it goes.
  package struct Ends {
    package var ether: (from: String, to: String)
    package var from, to: String
    package init(_ from: String, to: String, ether: (from: String, to: String)) {
      self.from = from
      self.to = to
      self.ether = ether
    }
  }

  /// A UDP datagram of four bytes, in IPv4 or IPv6, with 802.1Q tags if `tags` says so.
  package static func udp(_ ends: Ends, tags: [UInt16] = []) throws -> [UInt8] {
    try packet(ends, protocol: 17, payload: [0x30, 0x39, 0x30, 0x39, 0, 12, 0, 0, 1, 2, 3, 4], tags: tags)
  }

  /// A neighbour advertisement (RFC 4861 4.4) that `target` has the sender's MAC address, perhaps behind an empty
  /// destination options header.
  package static func advertisement(of target: String, _ ends: Ends, behindOptions: Bool = false) throws -> [UInt8] {
    guard let target = IPAddress(target) else { throw Failure("not an address") }
    let body: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + target.bytes + [2, 1] + octets(ends.ether.from)
    return try icmpv6(body, ends, behindOptions: behindOptions)
  }

  /// A router advertisement (RFC 4861 4.2) of a router for so many seconds.
  package static func routerAdvertisement(_ ends: Ends, lifetime: UInt16 = 1800) throws -> [UInt8] {
    let head: [UInt8] = [134, 0, 0, 0, 64, 0, UInt8(lifetime >> 8), UInt8(lifetime & 0xff)]
    return try icmpv6(head + [UInt8](repeating: 0, count: 8), ends, behindOptions: false)
  }

  /// A neighbour solicitation (RFC 4861 4.3); from `::` it is duplicate address detection.
  package static func solicitation(of target: String, _ ends: Ends) throws -> [UInt8] {
    guard let target = IPAddress(target) else { throw Failure("not an address") }
    return try icmpv6([135, 0, 0, 0, 0, 0, 0, 0] + target.bytes, ends, behindOptions: false)
  }

  /// As a packet socket gets it: the kernel has taken the outer tag off.
  package static func withoutTag(_ frame: [UInt8]) -> [UInt8] {
    frame[12] == 0x81 && frame[13] == 0 ? Array(frame[..<12] + frame[16...]) : frame
  }

  private static func icmpv6(_ body: [UInt8], _ ends: Ends, behindOptions: Bool) throws -> [UInt8] {
    guard let from = IPAddress(ends.from), let to = IPAddress(ends.to) else { throw Failure("not an address") }
    let pseudo = from.bytes + to.bytes + [0, 0, 0, UInt8(body.count), 0, 0, 0, 58]
    let sum = checksum(pseudo + body)
    var message = body
    message[2] = UInt8(sum >> 8)
    message[3] = UInt8(sum & 0xff)
    guard behindOptions else { return try packet(ends, protocol: 58, payload: message, tags: []) }
    return try packet(ends, protocol: 60, payload: [58, 0, 1, 4, 0, 0, 0, 0] + message, tags: [])
  }

  private static func packet(
    _ ends: Ends, protocol number: UInt8, payload: [UInt8], tags: [UInt16]
  ) throws -> [UInt8] {
    guard let from = IPAddress(ends.from), let to = IPAddress(ends.to) else { throw Failure("not an address") }
    var header: [UInt8]
    if from.family == .ipv4 {
      header = [0x45, 0, 0, UInt8(20 + payload.count), 0, 1, 0, 0, 64, number, 0, 0] + from.bytes + to.bytes
      let sum = checksum(header)
      header[10] = UInt8(sum >> 8)
      header[11] = UInt8(sum & 0xff)
    } else {
      header = [0x60, 0, 0, 0, 0, UInt8(payload.count), number, 255] + from.bytes + to.bytes
    }
    let type: [UInt8] = from.family == .ipv4 ? [8, 0] : [0x86, 0xdd]
    let marks = tags.flatMap { [0x81, 0x00, UInt8($0 >> 8), UInt8($0 & 0xff)] as [UInt8] }
    return octets(ends.ether.to) + octets(ends.ether.from) + marks + type + header + payload
  }

  /// RFC 1071, of an even count of bytes.
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count - 1, by: 2) {
      sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(sum)
  }

  static func octets(_ mac: String) -> [UInt8] { mac.split(separator: ":").compactMap { UInt8($0, radix: 16) } }
}

/// Hears every frame that comes in by a link.
package struct Listener: ~Copyable {
  private let socket: Int32

  package init(_ place: any Place, _ link: String) throws {
    socket = try place.inside {
      // ETH_P_ALL and struct sockaddr_ll of packet(7): family, protocol and ifindex count here.
      let everything = UInt16(3).bigEndian
      let file = Glibc.socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(everything))
      var address = [UInt8](repeating: 0, count: 20)
      address.withUnsafeMutableBytes {
        $0.storeBytes(of: sa_family_t(AF_PACKET), as: sa_family_t.self)
        $0.storeBytes(of: everything, toByteOffset: 2, as: UInt16.self)
        $0.storeBytes(of: if_nametoindex(link), toByteOffset: 4, as: UInt32.self)
      }
      let bound = address.withUnsafeBytes { raw in
        raw.withMemoryRebound(to: sockaddr.self) { bind(file, $0.baseAddress, 20) }
      }
      guard bound == 0 else { throw Failure("a packet socket: \(String(cString: strerror(errno)))") }
      return file
    }
  }

  deinit { close(socket) }

  /// Whether the very frame comes within some milliseconds.
  package func hears(_ frame: [UInt8], within milliseconds: Int32 = 60) -> Bool {
    let wanted = Frame.withoutTag(frame)
    var buffer = [UInt8](repeating: 0, count: 4096)
    var wait = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    while poll(&wait, 1, milliseconds) > 0 {
      let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count > 0, Array(buffer[..<count]) == wanted { return true }
    }
    return false
  }

  /// Whether the very frame comes before another one that was sent after it, and comes for certain; nil: neither did.
  package func hears(_ frame: [UInt8], before last: [UInt8], within milliseconds: Int32 = 10_000) -> Bool? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    var wait = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    while poll(&wait, 1, milliseconds) > 0 {
      let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      guard count > 0 else { continue }
      let heard = Array(buffer[..<count])
      if heard == Frame.withoutTag(frame) { return true }
      if heard == Frame.withoutTag(last) { return false }
    }
    return nil
  }
}
