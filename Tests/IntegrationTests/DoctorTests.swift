import Foundation
import Support
import Testing

/// `wirehook doctor`: what stops wiring is found, and what it tells people to type mends it.
@Suite(needsRoot) struct DoctorTests {
  @Test func aHealthyHostIsToldSoAndNothingIsMade() throws {
    try Sandbox.with(.init(bridgeFilter: false)) { host in
      let before = try host.snapshot()
      let result = try host.wirehook("doctor")
      #expect(result.exitCode == 0, "\(result)")
      #expect(result.duration < .seconds(20))
      for feature in [
        "veth", "bridge", "nf_tables", "nf_tables ingress hook", "nf_tables bridge family", "vxlan", "ifb", "tbf",
        "IPv6",
      ] {
        #expect(result.stdout.contains("ok       kernel: \(feature): works"), "\(feature)\n\(result.stdout)")
      }
      for line in result.stdout.split(separator: "\n") {
        #expect(line.wholeMatch(of: /(ok     |warning|error  )  .+: .+/) != nil, "\(line)")
      }
      #expect(!FileManager.default.fileExists(atPath: host.stateFolder))
      try expectUnchanged(host, since: before)
    }
  }

  /// Something wrong, in whose line it shows, how bad it is, and whether the remedy is a line for a shell that mends it.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let spoil: @Sendable (Sandbox) throws -> Void
    let severity: String
    let what: String
    let said: String
    var isMended = true
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(
      name: "forwarding is off", spoil: { try $0.setSysctl("net/ipv4/ip_forward", "0") }, severity: "error",
      what: "net.ipv4.ip_forward", said: "switched it off"),
    Case(
      name: "IPv6 forwarding is off", spoil: { try $0.setSysctl("net/ipv6/conf/all/forwarding", "0") },
      severity: "error",
      what: "net.ipv6.conf.all.forwarding", said: "switched it off"),
    Case(
      name: "a route into the subnet", spoil: { try $0.ip("route add 10.210.4.128/25 dev up0") }, severity: "error",
      what: "network front: subnet 10.210.4.0/24", said: "10.210.4.128/25 leads to up0", isMended: false),
    Case(
      name: "a VPN around the subnet", spoil: { try $0.ip("route add 10.0.0.0/8 via 192.168.77.2") },
      severity: "warning",
      what: "network front: subnet 10.210.4.0/24", said: "10.0.0.0/8, which the host reaches by up0", isMended: false),
    Case(
      name: "a VPN's table",
      spoil: { host in
        try host.ip("route add 10.210.4.0/24 dev up0 table 52")
        try host.ip("rule add lookup 52 priority 5270")
      }, severity: "error", what: "network front: subnet 10.210.4.0/24", said: "10.210.4.0/24 leads to up0",
      isMended: false),
    Case(
      name: "a state directory that others write to",
      spoil: { try Command.require(["chmod", "777", $0.stateFolder]) }, severity: "error", what: "state directory",
      said: "others may write to it (mode 777)"),
    Case(
      name: "a container that has ended", spoil: { try $0.started("gone").kill() }, severity: "warning",
      what: "state directory", said: "containers on record that have ended: 1", isMended: false),
    Case(
      name: "a mistake in a network's file",
      spoil: { try $0.writeNetwork("bad", #"{"driver": "bridge", "subnet": []}"#) },
      severity: "error", what: "networks.d/bad.json", said: "subnet", isMended: false),
    Case(
      name: "a main file that is no JSON",
      spoil: { try "{".write(toFile: $0.configFile, atomically: true, encoding: .utf8) }, severity: "error",
      what: "wirehook.json: line 1", said: "expected a key", isMended: false),
    Case(
      name: "a runtime that is not there", spoil: { try $0.writeMain(["runtime": .text("no-such-runtime")]) },
      severity: "warning", what: "runtime \"no-such-runtime\"", said: "there is no such program", isMended: false),
    Case(
      name: "a port that outgoing connections may take",
      spoil: { _ = try $0.started("high", ["wirehook.ports": "40000:80"]) }, severity: "warning", what: "ports 40000",
      said: "ip_local_port_range"),
  ]

  @Test(arguments: cases) func whatIsWrongIsNamedWithWhatMendsIt(_ given: Case) throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80"])
      let named = { try findings(host).filter { $0.severity == given.severity && $0.what.contains(given.what) } }
      #expect(try named() == [], "before")
      try given.spoil(host)
      let all = try findings(host)
      let found = try named()
      #expect(found.count == 1 && found[0].text.contains(given.said), "\(all)")
      guard let first = found.first else { return }
      #expect(!first.command.isEmpty)
      guard given.isMended else { return }
      try script(first.command, host)
      #expect(try named() == [], "after \(first.command)")
    }
  }

  /// Field case B18 (d): nothing binds a published port, so a program that starts later gets it, and never a packet.
  @Test func aProgramThatAPublishedPortShadowsIsNamed() throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80,192.168.77.1:8081:81"])
      let shadowed = { try findings(host).filter { $0.what == "port 8080/tcp" || $0.what == "port 8081/tcp" } }
      #expect(try shadowed() == [])
      let program = try host.serve(8080, on: "0.0.0.0")
      defer { program.stop() }
      let other = try host.serve(8081, on: "127.0.0.1")
      defer { other.stop() }
      let found = try shadowed()
      #expect(found.map(\.what) == ["port 8080/tcp"], "\(found)")
      #expect(found[0].severity == "warning" && found[0].text.contains("pid ") && found[0].text.contains("\"web\""))
    }
  }

  @Test func bridgeFilteringOfIPv6IsSaidToCostLoopback() throws {
    try Sandbox.with { host in
      let found = try findings(host).filter { $0.what == "net.bridge.bridge-nf-call-ip6tables" }
      #expect(found.count == 1 && found[0].text.contains("[::1]"), "\(found)")
      try script(found[0].command, host)
      #expect(try findings(host).allSatisfy { $0.what != "net.bridge.bridge-nf-call-ip6tables" })
    }
  }

  @Test func whoeverIsNotRootIsToldSo() throws {
    try Sandbox.with { host in
      let words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", try Built.path("wirehook"), "doctor"]
      let result = try host.run(words)
      #expect(result.exitCode == 1 && result.stdout.contains("error    permissions"), "\(result)")
    }
  }

  @Test(needsOVS) func openVSwitchIsAskedWhereANetworkWantsIt() throws {
    try RealSwitch.with { host, ovs in
      let said = { try findings(host).filter { $0.what == "Open vSwitch at \(ovs.database)" } }
      #expect(try said() == [])
      try ovs.writeNetwork()
      let found = try said()
      #expect(found.count == 1 && found[0].severity != "error" && found[0].text.hasPrefix("answers"), "\(found)")
      ovs.kill(.database)
      let dead = try said()
      #expect(dead.count == 1 && dead[0].severity == "error" && dead[0].command.contains("systemctl"), "\(dead)")
    }
  }

  /// What `install` writes to /etc goes to a mount of the test's own; other tests' engines are not seen.
  @Test(.enabled(if: Tool.dockerd.isThere, "needs dockerd")) func anEngineIsSaidToBeSetUpOrNot() throws {
    try Sandbox.with { host in
      let wirehook = try Built.path("wirehook")
      let steps = """
        mount --make-rprivate / && mount -t tmpfs none \(host.folder) && cd \(host.folder) && mkdir upper work &&
        mount -t overlay none -o lowerdir=/etc,upperdir=upper,workdir=work /etc || exit 1
        mkdir -p /etc/docker; rm -f /etc/docker/daemon.json
        \(wirehook) doctor | grep ' docker:'; \(wirehook) install docker >/dev/null; \(wirehook) doctor | grep ' docker:'
        sed -i 's|"/[^"]*/wirehook-runc"|"/old/wirehook-runc"|' /etc/docker/daemon.json
        \(wirehook) doctor | grep ' docker:'
        """
      let result = try host.run(["unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c", steps])
      let lines = result.stdout.split(separator: "\n")
      guard lines.count == 3 else { throw Failure("\(result)") }
      #expect(lines[0] == "warning  docker: here, and not set up for wirehook; wirehook install docker --reload")
      #expect(lines[1] == "ok       docker: set up for wirehook")
      #expect(lines[2].hasPrefix("warning  docker: set up, but not for the wirehook beside this program"))
    }
  }
}
