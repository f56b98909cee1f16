import Testing
import WireCore
import WireInspect

@Suite struct PathTargetTests {
  @Test(
    arguments: [
      ("web", PathTarget.Subject.container("web"), nil, nil), ("web:80", .container("web"), 80, nil),
      ("host:53/udp", .host, 53, .udp), ("host", .host, nil, nil),
      ("[fd00::1]:443", .address(IPAddress(.ipv6, 0xfd00_0000_0000_0000_0000_0000_0000_0001)), 443, nil),
      ("fd00::1", .address(IPAddress(.ipv6, 0xfd00_0000_0000_0000_0000_0000_0000_0001)), nil, nil),
      ("10.0.0.1:8080", .address(IPAddress(.ipv4, 0x0a00_0001)), 8080, nil),
    ] as [(String, PathTarget.Subject, UInt16?, TransportProtocol?)])
  func anEndIsReadAsPeopleWriteIt(
    _ text: String, _ subject: PathTarget.Subject, _ port: UInt16?, _ transport: TransportProtocol?
  ) throws {
    let target = try #require(PathTarget(text))
    #expect(target.subject == subject && target.port == port && target.transport == transport)
  }

  @Test(arguments: ["", ":80", "web:0", "web:65536", "web:x", "web/udp", "web:80/icmp", "[10.0.0.1]:80", "a b"])
  func whatIsNoEndIsRefused(_ text: String) { #expect(PathTarget(text) == nil) }
}
