import Testing
import WireConfig
import WireCore

/// The contract's example.
private let example = """
  { "name": "front", "driver": "bridge", "bridge": "wh-front",
    "subnets": [{ "subnet": "10.210.4.0/22", "gateway": "10.210.4.1", "range": "10.210.5.0/24", "exclude": ["10.210.5.7"] },
                { "subnet": "fd42:210:4::/64" }],
    "masquerade": true, "internal": false, "isolate": "networks", "expose": "published", "mtu": 1450, "vlan": 10,
    "vxlan": { "id": 42, "local": "192.168.1.9", "remotes": ["192.168.1.10"], "port": 4789 },
    "routes": ["10.0.0.0/8 via 10.210.4.254"] }
  """

@Test func theExampleOfTheContractIsRead() throws {
  let front = try network(example)
  var expected = Network(
    name: "front", bridge: try name("wh-front"),
    subnets: [
      Subnet(
        prefix: try prefix("10.210.4.0/22"), gateway: try address("10.210.4.1"), range: try prefix("10.210.5.0/24"),
        exclude: [try address("10.210.5.7")...(try address("10.210.5.7"))]),
      Subnet(prefix: try prefix("fd42:210:4::/64"), gateway: try address("fd42:210:4::1")),
    ])
  expected.antispoof = true
  expected.mtu = 1450
  expected.vlan = .access(10)
  expected.vxlan = VXLAN(.number(42), local: try address("192.168.1.9"), remotes: [try address("192.168.1.10")])
  expected.routes = [.init(destination: try prefix("10.0.0.0/8"), via: try address("10.210.4.254"))]
  #expect(front == expected)
}

@Test func aNetworkIsNamedAfterItsFile() throws {
  let text = "{\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}"
  #expect(try network(text, file: "/etc/wirehook/networks.d/front.json").name == "front")
  #expect(
    message { _ = try network("{\"name\":\"back\",\"subnets\":[]}") }
      == "networks.d/front.json: name \"back\" failed: network back belongs in the file back.json")
}

@Test func theBridgesNameFollowsTheNetworksOrMustBeGiven() throws {
  let text = "{\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}"
  #expect(try network(text, file: "twelve-bytes.json").bridge.description == "wh-twelve-bytes")
  #expect(
    message { _ = try network(text, file: "thirteen-byte.json") }
      == "thirteen-byte.json: bridge failed: \"wh-thirteen-byte\" is longer than the 15 bytes of a link's name; give the bridge a shorter name with \"bridge\""
  )
}

@Test func aLANThatIsNotOursHasNoGatewayOfOursAndNoMasquerade() throws {
  let lan = try network("{\"managed\":false,\"bridge\":\"br3\",\"subnets\":[{\"subnet\":\"192.168.1.0/24\"}]}")
  #expect(lan.subnets[0].gateway == nil)
  #expect(lan.masquerade == Masquerade(ipv4: .off, ipv6: .off))
  #expect(try network("{\"managed\":false,\"bridge\":\"br3\"}").subnets.isEmpty)
}

@Test func anInternalNetworkHasNoMasquerade() throws {
  let inner = try network("{\"internal\":true,\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}")
  #expect(inner.masquerade == Masquerade(ipv4: .off, ipv6: .off))
  #expect(inner.internal)
}

@Test(
  "Masquerade has many forms",
  arguments: [
    ("true", Masquerade()), ("false", Masquerade(ipv4: .off, ipv6: .off)),
    ("{\"ipv4\":true,\"ipv6\":false}", Masquerade(ipv6: .off)), ("{\"ipv4\":false}", Masquerade(ipv4: .off)),
    ("\"203.0.113.5\"", Masquerade(ipv4: .addresses([IPAddress(.ipv4, 0xcb00_7105)]))),
    (
      "[\"203.0.113.5\",\"203.0.113.6\"]",
      Masquerade(ipv4: .addresses([IPAddress(.ipv4, 0xcb00_7105), IPAddress(.ipv4, 0xcb00_7106)]))
    ),
    (
      "{\"ipv4\":\"203.0.113.5\",\"ipv6\":false}",
      Masquerade(ipv4: .addresses([IPAddress(.ipv4, 0xcb00_7105)]), ipv6: .off)
    ),
  ])
