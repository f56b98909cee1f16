import Glibc
import Support
import Testing

/// Docker's containers without a network, on Open vSwitch bridges.
@Suite(
  .enabled(
    if: Tool.dockerd.isThere && Tool.busybox.isThere && Tool.root.isThere && Tool.ovs.isThere,
    "needs root, dockerd, busybox and Open vSwitch"),
  .serialized)
struct OVSDockerTests {
  private static let network = #"""
    {"driver": "ovs", "bridge": "br1", "subnets": [{"subnet": "100.1.1.0/24", "gateway": "100.1.1.254"}], "vlan": 10}
    """#

  @Test func twoContainersWithLabelsAreOnOneBridge() throws {
    try DockerEngine.with { docker, host in
      let ovs = try RealSwitch(on: host)
      try ovs.vsctl("add-br br1 -- set bridge br1 datapath_type=\(RealSwitch.datapath)")
      let run = { (name: String, address: String) in
        try docker.run(
          name, "--net=none", "--label", "wirehook.network=ovs:br1", "--label", "wirehook.ip=\(address)/24")
      }
      let six = try run("six", "100.1.1.6")
      let seven = try run("seven", "100.1.1.7")
      #expect(try six.addresses("eth0") == ["100.1.1.6/24"])
      #expect(try six.pings("100.1.1.7"))
      #expect(try six.reaches("seven", "100.1.1.7", 80))
      #expect(try seven.reaches("six", "100.1.1.6", 80))
      #expect(try docker.require("exec", "six", "ip", "addr").contains("100.1.1.6/24"))
      let owners = try ovs.rows("Port").compactMap { $0["external_ids"]["wirehook-container"].string }
      #expect(owners.sorted() == [six.id, seven.id].sorted())
      try docker.require("restart", "-t", "0", "six")
      #expect(try docker.container("six").addresses("eth0") == ["100.1.1.6/24"])
      #expect(try docker.container("six").reaches("seven", "100.1.1.7", 80))
      #expect(try ovs.ports(of: "br1").count == 2)
      try docker.require("rm", "-f", "six", "seven")
      #expect(try ovs.ports(of: "br1") == [])
      #expect(try host.wirehook("gc", "--dry-run").stdout == "nothing is left\n")
    }
  }

  @Test func aPublishedPortOnAVLANSurvivesARestartOfEverything() throws {
    try DockerEngine.with { docker, host in
      let ovs = try RealSwitch(on: host)
      try host.writeNetwork("ovsnet", Self.network)
      let web = try docker.run(
        "web", "--net=none", "--restart=always", "--label", "wirehook.network=ovsnet", "--label",
        "wirehook.ports=8080:80")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      #expect(try host.reaches("web", "127.0.0.1", 8080))
      try ovs.restart(.daemon)
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      kill(web.pid, SIGKILL)
      let again = try eventually(within: .seconds(10)) {
        guard let now = try? docker.container("web"), now.pid != web.pid else { return false }
        return try host.outside.ask(Sandbox.address4, 8080).server == "web"
      }
      #expect(again)
      let ports = try ovs.rows("Port", "external_ids:wirehook-network=ovsnet")
      #expect(ports.filter { $0["external_ids"]["wirehook-container"] != .null }.map { $0["tag"].int } == [10])
    }
  }

  @Test func aDatabaseThatIsAwayIsReadInOneLineOfDocker() throws {
    try DockerEngine.with { docker, host in
      let ovs = try RealSwitch(on: host)
      try host.writeNetwork("ovsnet", Self.network)
      ovs.kill(.database)
      let refused = try docker.tryRun("web", ["--net=none", "--label", "wirehook.network=ovsnet"])
      #expect(refused.exitCode == 125)
      #expect(refused.stderr.contains("wirehook: ") && refused.stderr.contains(ovs.socket), "\(refused.stderr)")
      try ovs.start(.database)
      try docker.require("start", "web")
      #expect(try docker.container("web").pings("100.1.1.254", within: 6))
    }
  }
}

/// The same with the runtimes alone.
@Suite(
  .enabled(
    if: Tool.root.isThere && Tool.busybox.isThere && Tool.ovs.isThere, "needs root, busybox and Open vSwitch"))
struct OVSRuntimeTests {
  @Test(arguments: Runtime.allCases.filter(\.isThere)) func aContainerComesAndGoes(runtime: Runtime) throws {
    try RealSwitch.with { host, ovs in
      try host.writeNetwork(
        "ovsnet",
        #"""
        {"driver": "ovs", "bridge": "br1", "subnets": [{"subnet": "100.1.1.0/24", "gateway": "100.1.1.254"}]}
        """#)
      let annotations = ["wirehook.network": "ovsnet", "wirehook.ports": "8080:80"]
      let web = try host.realContainer("web", runtime, annotations: annotations)
      try web.start()
      try web.serve(80)
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      try web.delete()
      #expect(try ovs.ports(of: "br1") == [])
      ovs.kill(.database)
      let refused = try host.realContainer("refused", runtime, annotations: annotations)
      #expect(try !refused.tryRun().succeeded)
      try ovs.start(.database)
      #expect(try ovs.ports(of: "br1") == [])
      #expect(try host.list().isEmpty)
    }
  }
}
