import Glibc
import Testing
import WireCore
import WireLinux

@testable import WireNetlink

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct PortTests {
  @Test func aListenerTakesItsPortAndIsNamed() throws {
    try NetworkNamespace.withFresh {
      try shell("ip link set lo up")
      let diag = try NetlinkSocket(.sockDiag)
      let server = try Server(SOCK_STREAM, "127.0.0.1", 8080)
      #expect(try HostPort.probe(.tcp, address("127.0.0.1"), 8080) == .taken)
      #expect(try HostPort.probe(.tcp, .any(.ipv4), 8080) == .taken)
      #expect(try HostPort.probe(.tcp, address("127.0.0.2"), 8080) == .free)
      #expect(try HostPort.probe(.tcp, .any(.ipv6), 8080) == .free)
      #expect(try HostPort.probe(.udp, .any(.ipv4), 8080) == .free)
      #expect(try diag.listener(.tcp, address("127.0.0.2"), 8080, until: .soon) == nil)
      #expect(try diag.listener(.udp, .any(.ipv4), 8080, until: .soon) == nil)
      #expect(try diag.listener(.tcp, .any(.ipv6), 8080, until: .soon) == nil)
      let found = try #require(try diag.listener(.tcp, .any(.ipv4), 8080, until: .soon))
      #expect(found.address == .loopback(.ipv4))
      #expect(found.inode == server.inode)
      #expect(found.uid == geteuid())
      #expect(ProcessIdentity.owner(ofSocketInode: found.inode)?.pid == getpid())
      #expect(ProcessIdentity.owner(ofSocketInode: 1) == nil)
    }
  }

  @Test func aSocketOfBothFamiliesTakesThePortOfBoth() throws {
    try NetworkNamespace.withFresh {
      let diag = try NetlinkSocket(.sockDiag)
      let server = try Server(SOCK_STREAM, "::", 80)
      #expect(try HostPort.probe(.tcp, .any(.ipv4), 80) == .taken)
      #expect(try HostPort.probe(.tcp, .any(.ipv6), 80) == .taken)
      #expect(try diag.listener(.tcp, address("192.0.2.1"), 80, until: .soon)?.inode == server.inode)
      let alone = try Server(SOCK_STREAM, "::", 81, isIPv6Only: true)
      #expect(try HostPort.probe(.tcp, .any(.ipv4), 81) == .free)
      #expect(try diag.listener(.tcp, .any(.ipv4), 81, until: .soon) == nil)
      #expect(try diag.listener(.tcp, .any(.ipv6), 81, until: .soon)?.inode == alone.inode)
    }
  }

  @Test func anOutgoingConnectionIsNoListener() throws {
    try NetworkNamespace.withFresh {
      try shell("ip link set lo up")
      let server = try Server(SOCK_STREAM, "127.0.0.1", 9000)
      let client = try Server(SOCK_STREAM, "127.0.0.1", 40080, connectedTo: 9000)
      let diag = try NetlinkSocket(.sockDiag)
      #expect(try HostPort.probe(.tcp, .any(.ipv4), 40080) == .taken)
      #expect(try diag.listener(.tcp, .any(.ipv4), 40080, until: .soon) == nil)
      _ = (server.inode, client.inode)
    }
  }

  @Test func aBoundUDPSocketTakesItsPort() throws {
    try NetworkNamespace.withFresh {
      let server = try Server(SOCK_DGRAM, "0.0.0.0", 53)
      #expect(try HostPort.probe(.udp, .any(.ipv4), 53) == .taken)
      #expect(try HostPort.probe(.udp, .any(.ipv6), 53) == .free)
      #expect(try HostPort.probe(.tcp, .any(.ipv4), 53) == .free)
      let diag = try NetlinkSocket(.sockDiag)
      #expect(try diag.listener(.udp, address("192.0.2.1"), 53, until: .soon)?.inode == server.inode)
    }
  }

  @Test func whatTheHostLacksIsFree() throws {
    try NetworkNamespace.withFresh {
      let diag = try NetlinkSocket(.sockDiag)
      #expect(try HostPort.probe(.tcp, address("192.0.2.77"), 80) == .free)
      #expect(try HostPort.probe(.udp, address("2001:db8::77"), 80) == .free)
      // This kernel may have no SCTP at all.
      #expect(try HostPort.probe(.sctp, .any(.ipv4), 80) == .free)
      #expect(try diag.listener(.sctp, .any(.ipv4), 80, until: .soon) == nil)
    }
  }
}

@Suite(
  .enabled(if: Machine.hasRoot && Machine.has("conntrack") && Machine.has("nft"), "needs root, conntrack and nft"))