func masqueradeHasManyForms(_ text: String, _ expected: Masquerade) throws {
  #expect(try network("{\"masquerade\":\(text),\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}").masquerade == expected)
}

@Test func allSwitchesAreRead() throws {
  let text = """
    {"isolate":false,"expose":"all","publish_on":["192.168.1.9","::"],"allow":["10.0.0.0/8"],"slaac":true,"probe":true,"dns":false,
     "dns_servers":["10.0.0.53","fd00::53"],
     "subnets":[{"subnet":"10.0.0.0/31"},{"subnet":"10.0.1.0/24","exclude":["10.0.1.16/28"]}]}
    """
  let front = try network(text)
  #expect(front.isolate == .none)
  #expect(front.expose == .all)
  #expect(front.publishOn == [try address("192.168.1.9"), try address("::")])
  #expect(front.allow == [try prefix("10.0.0.0/8")])
  #expect(front.slaac)
  #expect(front.probe)
  #expect(front.dnsServers == [try address("10.0.0.53"), try address("fd00::53")])
  #expect(front.subnets[0].gateway == (try address("10.0.0.0")))
  #expect(front.subnets[1].exclude == [try address("10.0.1.16")...(try address("10.0.1.31"))])
  #expect(try network("{\"isolate\":\"containers\",\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}").isolate == .containers)
}

