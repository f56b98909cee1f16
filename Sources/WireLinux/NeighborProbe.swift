internal import CLinux
internal import Glibc
package import WireCore

/// Asks on a link whether somebody has an address, as a host does before it takes one: by ARP probes (RFC 5227 2.1.1) and
/// neighbour solicitations from the unspecified address (RFC 4862 5.4). Nobody learns anything wrong from them.
package enum NeighborProbe {
  /// How long an answer is waited for, in milliseconds; half of it before the question is asked once more.
  package static let patience = 200

  /// The first of the addresses that somebody answers for, or asks for at the same time to take it; nil: nobody did.
  package static func firstHolder(
    of addresses: [IPAddress], link: UInt32, until deadline: Deadline
  ) throws(SystemError) -> (address: IPAddress, mac: MACAddress)? {
    let ipv4 = addresses.filter { $0.family == .ipv4 }
    let ipv6 = addresses.filter { $0.family == .ipv6 }
    let arp = try ipv4.isEmpty ? nil : Listener(link, .arp)
    let ndp = try ipv6.isEmpty ? nil : Listener(link, .ipv6)
    for _ in 0..<2 {
      try arp?.ask(ipv4)
      try ndp?.ask(ipv6)
      let end = min(deadline, .after(milliseconds: patience / 2))
      while try wait(arp?.socket.raw ?? -1, ndp?.socket.raw ?? -1, until: end) {
        if let found = try arp?.answer(ipv4) { return found }
        if let found = try ndp?.answer(ipv6) { return found }
      }
    }
    return nil
  }

  /// Waits for either of two descriptors, of which -1 is none; false when the time is over.
  private static func wait(_ first: Int32, _ second: Int32, until end: Deadline) throws(SystemError) -> Bool {
    while true {
      var entries = (
        pollfd(fd: first, events: Int16(POLLIN), revents: 0), pollfd(fd: second, events: Int16(POLLIN), revents: 0)
      )
      let ready = withUnsafeMutableBytes(of: &entries) { bytes in
        bytes.withMemoryRebound(to: pollfd.self) { poll($0.baseAddress, 2, end.remaining) }
      }
      let failure = errno
      // A busy wire is no reason to listen on.
      if end.isOver { return false }
      if ready > 0 { return true }
      if ready < 0, failure != EINTR { throw SystemError("poll", failure) }
    }
  }
}

/// A packet socket of one protocol on the link.
private final class Listener {
  let socket: Descriptor
  private let mac: MACAddress

  init(_ link: UInt32, _ type: EtherType) throws(SystemError) {
    var bytes: [UInt8] = [0, 0, 0, 0, 0, 0]
    let raw = clinux_packet_socket(Int32(clamping: link), type.rawValue, &bytes)
    guard raw >= 0 else { throw SystemError("packet socket", errno) }
    socket = Descriptor(adopting: raw)
    mac = MACAddress(bytes: bytes) ?? MACAddress(0)
  }

  func ask(_ addresses: [IPAddress]) throws(SystemError) {
    for address in addresses {
      let frame = ProbeFrame.question(for: address, from: mac)
      let raw = socket.raw
      let sent = retrying { send(raw, frame, frame.count, Int32(MSG_NOSIGNAL)) }
      guard sent == frame.count else { throw SystemError("send", sent < 0 ? errno : EMSGSIZE) }
    }
  }

  /// Reads one frame, if one is there.
  func answer(_ addresses: [IPAddress]) throws(SystemError) -> (address: IPAddress, mac: MACAddress)? {
    // What tells whose an address is stands in the first bytes.
    var frame = [UInt8](repeating: 0, count: 128)
    let raw = socket.raw
    let count = retrying { recv(raw, &frame, frame.count, Int32(MSG_DONTWAIT)) }
    guard count >= 0 else {
      let failure = errno
      if failure == EAGAIN { return nil }
      throw SystemError("recv", failure)
    }
    return ProbeFrame.holder(of: addresses, in: frame[..<count], besides: mac)
  }
}
