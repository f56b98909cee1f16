import Support
import Testing

/// Runtimes that are here; a required one that is missing fails.
let runtimes = Runtime.allCases.filter(\.isThere)

/// A real runtime starts the hook: from `run` to `delete`.
@Suite(.enabled(if: !runtimes.isEmpty, "needs root, busybox, and runc or crun"), .serialized)
struct RuntimeTests {
  /// Each runtime, the stage that the hook stands at, and bridge-nf-call-*.
  struct Case: CustomTestStringConvertible, Sendable {
    let runtime: Runtime
    let stage: Stage
    let bridgeFilter: Bool
    var testDescription: String { "\(runtime.rawValue), \(stage.rawValue), bridge-nf-call \(bridgeFilter ? 1 : 0)" }
  }
  static let cases = runtimes.flatMap { runtime in
    [
      Case(runtime: runtime, stage: .createRuntime, bridgeFilter: true),
      Case(runtime: runtime, stage: .createRuntime, bridgeFilter: false),
      Case(runtime: runtime, stage: .prestart, bridgeFilter: true),
    ]
  }

  private func with(_ setup: Case, _ body: (Sandbox, RealContainer) throws -> Void) throws {
    try Sandbox.with(.init(bridgeFilter: setup.bridgeFilter)) { host in
      let web = try host.realContainer(
        "web", setup.runtime, annotations: ["wirehook.ports": "8080:80", "wirehook.ip": "10.210.4.9,fd42:210:4::9"],
        at: setup.stage)
      try web.start()
      try web.serve(80)
      try body(host, web)
    }
  }

  /// The tests' own way to start a runtime, proved without any hook.
  @Test(arguments: runtimes) func withoutHooksARuntimeStartsAndLeavesNothing(runtime: Runtime) throws {
    try Sandbox.with { host in
      let before = try host.snapshot()
      let plain = try host.realContainer("plain", runtime, hooks: [:])
      try plain.start()
      #expect(try plain.links() == ["lo"])
      let result = try plain.delete()
      #expect(result.exitCode == 0, "\(result)")
      let differences = try host.differences(from: before)
      #expect(differences == [])
    }
  }

  @Test(arguments: cases) func theContainerHasAddressesRoutesAndTheWayOut(setup: Case) throws {
    try with(setup) { host, web in
      let server = try host.outside.serve(7)
      defer { server.stop() }
      #expect(try web.addresses("eth0") == ["10.210.4.9/24", "fd42:210:4::9/64"])
      #expect(try web.addresses("lo") == ["127.0.0.1/8", "::1/128"])
      #expect(try web.ip("-4 route show default").contains("via 10.210.4.1"))
      #expect(try web.ip("-6 route show default").contains("via fd42:210:4::1"))
      #expect(try web.ask("192.168.77.2", 7).client == "192.168.77.1")
      #expect(try web.ask("fd77::2", 7).client == "fd77::1")
    }
  }

  @Test(arguments: cases) func itsPublishedPortIsReachedFromEverywhereAndNoOther(setup: Case) throws {
    try with(setup) { host, web in
      try web.serve(81)
      let other = try host.realContainer("other", setup.runtime, at: setup.stage)
      try other.start()
      #expect(try host.outside.ask("192.168.77.1", 8080) == .reply(from: "web", seenAs: "192.168.77.2"))
      #expect(try host.outside.ask("fd77::1", 8080) == .reply(from: "web", seenAs: "fd77::2"))
      for address in ["192.168.77.1", "fd77::1", "127.0.0.1"] + (setup.bridgeFilter ? [] : ["::1"]) {
        #expect(try host.ask(address, 8080).server == "web", "the host asks \(address)")
      }
      for address in ["192.168.77.1", "fd77::1"] {
        #expect(try web.ask(address, 8080).server == "web", "itself asks \(address)")
        #expect(try other.ask(address, 8080).server == "web", "another container asks \(address)")
      }
      try host.outside.ip("route add 10.210.4.0/24 via 192.168.77.1")
      try host.outside.ip("-6 route add fd42:210:4::/64 via fd77::1")
      for address in ["10.210.4.9", "fd42:210:4::9"] {
        #expect(try host.outside.ask(address, 81, within: .milliseconds(300)).server == nil, "\(address)")
        #expect(try host.outside.ask(address, 80, within: .milliseconds(300)).server == nil, "\(address)")
      }
    }
  }

