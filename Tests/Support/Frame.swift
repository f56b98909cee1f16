import Glibc
import WireCore

/// Ethernet frames as they are on the wire, for what no socket of the kernel sends.
package enum Frame {
  /// An ARP request of `sender` for `target`, broadcast unless `to` says otherwise, with an 802.1Q tag if `vlan` says so.
  package static func arpRequest(
    for target: String, from sender: String, mac: String, to destination: String = "ff:ff:ff:ff:ff:ff",
    vlan: UInt16? = nil
  ) throws -> [UInt8] {
    guard let target = IPAddress(target), let sender = IPAddress(sender) else { throw Failure("not an address") }
    let tag: [UInt8] = vlan.map { [0x81, 0x00, UInt8($0 >> 8), UInt8($0 & 0xff)] } ?? []
    let request: [UInt8] = [0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1]
    let body = octets(mac) + sender.bytes + [UInt8](repeating: 0, count: 6) + target.bytes
    return octets(destination) + octets(mac) + tag + request + body + [UInt8](repeating: 0, count: 18)
  }

}

extension Place {
  /// Sends a frame by a link, as it is.
  package func send(_ frame: [UInt8], by link: String) throws {
    try inside {
      // ETH_P_ALL is not needed: nothing is received.
      let file = socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      defer { close(file) }
      let index = if_nametoindex(link)
      // struct sockaddr_ll of packet(7), of which only family and ifindex count here.
      var address = [UInt8](repeating: 0, count: 20)
      address.withUnsafeMutableBytes {
        $0.storeBytes(of: sa_family_t(AF_PACKET), as: sa_family_t.self)
        $0.storeBytes(of: index, toByteOffset: 4, as: UInt32.self)
      }
      let sent = address.withUnsafeBytes { raw in
        raw.withMemoryRebound(to: sockaddr.self) { sendto(file, frame, frame.count, 0, $0.baseAddress, 20) }
      }
      guard sent == frame.count else { throw Failure("send by \(link): \(String(cString: strerror(errno)))") }
    }
  }

  /// Begins to count the ARP requests for an address that come in by `eth0`, those with an 802.1Q tag as well.
  package func watchARP(for address: String) throws {
    try nft(
      """
      table netdev watch {
        counter seen { }
        chain c {
          type filter hook ingress device eth0 priority 0;
          arp operation request arp daddr ip \(address) counter name seen
        }
      }
      """)
  }

  package func seenARP() throws -> Int {
    let document = try JSON(parsing: sh("nft -j list counters table netdev watch"))
    return document["nftables"].array.compactMap { $0["counter"]["packets"].int }.reduce(0, +)
  }

  /// The MAC address of a link.
  package func mac(of link: String) throws -> String { try json("link show \(link)")[0]["address"].string ?? "" }
}
