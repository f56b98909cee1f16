import Foundation
import Glibc
import Support
import Testing
import WireOCI

/// The built shim before a runtime that tells how it was started.
@Suite struct ShimTests {
  // MARK: What the runtime gets

  @Test func theRuntimeGetsWordsEnvironmentAndFolderAsTheyAre() throws {
    let bench = try ShimBench()
    let result = try bench.run("--root", "/r", "state", "a b", "", "é", at: "/usr")
    #expect(result.stdout == "words: <--root> </r> <state> <a b> <> <é>\ncwd: /usr\nmark: marked\n", "\(result)")
    #expect(result.stderr == "" && result.exitCode == 0)
  }

  @Test func theRuntimeSeesTheNameThatTheShimWasStartedUnder() throws {
    guard let busybox = Tool.path("busybox") else { return }
    let bench = try ShimBench()
    try bench.main("\"runtime\": \"\(busybox)\"")
    let start = "exec -a echo \(bench.shim) --wirehook-config \(bench.configuration) state web"
    #expect(try Command.require(["bash", "-c", start]) == "state web\n")
  }

  @Test func descriptorsStayOpenAndNoneIsAdded() throws {
    let bench = try ShimBench(end: "ls /proc/self/fd | tr '\\n' ' '; cat <&7")
    try bench.bundle(ShimBench.config("\"wirehook.ports\": \"80\""))
    for command in ["state", "create"] {
      let start =
        "exec 7<<<seven; exec \(bench.shim) --wirehook-config \(bench.configuration) \(command) -b \(bench.folder)/bundle web"
      let plain = try Command.require(["bash", "-c", "exec 7<<<seven; exec \(bench.folder)/runtime"])
      let output = try Command.require(["bash", "-c", start])
      #expect(output.split(separator: "\n").suffix(1) == plain.split(separator: "\n").suffix(1), "\(command)")
      #expect(output.hasSuffix("seven\n"))
    }
  }

  @Test(arguments: [0, 1, 42, 127, 255]) func theExitCodeIsTheRuntimes(_ code: Int32) throws {
    let bench = try ShimBench(end: "exit \(code)")
    #expect(try bench.run("state", "web").exitCode == code)
    #expect(try bench.run("create", "web").exitCode == code)
  }

  @Test(arguments: [SIGTERM, SIGKILL, SIGHUP]) func aSignalIsTheRuntimes(_ signal: Int32) throws {
    let bench = try ShimBench(end: "kill -\(signal) $$; sleep 5")
    #expect(try bench.run("state", "web").signal == signal)
  }

  @Test func aNameIsLookedUpInPathOrWhereRuntimesUseToBe() throws {
    let bench = try ShimBench()
    try bench.main("\"runtime\": \"echo\"")
    for environment in [["PATH": "/nowhere:/usr/bin:/bin"], ["PATH": ""], [:]] {
      #expect(try bench.run("state", "web", environment: environment).stdout == "state web\n", "\(environment)")
    }
  }

  // MARK: What becomes of the bundle

  private static let hooks = "\"createRuntime\"", after = "wirehook-oci"

