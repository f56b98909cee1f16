import Testing
import WireConfig
import WireCore

private let subnet = "\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]"

@Test func aNetworkOfOpenVSwitchSaysItsDatabaseAndVLANs() throws {
  let network = try network(
    """
    {"driver":"ovs","bridge":"br1",\(subnet),"vlan":"trunk:10,20-29","vxlan":{"key":"flow","remotes":["fd00::2"]},
     "ovs":{"database":"tcp:127.0.0.1:6640","limits":"ovs"}}
    """)
  #expect(network.driver == .ovs)
  #expect(network.vlan == .trunk([10...10, 20...29]))
  #expect(network.vxlan == VXLAN(.flow, remotes: [try address("fd00::2")]))
  #expect(network.vxlan?.overhead == 70)
  #expect(network.ovs.database == .tcp(try address("127.0.0.1"), port: 6640))
  #expect(network.ovs.limits == .ovs)
}

@Test func aTunnelOverIPv4Takes50Bytes() throws {
  #expect(VXLAN(.flow, remotes: [try address("192.168.1.10")]).overhead == 50)
}

@Test func aLinuxBridgeMayTunnelToAMulticastGroup() throws {
  let text = "{\(subnet),\"vxlan\":{\"id\":7,\"remotes\":[\"239.1.1.1\"],\"local\":\"192.168.1.9\"}}"
  #expect(try network(text).vxlan?.remotes == [try address("239.1.1.1")])
}

@Test(
  "What a network on Open vSwitch, or one with tunnels, may not say",
  arguments: [
    ("\"ovs\":{}", "ovs (an object) failed: only for \"driver\": \"ovs\""),
    (
      "\"vlan\":\"trunk:1-9\"", "vlan \"trunk:1-9\" failed: only Open vSwitch has trunk ports here"
    ),
    (
      "\"driver\":\"ovs\",\"vlan\":\"trunk:9-1\"",
      "vlan \"trunk:9-1\" failed: expected a VLAN from 1 to 4094, or trunk:10,20-29"
    ),
    (
      "\"driver\":\"ovs\",\"ovs\":{\"database\":\"ssl:1.2.3.4:6640\"}",
      "ovs.database \"ssl:1.2.3.4:6640\" failed: expected \(DatabaseAddress.expectation)"
    ),
    (
      "\"driver\":\"ovs\",\"ovs\":{\"db\":\"\"}", "ovs.db failed: unknown key; known keys are database, limits"
    ),
    ("\"vxlan\":{\"remotes\":[]}", "vxlan (an object) failed: expected either \"id\", or \"key\": \"flow\""),
    (
      "\"vxlan\":{\"key\":\"flow\",\"remotes\":[]}",
      "vxlan.key \"flow\" failed: only Open vSwitch has flows; give an \"id\""
    ),
    (
      "\"driver\":\"ovs\",\"vxlan\":{\"key\":\"5\",\"remotes\":[]}",
      "vxlan.key \"5\" failed: expected \"flow\"; a number goes into \"id\""
    ),
    (
      "\"vxlan\":{\"id\":16777216,\"remotes\":[]}",
      "vxlan.id 16777216 failed: expected a whole number from 0 to 16777215"
    ),
    (
      "\"vxlan\":{\"id\":1,\"remotes\":[\"127.0.0.1\"]}",
      "vxlan.remotes[0] \"127.0.0.1\" failed: expected another host's address"
    ),
    (
      "\"vxlan\":{\"id\":1,\"remotes\":[\"10.1.1.1\",\"10.1.1.1\"]}",
      "vxlan.remotes[1] \"10.1.1.1\" failed: the remote is named twice"
    ),
    (
      "\"vxlan\":{\"id\":1,\"remotes\":[\"10.1.1.1\",\"fd00::1\"]}",
      "vxlan.remotes (an array) failed: expected addresses of one family"
    ),
    (
      "\"vxlan\":{\"id\":1,\"remotes\":[\"10.1.1.1\"],\"local\":\"fd00::1\"}",
      "vxlan.local \"fd00::1\" failed: expected an address of this host, of the same family as the remotes"
    ),
    (
      "\"vxlan\":{\"id\":1,\"remotes\":[\"239.1.1.1\"]}",
      "vxlan.remotes (an array) failed: a multicast group needs \"local\"; give the host's address on that network"
    ),
    (
      "\"driver\":\"ovs\",\"vxlan\":{\"id\":1,\"remotes\":[\"239.1.1.1\"]}",
      "vxlan.remotes (an array) failed: Open vSwitch has no multicast tunnels; name each remote"
    ),
    (
      "\"managed\":false,\"vxlan\":{\"id\":1,\"remotes\":[]}",
      "vxlan (an object) failed: \"managed\" is false, so the bridge gets no tunnel of ours"
    ),
  ])
func whatASwitchMayNotSay(_ members: String, _ error: String) {
  #expect(message { _ = try network("{\(subnet),\(members)}") } == "networks.d/front.json: \(error)")
}

@Test func theMainFileSaysWhereTheDatabaseIs() throws {
  #expect(try mainConfig("{\"ovs\":{\"database\":\"unix:/run/ovs.sock\"}}").ovsDatabase == .unix(path: "/run/ovs.sock"))
  #expect(try mainConfig("{}").ovsDatabase == .unix(path: "/var/run/openvswitch/db.sock"))
}
