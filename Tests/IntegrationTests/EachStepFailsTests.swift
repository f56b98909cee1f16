import Support
import Testing
import WireCore
import WireEngine
import WireLinux
import WireOCI

/// The n-th step of a plan fails, for every n: nothing of the attach is left, and the next one succeeds.
///
/// In this process, so that the step can be named; the thread is in the pretend host meanwhile. The built hook has its
/// system calls failed in FaultTests.
@Suite(needsRoot) struct EachStepFailsTests {
  @Test func aFailureAtAnyStepLeavesNothing() throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "back", #"{"driver": "bridge", "bridge": "wh-back", "subnets": [{"subnet": "10.215.0.0/24"}]}"#)
      let web = try host.container("web")
      let annotations = [
        "wirehook.network": "front,back:san0", "wirehook.ports": "8080:80,5353:53/udp,127.0.0.1:9000:90",
        "wirehook.allow": "192.168.0.0/16", "wirehook.snat": "192.168.77.1", "wirehook.routes": "100.1.2.0/24 dev eth0",
        "wirehook.bandwidth": "ingress=100mbit,egress=20mbit", "wirehook.sysctl": "net.ipv4.conf.eth0.arp_ignore=1",
      ]
      // Networks and table stand from here on: they are shared, and no failed attach takes them away.
      try host.attach(web, annotations)
      try host.stop(web)
      let again = try host.container("again")
      let before = try host.snapshot()
      var failures = 0
      while failures < 200 {
        guard try host.attachFails(atStep: failures, again, annotations) else { break }
        try expectUnchanged(host, since: before)
        #expect(try again.links() == ["lo"], "step \(failures)")
        failures += 1
      }
      // Two pairs, flags, limits, ports, settings, addresses, routes and rules: some forty.
      #expect(failures > 25)
    }
  }
}

extension Sandbox {
  /// Attaches in this process, with the n-th step failing; whether it did fail, as the plan may have fewer.
  func attachFails(atStep step: Int, _ container: Container, _ annotations: [String: String]) throws -> Bool {
    let home = try NetworkNamespace.current()
    let pretended = try NetworkNamespace.open(path: netns)
    let configuration = try Configuration.load(option: configFile, environment: nil)
    let state = ContainerState(
      id: container.id, pid: container.pid, status: .creating, bundle: container.bundle,
      annotations: annotations.map { (key: $0.key, value: $0.value) })
    do {
      try pretended.run(backTo: home, mapping: { WireError("switching", $0.description) }) { () throws(WireError) in
        try Attach.run(
          state, configuration, log: Log(.file(path: logFile)), deadline: .after(milliseconds: 20_000), failAt: step)
      }
      return false
    } catch {
      #expect(error.description.contains("failed"))
      return true
    }
  }
}
