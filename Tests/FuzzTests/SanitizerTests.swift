import Foundation
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
}
