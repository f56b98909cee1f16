import Testing
import WireCore

@testable import WireNFTables

@Suite struct NFTablesElements {
  /// One element of every set.
  static let samples: [Element] = {
    let front = link("wh-front")
    let (c4, c6) = (address("10.210.4.2"), address("fd42:210:4::2"))
    var samples = [port(8080, to: "10.210.4.2"), port(8080, to: "fd42:210:4::2")]
    samples += [
      port(on: "192.168.1.9", 53, to: "10.210.4.2", 53, .udp),
      port(on: "2001:db8::9", 53, to: "fd42:210:4::2", 53, .udp),
    ]
    samples += [port(on: "127.0.0.1", 8081, to: "10.210.4.2"), port(on: "::1", 8081, to: "fd42:210:4::2")]
    samples += [.segment(front), .bridge(front)]
    samples += [.home(front, prefix("10.210.4.0/22")), .home(front, prefix("fd42:210:4::/64"))]
    samples += [.masquerade(prefix("10.210.4.0/22")), .masquerade(prefix("fd42:210:4::/64"))]
    samples += [.noReturn(address("10.210.4.3")), .noReturn(address("fd42:210:4::3"))]
    samples += [.internal(link("wh-in")), .exposed(link("wh-all")), .open(link("wh-open")), .intra(front, front)]
    samples += [.restricted(.tcp, hostPort: 8080, of: c4), .restricted(.sctp, hostPort: 8080, of: c6)]
    let host = link("wh355frwo77llu")
    samples += [.antispoof(host), .sender(host, MACAddress(0x0a57_0ad2_0402)), .sender(host, c4), .sender(host, c6)]
    samples += [.anySender(host, .ipv4), .anySender(host, .ipv6)]
    let optional: [Element?] = [
      .snat(c4, to: address("203.0.113.5")), .snat(c6, to: address("2001:db8::5")),
      .snat(prefix("10.210.8.0/24"), to: address("203.0.113.6")),
      .snat(prefix("fd42:8::/64"), to: address("2001:db8::6")),
      .allow(.tcp, hostPort: 8080, of: c4, from: prefix("192.168.0.0/16")),
      .allow(.sctp, hostPort: 8080, of: c6, from: prefix("fd00::/8")),
    ]
    return samples + optional.compactMap { $0 }
  }()

  @Test func samplesCoverEverySet() {
    #expect(Set(Self.samples.map(\.set)) == Set(SetName.allCases))
  }
}