struct ConntrackTests {
  @Test func onlyTheConnectionsOfThePortAreForgotten() throws {
    try NetworkNamespace.withFresh {
      try shell("ip link set lo up; ip addr add 192.0.2.1/32 dev lo; ip addr add 2001:db8::1/128 dev lo nodad")
      // Connections are tracked where a rule asks for them.
      try shell("nft 'table inet t { chain c { type filter hook output priority 0; ct state new accept; }; }'")
      let socket = try NetlinkSocket(.netfilter)
      var all: [String] = []
      // The kernel makes the IPv6 address's route a moment after the address.
      for _ in 0..<100 where all.count < 4 {
        try talk(to: [("192.0.2.1", 5060), ("192.0.2.1", 5061), ("127.0.0.1", 5060), ("2001:db8::1", 5060)])
        all = try entries()
      }
      try #require(all == ["127.0.0.1:5060", "192.0.2.1:5060", "192.0.2.1:5061", "2001:db8::1:5060"])
      try socket.forgetConnections(.tcp, .ipv4, 5060, until: .soon)
      #expect(try entries() == all)
      try socket.forgetConnections(.udp, .ipv4, to: address("192.0.2.1"), 5060, until: .soon)
      #expect(try entries() == ["127.0.0.1:5060", "192.0.2.1:5061", "2001:db8::1:5060"])
      try socket.forgetConnections(.udp, .ipv4, 5060, until: .soon)
      #expect(try entries() == ["192.0.2.1:5061", "2001:db8::1:5060"])
      try socket.forgetConnections(.udp, .ipv6, to: address("2001:db8::2"), 5060, until: .soon)
      #expect(try entries() == ["192.0.2.1:5061", "2001:db8::1:5060"])
      try socket.forgetConnections(.udp, .ipv6, to: address("2001:db8::1"), 5060, until: .soon)
      #expect(try entries() == ["192.0.2.1:5061"])
      for _ in 0..<100 where !(try entries().contains("2001:db8::1:5060")) { try talk(to: [("2001:db8::1", 5060)]) }
      // As kernels before 5.8 want it.
      try socket.forgetSingly(.udp, .ipv6, to: nil, 5060, until: .soon)
      #expect(try entries() == ["192.0.2.1:5061"])
      try socket.forgetSingly(.udp, .ipv4, to: address("192.0.2.1"), 5061, until: .soon)
      #expect(try entries().isEmpty)
      try socket.forgetSingly(.udp, .ipv4, to: nil, 5061, until: .soon)
      try socket.forgetConnections(.udp, .ipv6, 5060, until: .soon)
    }
  }

  /// The targets of all connections, each once.
  private func entries() throws -> [String] {
    let targets = try shell("conntrack -L 2>&1; conntrack -L -f ipv6 2>&1").split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      let target = words.first { $0.hasPrefix("dst=") }?.dropFirst(4)
      let port = words.first { $0.hasPrefix("dport=") }?.dropFirst(6)
      return target.flatMap { target in port.map { "\(target):\($0)" } }
    }
    return Set(targets).sorted()
  }

  private func talk(to targets: [(String, UInt16)]) throws {
    for (text, port) in targets { _ = try Server(SOCK_DGRAM, text, port, sends: true) }
  }
}

/// A socket that is bound, and listens or is connected.
private struct Server: ~Copyable {
  let descriptor: Descriptor
  let inode: UInt64

  init(
    _ kind: __socket_type, _ text: String, _ port: UInt16, isIPv6Only: Bool = false, connectedTo peer: UInt16? = nil,
    sends: Bool = false
  ) throws {
    let isIPv6 = text.contains(":")
    let socket = try Descriptor.socket(isIPv6 ? AF_INET6 : AF_INET, Int32(kind.rawValue), 0)
    var on: Int32 = isIPv6Only ? 1 : 0
    if isIPv6 { setsockopt(socket.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, 4) }
    if sends {
      try Self.with(text, port) { sendto(socket.raw, "x", 1, 0, $0, $1) }
    } else {
      try Self.with(text, port) { bind(socket.raw, $0, $1) }
      if let peer {
        try Self.with(text, peer) { connect(socket.raw, $0, $1) }
      } else if kind == SOCK_STREAM {
        listen(socket.raw, 5)
      }
    }
    var status = stat()
    fstat(socket.raw, &status)
    inode = UInt64(status.st_ino)
    descriptor = socket
  }

  private static func with(_ text: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int) throws {
    var result = -1
    if text.contains(":") {
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = port.bigEndian
      inet_pton(AF_INET6, text, &name.sin6_addr)
      withUnsafeBytes(of: &name) { bytes in
        if let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) {
          result = body(start, socklen_t(bytes.count))
        }
      }
    } else {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      inet_pton(AF_INET, text, &name.sin_addr)
      withUnsafeBytes(of: &name) { bytes in
        if let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) {
          result = body(start, socklen_t(bytes.count))
        }
      }
    }
    guard result >= 0 else { throw SystemError("bind", errno) }
  }

  private static func with(_ text: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) throws
  {
    try with(text, port) { Int(body($0, $1)) }
  }
}
