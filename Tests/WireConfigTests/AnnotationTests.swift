import Testing
import WireConfig
import WireCore

@Test func withoutAnyKeyOfOursTheContainerIsImplicitAndOnTheDefaultNetwork() throws {
  let result = try request(["io.kubernetes.pod": "x", "wirehook": "y", "wirehooks.network": "z"])
  #expect(
    result
      == ContainerRequest(isExplicit: false, optsOut: false, interfaces: [.init(network: nil, name: try name("eth0"))]))
}

@Test func aKeyWithoutANetworkIsForTheDefaultOne() throws {
  let result = try request(["wirehook.ports": "8080:80"])
  #expect(result.isExplicit)
  #expect(result.interfaces.map(\.network) == [nil])
  #expect(result.interfaces[0].ports.map(\.text) == ["8080:80"])
}

@Test func noneOptsOutWhateverElseIsAsked() throws {
  let result = try request(["wirehook.network": "none", "wirehook.ports": "8080:80"])
  #expect(result == ContainerRequest(isExplicit: true, optsOut: true, interfaces: []))
}

@Test func networksBecomeInterfacesByTheirPlace() throws {
  let result = try request(["wirehook.network": "front, storage:san0,bridge:br3,ovs:br1:data0,lan"])
  #expect(
    result.interfaces.map(\.network) == [
      .named("front"), .named("storage"), .bridge(try name("br3")), .ovs(try name("br1")), .named("lan"),
    ])
  #expect(result.interfaces.map(\.name.description) == ["eth0", "san0", "eth2", "data0", "eth4"])
}

@Test(
  "Every example of the contract is understood",
  arguments: [
    ("wirehook.ip", "100.1.1.6/24,fd00:1::6"),
    ("wirehook.ports", "8080:80,127.0.0.1:5353:53/udp,[::1]:8443:443,9000-9010:9000-9010,80"),
    ("wirehook.allow", "192.168.0.0/16,fd00::/8"), ("wirehook.routes", "100.1.2.0/24 dev eth0"),
    ("wirehook.gateway", "100.1.1.254"), ("wirehook.snat", "203.0.113.5"), ("wirehook.mac", "02:42:64:01:01:06"),
    ("wirehook.bandwidth", "ingress=100mbit,egress=20mbit"), ("wirehook.sysctl", "net.ipv4.conf.eth0.arp_notify=1"),
  ])
func everyExampleOfTheContractIsUnderstood(_ key: String, _ value: String) throws {
  _ = try ContainerRequest.parse(annotations: [(key, value)])
}

@Test func valuesArriveAsTheyAreMeant() throws {
  let first = try interface([
    "wirehook.ip": "100.1.1.6/24, fd00:1::6", "wirehook.allow": "192.168.7.7/16,fd00::1",
    "wirehook.gateway": "100.1.1.254,fd00:1::1",
    "wirehook.snat": "203.0.113.5", "wirehook.mac": "02-42-64-01-01-06", "wirehook.mtu": "1450", "wirehook.vlan": "10",
    "wirehook.bandwidth": "egress=20mbit",
    "wirehook.sysctl": "net.ipv4.conf.eth0.arp_notify = 1,net.core.somaxconn=1 2",
    "wirehook.routes": "default via 100.1.1.1 metric 5,fd01::/64 via fd00:1::1 dev eth0,10.9.9.9 dev eth0",
  ])
  #expect(first.addresses == .given([.init(try address("100.1.1.6"), length: 24), .init(try address("fd00:1::6"))]))
  #expect(first.allow == [try prefix("192.168.0.0/16"), try prefix("fd00::1/128")])
  #expect(first.gateway == .given([try address("100.1.1.254"), try address("fd00:1::1")]))
  #expect(first.snat == [try address("203.0.113.5")])
  #expect(first.mac == MACAddress("02:42:64:01:01:06"))
  #expect(first.mtu == 1450)
  #expect(first.vlan == .access(10))
  #expect(first.bandwidth == Bandwidth(egress: Rate("20mbit")))
  #expect(
    first.sysctls == [
      .init(key: "net.ipv4.conf.eth0.arp_notify", value: "1"), .init(key: "net.core.somaxconn", value: "1 2"),
    ])
  #expect(
    first.routes == [
      .init(destination: try prefix("0.0.0.0/0"), via: try address("100.1.1.1"), metric: 5),
      .init(destination: try prefix("fd01::/64"), via: try address("fd00:1::1"), device: try name("eth0")),
      .init(destination: try prefix("10.9.9.9/32"), via: nil, device: try name("eth0")),
    ])
}

@Test func noneMeansNoAddressAndNoGateway() throws {
  let first = try interface(["wirehook.ip": "none", "wirehook.gateway": "none"])
  #expect(first.addresses == .none)
  #expect(first.gateway == .none)
}