  @Test(arguments: ["create", "run", "restore"])
  func theHooksAreInsertedOnceAndNoOtherByteChanges(_ command: String) throws {
    let bench = try ShimBench()
    let before = ShimBench.config(
      "\"wirehook.ports\": \"8080:80\"", more: "\"hooks\": {\"poststop\": [{\"path\": \"/x\"}]},")
    try bench.bundle(before)
    chmod(bench.specification, 0o640)
    #expect(try bench.run("--log", "\(bench.folder)/L", command, "--bundle", "\(bench.folder)/bundle", "web").succeeded)
    let once = try #require(bench.text("bundle/config.json"))
    let hook = bench.shim.replacing("wirehook-runc", with: "wirehook-oci")
    let real = try FileManager.default.destinationOfLinks(hook)
    let own = HookInjection.own(hook: real, configuration: bench.configuration)
    #expect(try own.removed(from: Array(once.utf8)) == Array(before.utf8))
    let hooks = try JSON(parsing: once)["hooks"]
    #expect(hooks["createRuntime"][0]["path"].string == real)
    #expect(hooks["createRuntime"][0]["timeout"].int == 30)
    #expect(
      hooks["createRuntime"][0]["args"].array.map(\.string) == [
        "wirehook-oci", "--config", bench.configuration, "createRuntime",
      ])
    #expect(hooks["poststop"].array.count == 2)
    #expect(try bench.run(command, "--bundle=\(bench.folder)/bundle", "web").succeeded)
    #expect(bench.text("bundle/config.json") == once, "a second time")
    var status = stat()
    #expect(stat(bench.specification, &status) == 0 && status.st_mode & 0o7777 == 0o640)
    #expect(bench.text("L") == nil && bench.text("log") == nil)
  }

  @Test(arguments: ["start", "delete", "kill", "exec", "state", "update", "--version"])
  func otherCommandsLeaveTheBundleAlone(_ command: String) throws {
    let bench = try ShimBench()
    try bench.bundle(ShimBench.config("\"wirehook.ports\": \"80\""))
    #expect(
      try bench.run(command, "create", "--bundle", "\(bench.folder)/bundle", at: "\(bench.folder)/bundle").succeeded)
    #expect(bench.text("bundle/config.json") == ShimBench.config("\"wirehook.ports\": \"80\""))
  }

  /// A container that says something, one that may have labels, and those that are not ours.
  @Test(arguments: [
    ("", "true", true), ("", "false", false), ("\"wirehook.network\": \"front\"", "false", true),
    ("\"wirehook.network\": \"none\"", "true", false), ("\"other\": \"x\"", "false", false),
  ])
  func whoIsToBeWiredGetsTheHooks(_ annotations: String, _ auto: String, _ injected: Bool) throws {
    let bench = try ShimBench()
    try bench.main("\"runtime\": \"\(bench.folder)/runtime\", \"auto\": \(auto)")
    try bench.bundle(ShimBench.config(annotations))
    #expect(try bench.run("create", "web", at: "\(bench.folder)/bundle").succeeded)
    #expect(try #require(bench.text("bundle/config.json")).contains("wirehook-oci") == injected)
  }

  @Test func aBundleOfDockersGetsTheHooksForItMayHaveLabels() throws {
    let bench = try ShimBench()
    try bench.main("\"runtime\": \"\(bench.folder)/runtime\", \"auto\": false")
    let mount = "\"mounts\": [{\"destination\": \"/etc/hosts\", \"source\": \"/d/containers/4f/hosts\"}],"
    try bench.bundle(ShimBench.config(more: mount))
    #expect(try bench.run("create", "web", at: "\(bench.folder)/bundle").succeeded)
    #expect(try #require(bench.text("bundle/config.json")).contains("wirehook-oci"))
  }

  @Test func aLinkToConfigStaysALinkAndItsTargetIsChanged() throws {
    let bench = try ShimBench()
    let target = "\(bench.folder)/shared.json"
    try ShimBench.config("\"wirehook.ports\": \"80\"").write(toFile: target, atomically: true, encoding: .utf8)
    chmod(target, 0o600)
    try FileManager.default.createSymbolicLink(atPath: bench.specification, withDestinationPath: "../shared.json")
    #expect(try bench.run("create", "-b", "\(bench.folder)/bundle", "web").succeeded)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: bench.specification) == "../shared.json")
    #expect(try #require(bench.text("shared.json")).contains("wirehook-oci"))
    var status = stat()
    #expect(stat(target, &status) == 0 && status.st_mode & 0o7777 == 0o600)
  }

  @Test func tenMegabytesAreNoTrouble() throws {
    let bench = try ShimBench()
    let long = (0..<130_000).map { "\"k\($0)\": \"\(String(repeating: "x", count: 70))\"" }.joined(separator: ",")
    let before = ShimBench.config("\"wirehook.ports\": \"80\"", more: "\"process\": {\(long)},")
    #expect(before.utf8.count > 10_000_000)
    try bench.bundle(before)
    let result = try bench.run("create", "-b", "\(bench.folder)/bundle", "web")
    #expect(result.succeeded)
    let after = try #require(bench.text("bundle/config.json"))
    #expect(after.utf8.count > before.utf8.count && after.hasSuffix(before.suffix(1000)))
  }

  @Test(arguments: [
    nil, "", "{", "[]", "{\"annotations\": 1}", "\u{0}", "{\"a\": \"\\ud800\"}", String(repeating: "[", count: 100_000),
    "{\"linux\": {\"namespaces\": [{\"type\": \"network\"}, {\"type\": \"network\"}]}}",
  ])
  func aBundleThatWeCannotReadIsTheRuntimesAffair(_ text: String?) throws {
    let bench = try ShimBench()
    if let text { try bench.bundle(text) }
    let result = try bench.run("create", "-b", "\(bench.folder)/bundle", "web")
    #expect(result.succeeded && result.stdout.hasPrefix("words: <create>"), "\(result)")
    #expect(bench.text("bundle/config.json") == text)
  }

  @Test func aBundleWhichAsksAndCannotBeReadIsRefused() throws {
    let bench = try ShimBench()
    try bench.bundle("{\"annotations\": {\"wirehook.ports\": 80}}")
    let result = try bench.run("create", "-b", "\(bench.folder)/bundle", "web")
    #expect(result.exitCode == 1 && result.stdout == "", "\(result)")
    #expect(result.stderr.contains("wirehook.ports") && result.stderr.contains("expected a string"))
  }

  @Test(.enabled(if: Tool.root.isThere, "needs root"))
  func aBundleThatCannotBeWrittenStopsOnlyWhoAsks() throws {
    for (annotations, refused) in [("", false), ("\"wirehook.ports\": \"80\"", true)] {
      let bench = try ShimBench()
      try bench.bundle(ShimBench.config(annotations))
      let mount =
        "mount --make-rprivate / && mount --bind -o ro \(bench.folder)/bundle \(bench.folder)/bundle && exec \"$@\""
      let words = [
        bench.shim, "--wirehook-config", bench.configuration, "create", "-b", "\(bench.folder)/bundle", "web",
      ]
      let result = try Command(["unshare", "-m", "sh", "-c", mount, "sh"] + words).run()
      #expect(result.exitCode == (refused ? 1 : 0), "\(result)")
      #expect(result.stderr.contains("Read-only file system") == refused)
      #expect(try refused || #require(bench.text("log")).contains("Read-only file system"))
      #expect(bench.text("bundle/config.json") == ShimBench.config(annotations))
    }
  }
}

extension FileManager {
  /// The file itself, behind all links.
  fileprivate func destinationOfLinks(_ path: String) throws -> String {
    guard let found = realpath(path, nil) else { throw Failure("realpath \(path)") }
    defer { free(found) }
    return String(cString: found)
  }
}
