import Foundation
import Glibc
import Support
import Testing

/// What is wrong in our part: who is told, and whom it stops.
@Suite struct ShimErrorTests {
  /// As containerd reads it: the last line of level "error".
  private func logged(_ bench: ShimBench) throws -> JSON {
    let text = try #require(bench.text("L"))
    #expect(text.hasSuffix("}\n") && text.split(separator: "\n").count == 1)
    return try JSON(parsing: text)
  }

  @Test(arguments: [
    ("nosuch", "none in PATH"), ("/nosuch/runc", "No such file"), ("/etc/passwd", "Permission denied"),
    ("/usr", "Permission denied"),
  ])
  func aRuntimeThatIsNotThereIsNamedInTheFormThatTheEngineShows(_ runtime: String, _ why: String) throws {
    for command in ["create", "delete"] {
      let bench = try ShimBench()
      try bench.main("\"runtime\": \"\(runtime)\"")
      let result = try bench.run("--log", "\(bench.folder)/L", "--log-format", "json", command, "web")
      #expect(result.exitCode == 1 && result.stdout == "")
      let line = try logged(bench)
      #expect(line["level"].string == "error")
      #expect(line["time"].string?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
      let message = try #require(line["msg"].string)
      #expect(result.stderr == message + "\n")
      #expect(
        message.hasPrefix("wirehook: starting the runtime \"\(runtime)\" failed: ") && message.contains(why),
        "\(message)")
      #expect(message.hasSuffix("in \(bench.configuration)"))
    }
  }

  @Test(arguments: [
    (["--log", "L"], true), (["--log=file:FOLDER/L"], true), (["--log", "journald:x"], false),
    (["--log", "/dev/stderr"], false),
  ])
  func aTextLogGetsATextLine(_ options: [String], _ isWritten: Bool) throws {
    let bench = try ShimBench()
    try bench.main("\"runtime\": \"nosuch\"")
    let words = options.map { $0.replacing("FOLDER", with: bench.folder) } + ["create", "web"]
    var command = Command(
      ["sh", "-c", "cd \(bench.folder) && exec \"$@\"", "sh", bench.shim, "--config", "wirehook.json"] + words)
    command.environment = ["PATH": "/usr/bin:/bin"]
    let result = try command.run()
    #expect(result.exitCode == 1 && result.stderr.split(separator: "\n").count == 1, "\(result)")
    #expect((bench.text("L") != nil) == isWritten)
    if isWritten { #expect(try #require(bench.text("L")).contains("level=error msg=\"wirehook: ")) }
  }

  @Test(arguments: ["{", "{\"runtime\": \"RUNTIME\", \"autoo\": true}", "{\"runtime\": \"RUNTIME\", \"auto\": 1}"])
  func aMainFileWithAMistakeStopsOnlyWhoAsks(_ text: String) throws {
    let bench = try ShimBench()
    let main = text.replacing("RUNTIME", with: "\(bench.folder)/runtime")
    try main.write(toFile: bench.configuration, atomically: true, encoding: .utf8)
    // With the file unreadable, `runc` it is.
    try bench.script("runc", "echo words: runc")
    let environment = ["PATH": "\(bench.folder):/usr/bin:/bin"]
    try bench.bundle(ShimBench.config())
    let plain = try bench.run("create", "web", environment: environment, at: "\(bench.folder)/bundle")
    #expect(plain.succeeded && plain.stdout.hasPrefix("words: "), "\(plain)")
    #expect(bench.text("bundle/config.json") == ShimBench.config())
    try bench.bundle(ShimBench.config("\"wirehook.ports\": \"80\""))
    let asking = try bench.run(
      "--log", "\(bench.folder)/L", "--log-format=json", "create", "web", environment: environment,
      at: "\(bench.folder)/bundle")
    #expect(asking.exitCode == 1 && asking.stdout == "", "\(asking)")
    #expect(try logged(bench)["msg"].string?.contains(bench.configuration) == true)
    #expect(try bench.run("delete", "web", environment: environment).succeeded)
  }

  @Test func aMainFileThatIsNamedAndMissingIsToldToWhoAsks() throws {
    let bench = try ShimBench()
    try FileManager.default.removeItem(atPath: bench.configuration)
    try bench.script("runc", "echo words: runc")
    let environment = ["PATH": "\(bench.folder):/usr/bin:/bin"]
    try bench.bundle(ShimBench.config("\"wirehook.ports\": \"80\""))
    #expect(try bench.run("state", "web", environment: environment).stdout == "words: runc\n")
    let asking = try bench.run("create", "web", environment: environment, at: "\(bench.folder)/bundle")
    #expect(asking.exitCode == 1 && asking.stderr.contains(bench.configuration), "\(asking)")
  }

  @Test func aShimWithoutItsHookStopsOnlyWhoAsks() throws {
    let bench = try ShimBench()
    try Command.require([
      "sh", "-c", "mkdir \(bench.folder)/alone && cp \(bench.shim) \(bench.folder)/alone/wirehook-runc",
    ])
    bench.shim = "\(bench.folder)/alone/wirehook-runc"
    try bench.bundle(ShimBench.config())
    #expect(try bench.run("create", "web", at: "\(bench.folder)/bundle").succeeded)
    #expect(try #require(bench.text("log")).contains("no wirehook-oci beside"))
    try bench.bundle(ShimBench.config("\"wirehook.ports\": \"80\""))
    let asking = try bench.run("create", "web", at: "\(bench.folder)/bundle")
    #expect(asking.exitCode == 1 && asking.stderr.contains("no wirehook-oci beside"), "\(asking)")
  }

  /// A link, a hard link and a copy under the runtime's name: starting it would never end.
  @Test(arguments: ["ln -s", "ln", "cp"]) func theShimNeverStartsItself(_ make: String) throws {
    let bench = try ShimBench()
    let name = "\(bench.folder)/first/runc"
    // A hard link needs the same file system: a copy stands for the shim.
    try Command.require([
      "sh", "-c",
      "cd \(bench.folder) && mkdir first second && cp \(bench.shim) shim && \(make) $PWD/shim first/runc && mv runtime second/runc",
    ])
    bench.shim = "\(bench.folder)/shim"
    try bench.main("\"runtime\": \"runc\"")
    let path = "\(bench.folder)/first:/usr/bin:/bin"
    let alone = try bench.run("state", "web", environment: ["PATH": "\(bench.folder)/first"])
    #expect(alone.exitCode == 1 && alone.stderr.contains("wirehook-runc itself"), "\(alone)")
    let both = try bench.run(
      "state", "web", environment: ["PATH": "\(bench.folder)/first:\(bench.folder)/second:\(path)"])
    #expect(both.stdout.hasPrefix("words: <state>"), "\(both)")
    try bench.main("\"runtime\": \"\(name)\"")
    #expect(try bench.run("state", "web").stderr.contains("it is wirehook-runc itself"))
  }

  @Test func oddCommandLinesEndWithTheRuntime() throws {
    let bench = try ShimBench(end: "exit 3")
    let parts = [
      "create", "--bundle", "-b", "--config", "--log", "--log=", "--", "-", "", "--log-format", "json", "run", "\u{1}",
    ]
    var state: UInt64 = 11
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    for _ in 0..<100 {
      let words = (0..<random(7)).map { _ in parts[random(parts.count)] }.filter { $0 != "--config" }
      var command = Command([bench.shim] + words)
      command.environment = ["WIREHOOK_CONFIG": bench.configuration, "PATH": "/usr/bin:/bin"]
      let result = try command.run()
      #expect(result.exitCode == 3, "\(words): \(result)")
    }
  }
}