@Test func aSuffixNamesTheInterface() throws {
  let result = try request([
    "wirehook.ip.san0": "10.0.0.7", "wirehook.network": "front,storage:san0,x:eth7.5", "wirehook.mtu": "1400",
    "wirehook.mtu.eth7.5": "1300",
    "wirehook.allow.san0": "10.0.0.0/8",
  ])
  #expect(result.interfaces[1].addresses == .given([.init(try address("10.0.0.7"))]))
  #expect(result.interfaces.map(\.mtu) == [1400, nil, 1300])
  #expect(result.interfaces[1].allow == [try prefix("10.0.0.0/8")])
}

@Test func allowForAPortGoesToTheInterfaceThatPublishesIt() throws {
  let result = try request([
    "wirehook.allow.9000": "10.0.0.0/8", "wirehook.network": "front,storage:san0", "wirehook.ports": "8080:80",
    "wirehook.ports.san0": "8999-9001:8999-9001",
  ])
  #expect(result.interfaces.map(\.allowByPort) == [[:], [9000: [try prefix("10.0.0.0/8")]]])
}

@Test func theSameKeyTwiceMustSayTheSame() throws {
  #expect(try interface(["wirehook.mtu": "1400", "wirehook.mtu": "1400"]).mtu == 1400)
  #expect(
    message { _ = try request(["wirehook.mtu": "1400", "wirehook.mtu": "1500"]) }
      == "annotation wirehook.mtu \"1500\" failed: the key is given twice, the other time as \"1400\"")
  #expect(
    message { _ = try request(["wirehook.mtu": "1400", "wirehook.mtu.eth0": "1400"]) }
      == "annotation wirehook.mtu.eth0 \"1400\" failed: wirehook.mtu is for the same interface")
}

@Test(
  "Keys that are refused",
  arguments: [
    ("wirehook.port", "80", "annotation \"wirehook.port\" failed: unknown key; did you mean \"wirehook.ports\"?"),
    (
      "wirehook.netwrok", "a", "annotation \"wirehook.netwrok\" failed: unknown key; did you mean \"wirehook.network\"?"
    ),
    (
      "wirehook.pots.eth0", "80",
      "annotation \"wirehook.pots.eth0\" failed: unknown key; did you mean \"wirehook.ports\"?"
    ),
    ("wirehook.Ports", "80", "annotation \"wirehook.Ports\" failed: unknown key; did you mean \"wirehook.ports\"?"),
    ("wirehook.alias.eth0", "x", "annotation wirehook.alias.eth0 \"x\" failed: the key takes no interface's name"),
    (
      "wirehook.ip.eth1", "10.0.0.1",
      "annotation \"wirehook.ip.eth1\" failed: expected one of the container's interfaces after wirehook.ip: eth0"
    ),
    (
      "wirehook.ip.", "10.0.0.1",
      "annotation \"wirehook.ip.\" failed: expected one of the container's interfaces after wirehook.ip: eth0"
    ),
    ("wirehook.network.eth0", "a", "annotation wirehook.network.eth0 \"a\" failed: the key takes no interface's name"),
    (
      "wirehook.allow.8080", "10.0.0.0/8",
      "annotation \"wirehook.allow.8080\" failed: wirehook.ports publishes no host port 8080"
    ),
    (
      "wirehook.allow.99999", "10.0.0.0/8",
      "annotation \"wirehook.allow.99999\" failed: wirehook.ports publishes no host port 99999"
    ),
  ])
func keysThatAreRefused(_ key: String, _ value: String, _ text: String) {
  #expect(message { _ = try ContainerRequest.parse(annotations: [(key, value)]) } == text)
}

@Test func anUnknownKeyNearNothingListsTheKnownOnes() {
  let text = message { _ = try request(["wirehook.": "x"]) }
  #expect(
    text.hasPrefix("annotation \"wirehook.\" failed: unknown key; known keys are wirehook.network, wirehook.ip, "))
}

