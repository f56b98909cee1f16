import Foundation
import Glibc
import Support
import Testing

/// The C that reads what the kernel answers, under libFuzzer and the sanitizers for addresses and undefined behaviour.
@Suite(.enabled(if: Clang.path != nil, "needs clang with libFuzzer")) struct SanitizerTests {
  /// Short: 20,000 tables; `WIREHOOK_LONG=1`: five million.
  @Test func tablesThatNoKernelWouldAnswerDoNoHarm() throws {
    let folder = "/tmp/wht-sanitizer-\(getpid())"
    try FileManager.default.createDirectory(atPath: "\(folder)/new", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let root = Built.root
    try Command.require([
      Clang.path ?? "clang", "-g", "-O1", "-w", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all",
      "-D_GNU_SOURCE", "-I", "\(root)/Sources/CLinux/include", "\(root)/Tests/FuzzHarness/legacy.c", "-o",
      "\(folder)/legacy",
    ])
    var command = Command([
      "\(folder)/legacy", "-runs=\(Effort.rounds(20_000, long: 5_000_000))", "-seed=\(Effort.seed % 1_000_000_000)",
      "-rss_limit_mb=512", "-timeout=1", "-artifact_prefix=\(folder)/", "\(folder)/new", "\(root)/Tests/corpus/legacy",
    ])
    command.limit = .seconds(Effort.rounds(30, long: 600))
    let result = try command.run()
    #expect(result.exitCode == 0, "\(result.stderr.suffix(3000))")
  }

  /// The rest of our C: the calls that Swift does not see, and what the headers of libraries lack.
  @Test(.enabled(if: Tool.root.isThere, "needs root")) func eachFunctionOfOurCIsCalledUnderTheSanitizers() throws {
    let root = Built.root
    let driver = "\(root)/Tests/FuzzHarness/shims.c"
    let source = try String(contentsOfFile: driver, encoding: .utf8)
    for header in ["CLinux/include/clinux.h", "CJSONC/shim.h", "CSQLite/shim.h", "CMnl/shim.h", "CNftnl/shim.h"] {
      let text = try String(contentsOfFile: "\(root)/Sources/\(header)", encoding: .utf8)
      for found in text.matches(of: /\b(c(?:linux|jsonc|sqlite|mnl|nftnl)_[a-z_]+)\(/) {
        #expect(source.contains("\(found.1)("), "\(header): \(found.1) is not called")
      }
    }
    let folder = "/tmp/wht-shims-\(getpid())"
    try FileManager.default.createDirectory(atPath: "\(folder)/work", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let parts = ["arguments", "clinux", "legacy_tables"].map { "\(root)/Sources/CLinux/\($0).c" }
    var compiler = Command(
      [
        Clang.path ?? "clang", "-g", "-O1", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
        "-D_GNU_SOURCE", "-I", "\(root)/Sources/CLinux/include", driver,
      ] + parts + ["-o", "\(folder)/shims", "-ljson-c", "-lsqlite3"])
    compiler.limit = .seconds(120)
    let compiled = try compiler.run()
    #expect(compiled.exitCode == 0, "\(compiled.stderr.suffix(3000))")
    let corpus = "\(root)/Tests/corpus"
    let documents = try FileManager.default.subpathsOfDirectory(atPath: corpus).filter { $0.hasSuffix(".json") }
    var command = Command(["\(folder)/shims", "\(folder)/work"] + documents.sorted().map { "\(corpus)/\($0)" })
    command.limit = .seconds(120)
    let result = try command.run()
    #expect(result.exitCode == 0 && result.stdout == "all called\n", "\(result.stderr.suffix(3000))")
  }
}
