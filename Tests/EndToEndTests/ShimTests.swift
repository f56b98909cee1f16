import Support
import Testing

/// A real runtime behind the shim, as an engine would start it.
@Suite(.enabled(if: !runtimes.isEmpty, "needs root, busybox, and runc or crun"), .serialized)
struct ShimTests {
  /// A pretend host whose main file names the runtime, and what starts the shim in it.
  private func with(_ runtime: Runtime, _ main: [String: JSON] = [:], _ body: (Sandbox, [String]) throws -> Void) throws
  {
    try Sandbox.with { host in
      try host.writeMain(["runtime": .text(runtime.rawValue)].merging(main) { $1 })
      try body(host, [Built.path("wirehook-runc"), "--wirehook-config", host.configFile])
    }
  }

  @Test(arguments: runtimes) func aPlainBundleIsWiredAndADeleteLeavesNothing(runtime: Runtime) throws {
    try with(runtime) { host, shim in
      let first = try host.realContainer("first", runtime, hooks: [:], startedBy: shim)
      try first.start()
      try first.delete()
      let before = try host.snapshot()
      let web = try host.realContainer(
        "web", runtime, annotations: ["wirehook.ports": "8080:80"], hooks: [:], startedBy: shim)
      try web.start()
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try web.runtime("state", "web").stdout.contains("\"running\""))
      let result = try web.delete()
      #expect(result.exitCode == 0, "\(result)")
      let differences = try host.differences(from: before)
      #expect(differences == [])
    }
  }

  @Test(arguments: runtimes) func createStartKillAndDeleteAreTheRuntimesOwn(runtime: Runtime) throws {
    try with(runtime) { host, shim in
      let web = try host.realContainer("web", runtime, hooks: [:], startedBy: shim)
      let created = try web.runtime("create", "--bundle", web.bundle, "--pid-file", "\(web.bundle)/pid", "web")
      #expect(created.exitCode == 0, "\(created)")
      #expect(try host.list().count == 1)
      #expect(try web.runtime("start", "web").exitCode == 0)
      #expect(try web.runtime("kill", "web", "KILL").exitCode == 0)
      #expect(try eventually { try web.runtime("state", "web").stdout.contains("\"stopped\"") })
      #expect(try web.runtime("delete", "web").exitCode == 0)
      #expect(try host.list().isEmpty)
    }
  }

  @Test(arguments: runtimes) func withoutAutoOnlyWhoAsksIsWired(runtime: Runtime) throws {
    try with(runtime, ["auto": .bool(false)]) { host, shim in
      let plain = try host.realContainer("plain", runtime, hooks: [:], startedBy: shim)
      try plain.start()
      #expect(try plain.links() == ["lo"])
      let web = try host.realContainer(
        "web", runtime, annotations: ["wirehook.network": "front"], hooks: [:], startedBy: shim)
      try web.start()
      #expect(try web.links() == ["eth0", "lo"])
    }
  }

  @Test(arguments: runtimes) func anExitCodeOfTheContainerPassesThrough(runtime: Runtime) throws {
    try with(runtime) { host, shim in
      let short = try host.realContainer(
        "short", runtime, program: ["sh", "-c", "exit 42"], hooks: [:], startedBy: shim)
      let result = try short.runtime("run", "--bundle", short.bundle, "short")
      #expect(result.exitCode == 42, "\(result)")
      #expect(try host.list().isEmpty)
    }
  }

  @Test(.enabled(if: Runtime.runc.isThere, "needs runc")) func aRefusalIsInTheRuntimesLog() throws {
    try with(.runc) { host, shim in
      let web = try host.realContainer(
        "web", .runc, annotations: ["wirehook.network": "nowhere"], hooks: [:], startedBy: shim)
      let log = "\(host.folder)/L"
      let result = try web.runtime("--log", log, "--log-format", "json", "create", "--bundle", web.bundle, "web")
      #expect(result.exitCode == 1)
      let said = try Command.require(["cat", log])
      #expect(said.contains("wirehook: ") && said.contains("nowhere"), "\(said)")
    }
  }
}