@Test(
  "Values that are refused",
  arguments: [
    (
      "network",
      [
        "", " ", ",", "a,,b", "a,a", "none,a", "a,none", "a:lo", "a:all", "a:default", "a:8080", "a:", "a:b:c", "a:.",
        "a:..", "a:a/b",
        "a:a b", "a:eth%d", "a:sixteen-bytes-xx", "x:eth1,y", "bridge:", "bridge", "ovs:", "bridge:a/b", "bridge:br3:",
        "bridge:br%d", "-a", "a/b", "../a",
        "a\u{0}b", "a\nb", "ü", String(repeating: "a", count: 65),
      ]
    ),
    (
      "ip",
      [
        "", "10.0.0", "10.0.0.256", "10.0.0.1/33", "10.0.0.1/0", "10.0.0.1/", "10.0.0.0/24", "10.0.0.255/24",
        "fd00::/64", "fd00::1/129", "::",
        "0.0.0.0", "127.0.0.1", "224.0.0.1", "ff02::1", "255.255.255.255", "10.0.0.1,10.0.0.1", "10.0.0.1,none",
        "fe80::1%eth0", "[fd00::1]", "010.0.0.1",
      ]
    ),
    ("allow", ["", "any", "10.0.0.0/33", "10.0.0.1,,10.0.0.2", "10.0.0"]),
    (
      "routes",
      [
        "", "10.0.0.0/8", "10.0.0.0/8 via", "10.0.0.0/8 via x", "10.0.0.1/8 via 10.0.0.1", "10.0.0.0/8 via fd00::1",
        "fd00::/64 via 10.0.0.1",
        "10.0.0.0/8 via 1.1.1.1 via 1.1.1.2", "10.0.0.0/8 dev eth9", "10.0.0.0/8 via 1.1.1.1 metric -1",
        "10.0.0.0/8 via 1.1.1.1 metric 4294967296",
        "10.0.0.0/8 metric 5", "default", "x via 1.1.1.1", "10.0.0.0/8 via 0.0.0.0", "10.0.0.0/8 src 1.1.1.1",
      ]
    ),
    ("gateway", ["", "x", "10.0.0.1,10.0.0.2", "10.0.0.1/24", "0.0.0.0", "10.0.0.1,none"]),
    ("snat", ["", "x", "127.0.0.1", "1.1.1.1,1.1.1.2"]),
    ("mac", ["", "02:42", "01:00:5e:00:00:01", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "02:42:64:01:01:0g"]),
    ("mtu", ["", "67", "65536", "-1", "1500.0", "99999999999999999999999", "0x5dc"]),
    ("vlan", ["", "0", "4095", "x"]),
    (
      "bandwidth",
      [
        "", "100mbit", "ingress=", "ingress=0", "ingress=100mbit,ingress=1mbit", "up=1mbit", "ingress=100parsec",
        "ingress=99999999999999999999gbit",
      ]
    ),
    (
      "sysctl",
      [
        "", "net.ipv4.ip_forward", "kernel.panic=1", "net.=1", "net.ipv4..x=1", "net.ipv4.../../kernel/panic=1",
        "net/ipv4/ip_forward=1",
        "net.ipv4.x/y=1", "net.ipv4.ip_forward=", "net=1", "net.x=1", "network.ipv4.x=1", "net.ipv4.a b=1",
        "net.ipv4.x=1\n2", "net.ipv4.x=1,net.ipv4.x=2",
        "net.ipv4." + String(repeating: "x", count: 200) + "=1", "net.ipv4.x=" + String(repeating: "1", count: 257),
      ]
    ),
  ])
func valuesThatAreRefused(_ key: String, _ values: [String]) {
  for value in values {
    let text = message { _ = try ContainerRequest.parse(annotations: [("wirehook." + key, value)]) }
    #expect(
      text.contains("wirehook." + key), "\(value.debugDescription) passed, or its error does not name the key: \(text)")
    #expect(!text.contains("\n"))
  }
}

@Test func aRefusalNamesTheEntryAndWhatWasExpected() {
  #expect(
    message { _ = try request(["wirehook.ip": "10.0.0.1/24,10.0.1.255/24"]) }
      == "annotation wirehook.ip \"10.0.1.255/24\" failed: this is the broadcast address of 10.0.1.0/24")
  #expect(
    message { _ = try request(["wirehook.vlan": "4095"]) }
      == "annotation wirehook.vlan \"4095\" failed: expected a VLAN from 1 to 4094, or trunk:10,20-29")
  #expect(
    message { _ = try request(["wirehook.routes": "10.1.2.3/8 dev eth0"]) }
      == "annotation wirehook.routes \"10.1.2.3/8 dev eth0\" failed: expected a destination without host bits, such as 10.0.0.0/8"
  )
}

@Test func lengthAndCountAreBounded() {
  let long = String(repeating: "1", count: 65_537)
  #expect(message { _ = try request(["wirehook.mtu": long]) }.contains("at most 65536 bytes"))
  #expect(
    message { _ = try request(["wirehook.allow": String(repeating: "1.1.1.1,", count: 1024) + "1.1.1.1"]) }.contains(
      "1024 entries"))
  let many = (0..<300).map { (key: "wirehook.allow.\($0)", value: "10.0.0.0/8") }
  #expect(message { _ = try ContainerRequest.parse(annotations: many) }.contains("at most 256 annotations"))
  let networks = (0..<33).map { "n\($0)" }.joined(separator: ",")
  #expect(message { _ = try request(["wirehook.network": networks]) }.contains("at most 32 networks"))
}

@Test func aCombiningAccentHidesNoSeparator() {
  // "." and U+0301 are one Character: the key is unknown all the same, and not cut at the wrong place.
  #expect(message { _ = try request(["wirehook.\u{301}ip": "10.0.0.1"]) }.contains("unknown key"))
  #expect(message { _ = try request(["wirehook.ports": "80,\u{301}81"]) }.contains("\"\u{301}81\""))
}
