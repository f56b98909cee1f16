import Foundation
import Support
import Testing

/// The shim killed at, or failed by, any of its system calls: the bundle's config.json is the old one or the new one, whole,
/// and the next start makes it right.
@Suite(.enabled(if: Tool.strace.isThere, "needs strace")) struct CrashShimTests {
  private let words = ["--root", "/nowhere", "create", "--bundle", "BUNDLE", "id"]

  private func run(_ bench: ShimBench, under wrapper: [String]) throws -> Command.Result {
    let own = [bench.shim, "--wirehook-config", bench.configuration]
    var command = Command(wrapper + own + words.map { $0 == "BUNDLE" ? "\(bench.folder)/bundle" : $0 })
    command.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    return try command.run()
  }

  /// The shim's calls up to the execve(2) of the runtime, and the config.json that it makes.
  private func whole(_ bench: ShimBench, _ original: String) throws -> (calls: [SystemCall], result: String) {
    let file = "\(bench.folder)/calls"
    try bench.bundle(original)
    let result = try run(bench, under: SystemCall.recording(to: file))
    guard result.succeeded else { throw Failure("\(result)") }
    let made = try String(contentsOfFile: bench.specification, encoding: .utf8)
    #expect(made.contains("createRuntime") && made != original)
    // The rest belongs to the loader.
    return (try SystemCall.recorded(in: file, from: "openat(AT_FDCWD, \"\(bench.configuration)\""), made)
  }

  private func expectWhole(_ bench: ShimBench, _ original: String, _ made: String, after what: String) throws {
    let now = try String(contentsOfFile: bench.specification, encoding: .utf8)
    #expect(now == original || now == made, "after \(what): \(now)")
    let again = try run(bench, under: [])
    #expect(again.succeeded, "after \(what): \(again)")
    #expect(try String(contentsOfFile: bench.specification, encoding: .utf8) == made, "after \(what)")
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(bench.folder)/bundle")
    #expect(files.count <= 2, "after \(what): \(files)")
  }

  @Test(arguments: ["SIGKILL", "SIGTERM", "SIGHUP"]) func killedAtAnyCallItLeavesAWholeConfiguration(signal: String)
    throws
  {
    let bench = try ShimBench()
    let original = ShimBench.config(#""wirehook.ports": "8080:80""#)
    let (calls, made) = try whole(bench, original)
    for call in Effort.sample(calls, every: 4) {
      try bench.bundle(original)
      _ = try run(bench, under: call.killing(with: signal))
      try expectWhole(bench, original, made, after: "\(signal) at \(call)")
      try? FileManager.default.removeItem(atPath: "\(bench.folder)/bundle")
      try FileManager.default.createDirectory(atPath: "\(bench.folder)/bundle", withIntermediateDirectories: true)
    }
  }

  /// Where hooks cannot be written the container must not start without its network: the runtime is not reached.
  @Test(arguments: ["ENOSPC", "EIO", "ENOMEM", "EMFILE", "EINTR"])
  func aFailingCallLeavesAWholeConfigurationAndNoContainerWithoutHooks(error: String) throws {
    let bench = try ShimBench()
    let original = ShimBench.config(#""wirehook.ports": "8080:80""#)
    let (calls, made) = try whole(bench, original)
    for call in Effort.sample(calls, every: 4) where call.name != "execve" {
      try bench.bundle(original)
      let result = try run(bench, under: call.failing(with: error))
      let reached = result.stdout.contains("words:")
      let now = try String(contentsOfFile: bench.specification, encoding: .utf8)
      #expect(!reached || now == made, "\(error) at \(call): the runtime ran without hooks: \(result)")
      #expect(reached || result.exitCode != 0, "\(error) at \(call): \(result)")
      try expectWhole(bench, original, made, after: "\(error) at \(call)")
    }
  }
}
