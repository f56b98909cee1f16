import Testing
import WireConfig
import WireCore

private func entry(
  _ transport: TransportProtocol, _ address: String?, _ host: ClosedRange<UInt16>?, _ container: ClosedRange<UInt16>
) -> PortRequest {
  PortRequest(
    transport, hostAddress: address.flatMap { IPAddress($0) }, hostPorts: host, containerPorts: container, text: "")
}

@Test(
  "A port entry is read as Docker's -p",
  arguments: [
    ("80", entry(.tcp, nil, nil, 80...80)),
    ("80/udp", entry(.udp, nil, nil, 80...80)),
    ("80-85", entry(.tcp, nil, nil, 80...85)),
    (":80", entry(.tcp, nil, nil, 80...80)),
    ("0:80", entry(.tcp, nil, nil, 80...80)),
    ("8080:80", entry(.tcp, nil, 8080...8080, 80...80)),
    ("8080:80/TCP", entry(.tcp, nil, 8080...8080, 80...80)),
    ("36412:36412/sctp", entry(.sctp, nil, 36412...36412, 36412...36412)),
    ("65535:65535", entry(.tcp, nil, 65535...65535, 65535...65535)),
    ("9000-9010:9000-9010", entry(.tcp, nil, 9000...9010, 9000...9010)),
    ("9000-9010:80", entry(.tcp, nil, 9000...9010, 80...80)),
    ("9000-9000:80", entry(.tcp, nil, 9000...9000, 80...80)),
    ("127.0.0.1:5353:53/udp", entry(.udp, "127.0.0.1", 5353...5353, 53...53)),
    ("127.0.0.1::80", entry(.tcp, "127.0.0.1", nil, 80...80)),
    ("127.0.0.1:0:80", entry(.tcp, "127.0.0.1", nil, 80...80)),
    ("0.0.0.0:8080:80", entry(.tcp, "0.0.0.0", 8080...8080, 80...80)),
    ("[::1]:8443:443", entry(.tcp, "::1", 8443...8443, 443...443)),
    ("[::]:8443:443", entry(.tcp, "::", 8443...8443, 443...443)),
    ("[2001:db8::1]::80", entry(.tcp, "2001:db8::1", nil, 80...80)),
    ("[2001:db8::1]:80-81:90-91/udp", entry(.udp, "2001:db8::1", 80...81, 90...91)),
    (" 8080:80 ", entry(.tcp, nil, 8080...8080, 80...80)),
  ])
func aPortEntryIsReadAsDockersP(_ text: String, _ expected: PortRequest) throws {
  var found = try #require(try interface(["wirehook.ports": text]).ports.first)
  #expect(found.text == text.split(separator: " ").joined())
  found.text = ""
  #expect(found == expected)
}

@Test(
  "A port entry is refused",
  arguments: [
    "", ":", "::", "a", "80:", "0", "80:0", "65536", "80:65536", "8080:80:", "-80", "80-", "85-80", "0-5:80",
    "80-81:90-92", "80:90-91", "8080:80/icmp",
    "8080:80/", "8080/80", "/tcp", "127.0.0.1:80", "localhost:80:80", "256.0.0.1:80:80", "::1:8080:80",
    "2001:db8::1:8080:80", "[::1]8080:80", "[::1]:80",
    "[127.0.0.1]:80:80", "[::1:80:80", "[]:80:80", "::80", "1:2:3:4:5", "+80", "0x50", "8080:080", "8080:80,", ",80",
    "224.0.0.1:80:80", "[ff02::1]:80:80",
    "255.255.255.255:80:80", "80 : 80", "8080:80/tcp/udp", "8080:80\n", "1-2-3:80", "[fe80::1%eth0]:80:80",
  ])
func aPortEntryIsRefused(_ text: String) {
  let error = message { _ = try request(["wirehook.ports": text]) }
  #expect(error.hasPrefix("annotation wirehook.ports \""), "\(text) gave: \(error)")
}

@Test(
  "Entries that want one host port are refused, both named",
  arguments: [
    ("8080:80,8080:81", "8080:80", "8080:81"), ("8080:80,0.0.0.0:8080:80", "8080:80", "0.0.0.0:8080:80"),
    ("8080-8085:80-85,8083:99", "8080-8085:80-85", "8083:99"), ("8080:80,8080:80", "8080:80", "8080:80"),
    ("0.0.0.0:80:80,127.0.0.1:80:81", "0.0.0.0:80:80", "127.0.0.1:80:81"), ("[::]:80:80,80:81", "[::]:80:80", "80:81"),
    ("[::1]:80:80,[0:0::1]:80:81", "[::1]:80:80", "[0:0::1]:80:81"),
    ("53:53/udp,1:1,53:54/UDP", "53:53/udp", "53:54/UDP"),
  ])
func entriesThatWantOneHostPortAreRefusedBothNamed(_ ports: String, _ first: String, _ second: String) {
  #expect(
    message { _ = try request(["wirehook.ports": ports]) }
      == "annotation wirehook.ports \"\(second)\" failed: a host port of it is taken by \"\(first)\"; publish each host port once"
  )
}

@Test(
  "Entries that only look alike pass",
  arguments: [
    "8080:80,8081:80", "8080:80/tcp,8080:80/udp,8080:80/sctp", "127.0.0.1:80:80,127.0.0.2:80:80",
    "0.0.0.0:80:80,[::]:80:80", "80,80,0:80",
    "9000-9001:80,9000-9001:81", "9000-9001:80,9000:81", "192.168.1.9:8080:80,192.168.1.10:8080:80",
  ])
func entriesThatOnlyLookAlikePass(_ ports: String) throws { _ = try request(["wirehook.ports": ports]) }

@Test func portsOfTwoInterfacesCollideToo() {
  #expect(
    message { _ = try request(["wirehook.network": "a,b", "wirehook.ports": "80:80", "wirehook.ports.eth1": "80:81"]) }
      == "annotation wirehook.ports \"80:81\" failed: a host port of it is taken by \"80:80\"; publish each host port once"
  )
}
