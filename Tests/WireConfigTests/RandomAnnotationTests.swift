import Testing
import WireConfig
import WireCore

private let keys = [
  "network", "ip", "ports", "ports.eth0", "allow", "allow.80", "routes", "gateway", "snat", "mac", "mtu", "vlan",
  "bandwidth",
  "sysctl", "ip.san0", "dns", "x", "",
]

private let parts = [
  "a", "b:san0", "bridge:br0", "none", "10.0.0.1", "/24", "fd00::1", "[::1]", ":", "::", ",", "-", "80", "0", "65536",
  "8080:80", "/udp", "/", " ", "via",
  " dev eth0", "default", "02:42:64:01:01:06", "ingress=", "egress=1mbit", "net.ipv4.x=1", "=", ".", "..",
  "99999999999999999999", "é", "\u{301}", "\u{0}", "\n", "\u{7f}",
]

@Test func randomAnnotationsAreReadOrRefusedOnOneLine() {
  var state: UInt64 = 3
  func random(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
  var read = 0
  for _ in 0..<20_000 {
    let annotations = (0...random(3)).map { _ in
      (
        key: "wirehook." + keys[random(keys.count)],
        value: (0...random(4)).map { _ in parts[random(parts.count)] }.joined()
      )
    }
    do {
      let request = try ContainerRequest.parse(annotations: annotations)
      #expect(request.isExplicit)
      #expect(request.optsOut == request.interfaces.isEmpty)
      #expect(Set(request.interfaces.map(\.name)).count == request.interfaces.count)
      read += 1
    } catch {
      #expect(error.description.hasPrefix("annotation "))
      #expect(error.description.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
    }
  }
  #expect(read > 100)
}