  @Test(arguments: cases) func aDeleteLeavesNothing(setup: Case) throws {
    try Sandbox.with(.init(bridgeFilter: setup.bridgeFilter)) { host in
      let first = try host.realContainer("first", setup.runtime, at: setup.stage)
      try first.start()
      try first.delete()
      let before = try host.snapshot()
      let web = try host.realContainer(
        "web", setup.runtime, annotations: ["wirehook.ports": "8080:80"], at: setup.stage)
      try web.start()
      #expect(try host.snapshot() != before)
      let result = try web.delete()
      #expect(result.exitCode == 0, "\(result)")
      let differences = try host.differences(from: before)
      #expect(differences == [])
    }
  }

  @Test(arguments: runtimes) func withoutItsProgramTheStartFailsAndThePortIsFreeAgain(runtime: Runtime) throws {
    try Sandbox.with { host in
      let annotations = ["wirehook.ports": "8080:80", "wirehook.ip": "10.210.4.9"]
      let broken = try host.realContainer("broken", runtime, annotations: annotations, program: ["/no/such/program"])
      let failed = try broken.tryRun()
      #expect(failed.exitCode != 0)
      let web = try host.realContainer("web", runtime, annotations: annotations)
      try web.start()
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.list().count == 1)
    }
  }

  @Test(arguments: runtimes) func aLaterHookThatFailsHoldsNothingBack(runtime: Runtime) throws {
    try Sandbox.with { host in
      let annotations = ["wirehook.ports": "8080:80", "wirehook.ip": "10.210.4.9"]
      let fails = ["createContainer": [HookEntry("/bin/false")]]
      let broken = try host.realContainer("broken", runtime, annotations: annotations, more: fails)
      let failed = try broken.tryRun()
      #expect(failed.exitCode != 0)
      let web = try host.realContainer("web", runtime, annotations: annotations)
      try web.start()
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      let dry = try host.wirehook("gc", "--dry-run", "--json")
      #expect(dry.exitCode == 0, "\(dry)")
      #expect(!dry.stdout.contains("broken"))
    }
  }

  /// runc removes the container and calls poststop; crun lets it run.
  @Test(arguments: runtimes) func aPoststartHookThatFailsHoldsNothingBack(runtime: Runtime) throws {
    try Sandbox.with { host in
      let annotations = ["wirehook.ports": "8080:80", "wirehook.ip": "10.210.4.9"]
      let fails = ["poststart": [HookEntry("/bin/false")]]
      let broken = try host.realContainer("broken", runtime, annotations: annotations, more: fails)
      if try broken.tryRun().succeeded { try broken.delete() }
      let web = try host.realContainer("web", runtime, annotations: annotations)
      try web.start()
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      let dry = try host.wirehook("gc", "--dry-run", "--json")
      #expect(dry.exitCode == 0 && !dry.stdout.contains("broken"), "\(dry)")
    }
  }

  @Test(arguments: runtimes) func aRefusedPortStopsTheStartAndTheReasonCanBeRead(runtime: Runtime) throws {
    try Sandbox.with { host in
      let first = try host.realContainer("first", runtime, annotations: ["wirehook.ports": "8080:80"])
      try first.start()
      let before = try host.snapshot()
      var annotations = ["wirehook.ports": "8080:81"]
      let errors = "\(host.folder)/hook-errors"
      if runtime == .crun { annotations["run.oci.hooks.stderr"] = errors }
      let second = try host.realContainer("second", runtime, annotations: annotations)
      let result = try second.tryRun()
      #expect(result.exitCode != 0)
      let said = runtime == .crun ? try Command.require(["cat", errors]) : result.stdout
      #expect(said.contains("wirehook: ") && said.contains("8080") && said.contains("first"), "\(said)")
      try second.delete()
      let differences = try host.differences(from: before)
      #expect(differences == [])
    }
  }

  /// crun writes them before it starts the hook, when there is no eth0 yet: there only `wirehook.sysctl` can.
  @Test(.enabled(if: Runtime.runc.isThere, "needs runc")) func runcsOwnSysctlsOfEth0Work() throws {
    try Sandbox.with { host in
      let web = try host.realContainer("web", .runc, sysctl: ["net.ipv4.conf.eth0.arp_notify": "1"])
      try web.start()
      #expect(try web.sysctl("net/ipv4/conf/eth0/arp_notify") == "1")
    }
  }

  @Test(arguments: runtimes) func injectedHooksWireAPlainBundle(runtime: Runtime) throws {
    try Sandbox.with { host in
      let web = try host.realContainer("web", runtime, annotations: ["wirehook.ports": "8080:80"], hooks: [:])
      for _ in 0..<2 {
        let injected = try host.wirehook("inject", web.bundle)
        #expect(injected.exitCode == 0, "\(injected)")
      }
      try web.start()
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      try web.delete()
      #expect(try host.list().isEmpty)
    }
  }

  @Test(arguments: runtimes) func aBundleThatIsGoneAtDeleteLeavesNothingThatGCDoesNotTakeBack(runtime: Runtime) throws {
    try Sandbox.with { host in
      let first = try host.realContainer("first", runtime)
      try first.start()
      try first.delete()
      let before = try host.snapshot()
      let web = try host.realContainer("web", runtime, annotations: ["wirehook.ports": "8080:80"])
      try web.start()
      try Command.require(["mv", "\(web.bundle)/config.json", "\(web.bundle)/gone"])
      try web.delete()
      let collected = try host.wirehook("gc")
      #expect(collected.exitCode == 0, "\(collected)")
      let differences = try host.differences(from: before)
      #expect(differences == [])
    }
  }

  /// The runtime is killed after a random time: nobody calls poststop, nobody deletes.
  @Test(arguments: runtimes) func aRuntimeKilledInTheMiddleHoldsNothingBack(runtime: Runtime) throws {
    try Sandbox.with { host in
      let annotations = ["wirehook.ports": "8080:80", "wirehook.ip": "10.210.4.9"]
      for round in 0..<12 {
        let broken = try host.realContainer("broken\(round)", runtime, annotations: annotations)
        _ = try broken.tryRun(killAfter: .milliseconds(3 + 4 * round))
        try broken.delete()
      }
      // A hook outlives the runtime that was killed, and finishes what it has begun.
      #expect(
        try eventually {
          let hooks = try Command(["pgrep", "-f", "wirehook-oci.*\(host.folder)/"]).run()
          return try !hooks.succeeded && host.wirehook("gc").succeeded && host.list().isEmpty
        })
      let web = try host.realContainer("web", runtime, annotations: annotations)
      try web.start()
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.list().count == 1)
      #expect(try host.json("link show master wh-front").array.count == 1)
    }
  }

  @Test(arguments: runtimes) func aContainerInAUserNamespaceIsWired(runtime: Runtime) throws {
    try Sandbox.with { host in
      let web = try host.realContainer(
        "web", runtime,
        annotations: ["wirehook.ports": "8080:80", "wirehook.sysctl": "net.ipv4.conf.eth0.arp_notify=1"],
        userNamespace: true)
      try web.start()
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try web.addresses("eth0").count == 2)
      #expect(try web.sysctl("net/ipv4/conf/eth0/arp_notify") == "1")
    }
  }
}