@Test(
  "What a network file may not say",
  arguments: [
    ("[]", "networks.d/front.json (an array) failed: expected an object"),
    ("{}", "networks.d/front.json: subnets failed: the key is missing"),
    (
      "{\"probe\":true,\"vlan\":7,\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: probe true failed: not with \"vlan\"; take one of the two out"
    ),
    (
      "{\"probe\":true,\"driver\":\"ovs\",\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: probe true failed: only on Linux bridges; take the key out"
    ),
    ("{\"subnets\":[]}", "networks.d/front.json: subnets (an array) failed: expected at least one subnet"),
    ("{\"subnet\":\"x\"}", "networks.d/front.json: subnet failed: unknown key; did you mean \"subnets\"?"),
    (
      "{\"subnets\":[{\"subnett\":1}]}",
      "networks.d/front.json: subnets[0].subnett failed: unknown key; did you mean \"subnet\"?"
    ),
    (
      "{\"subnets\":[{\"subnet\":\"10.210.4.1/22\"}]}",
      "networks.d/front.json: subnets[0].subnet \"10.210.4.1/22\" failed: expected a subnet without host bits; did you mean \"10.210.4.0/22\"?"
    ),
    (
      "{\"subnets\":[{\"subnet\":\"10.0.0.0/32\"}]}",
      "networks.d/front.json: subnets[0].subnet \"10.0.0.0/32\" failed: expected a subnet of unicast addresses with room for a gateway and a container"
    ),
    (
      "{\"subnets\":[{\"subnet\":\"10.210.4.0/22\"},{\"subnet\":\"10.210.0.0/16\",\"gateway\":\"10.0.0\"}]}",
      "networks.d/front.json: subnets[1].gateway \"10.0.0\" failed: expected an address inside 10.210.0.0/16"
    ),
    (
      "{\"subnets\":[{\"subnet\":\"10.210.4.0/22\",\"gateway\":\"10.210.4.0\"}]}",
      "networks.d/front.json: subnets[0].gateway \"10.210.4.0\" failed: this is the network's own address of 10.210.4.0/22"
    ),
    (
      "{\"subnets\":[{\"subnet\":\"10.210.4.0/22\",\"gateway\":\"10.210.7.255\"}]}",
      "networks.d/front.json: subnets[0].gateway \"10.210.7.255\" failed: this is the broadcast address of 10.210.4.0/22"
    ),
    (
      "{\"subnets\":[{\"subnet\":\"10.210.4.0/22\",\"range\":\"10.0.0.0/8\"}]}",
      "networks.d/front.json: subnets[0].range \"10.0.0.0/8\" failed: expected a prefix inside 10.210.4.0/22"
    ),
    (
      "{\"subnets\":[{\"subnet\":\"10.210.4.0/22\",\"exclude\":[\"10.210.4.9\",\"10.0.0.1\"]}]}",
      "networks.d/front.json: subnets[0].exclude[1] \"10.0.0.1\" failed: expected an address or a prefix inside 10.210.4.0/22"
    ),
    (
      "{\"subnets\":[{\"subnet\":\"10.0.0.0/8\"},{\"subnet\":\"10.1.0.0/16\"}]}",
      "networks.d/front.json: subnets[1].subnet \"10.1.0.0/16\" failed: the subnet overlaps 10.0.0.0/8 of this network"
    ),
    (
      "{\"driver\":\"ovn\",\"subnets\":[]}",
      "networks.d/front.json: driver \"ovn\" failed: not in this version of wirehook; use \"bridge\" or \"ovs\""
    ),
    (
      "{\"driver\":\"brige\",\"subnets\":[]}",
      "networks.d/front.json: driver \"brige\" failed: expected one of \"bridge\", \"ovs\", \"ovn\", \"macvlan\", \"ipvlan\""
    ),
    ("{\"dns\":true}", "networks.d/front.json: dns true failed: not in this version of wirehook; take the key out"),
    (
      "{\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}],\"dns_servers\":[\"ns1\"]}",
      "networks.d/front.json: dns_servers[0] \"ns1\" failed: expected addresses of resolvers, such as 10.0.0.53"
    ),
    (
      "{\"parent\":\"eth0\"}",
      "networks.d/front.json: parent \"eth0\" failed: not in this version of wirehook; take the key out"
    ),
    (
      "{\"name\":\"a b\"}",
      "networks.d/front.json: name \"a b\" failed: expected 1 to 64 letters, digits, \"_\", \".\" or \"-\", beginning with a letter or digit"
    ),
    (
      "{\"isolate\":true,\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: isolate true failed: expected \"networks\", \"containers\" or false"
    ),
    (
      "{\"mtu\":67,\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: mtu 67 failed: expected a whole number from 68 to 65535"
    ),
    (
      "{\"vlan\":4095,\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: vlan 4095 failed: expected a whole number from 1 to 4094"
    ),
    (
      "{\"internal\":true,\"masquerade\":true,\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: masquerade true failed: expected false where \"internal\" is true"
    ),
    (
      "{\"managed\":false,\"masquerade\":true}",
      "networks.d/front.json: masquerade true failed: expected false where \"managed\" is false"
    ),
    (
      "{\"routes\":[\"10.0.0.0/8\"],\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: routes[0] \"10.0.0.0/8\" failed: expected DESTINATION via GATEWAY or DESTINATION dev INTERFACE, and perhaps metric NUMBER"
    ),
    (
      "{\"masquerade\":{\"ipv4\":\"fd00::1\"},\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: masquerade.ipv4 \"fd00::1\" failed: expected true, false or IPv4 addresses of the host"
    ),
    (
      "{\"bridge\":\"br%d\",\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}",
      "networks.d/front.json: bridge \"br%d\" failed: expected a bridge's name, 1 to 15 printable ASCII characters without \"/\", \":\" or space"
    ),
  ])
func whatANetworkFileMayNotSay(_ text: String, _ error: String) { #expect(message { _ = try network(text) } == error) }

@Test("Names that mean something else are no networks", arguments: ["none", "bridge", "ovs", "", ".a", "a/b", "-x"])
func namesThatMeanSomethingElseAreNoNetworks(_ text: String) { #expect(!NetworkName.isValid(text)) }

@Test func theStandardNetworkIsAMasqueradedBridge() throws {
  let standard = try Network.standard(subnets: [])
  #expect(standard.name == "default")
  #expect(standard.bridge.description == "wirehook0")
  #expect(standard.masquerade == Masquerade())
}
