import Foundation
import Glibc
import Support
import Testing

/// Inputs made from Tests/corpus by chance: each is read or refused, within a second, in 64 MB, without a trap.
///
/// A short run takes some thousands for each target; `WIREHOOK_LONG=1` a hundred thousand. `WIREHOOK_SEED` replays a run.
@Suite(.serialized) struct FuzzTests {
  @Test(arguments: Target.allCases) func everySampleIsReadOrRefused(target: Target) throws {
    for sample in try Corpus(target.rawValue).samples { _ = try target.read(sample) }
  }

  @Test(arguments: Target.allCases) func anyBytesAreReadOrRefusedSoonAndInLittleMemory(target: Target) async throws {
    let rounds = Effort.rounds(4_000, long: 100_000)
    let seed = Effort.seed
    let place = "/tmp/wht-fuzz-\(getpid())-\(target.rawValue)"
    defer { unlink(place) }
    // A process of its own: a trap or too much memory ends that one, and the input that did it is on file.
    await #expect(processExitsWith: .success) {
      [
        target = target as Target, rounds = rounds as Int, seed = seed as UInt64, place = place as String
      ] in
      do {
        try Fuzzer(target, seed: seed, place: place).run(rounds)
      } catch {
        // Thrown on, it would end the process by a trap, which is what this looks for.
        try "\(error)".write(toFile: place + ".why", atomically: false, encoding: .utf8)
        exit(1)
      }
    }
    let why = (try? String(contentsOfFile: place + ".why", encoding: .utf8)) ?? "it died"
    unlink(place + ".why")
    if FileManager.default.fileExists(atPath: place) {
      let input = try Data(contentsOf: URL(filePath: place))
      Issue.record(
        "\(target), WIREHOOK_SEED=\(seed), \(why): \(input.count) bytes, \(input.prefix(600).map { String(format: "%02x", $0) }.joined())"
      )
    }
  }
}

/// The work of the process that may die of it.
private struct Fuzzer {
  let target: Target
  let corpus: Corpus
  let place: String
  private let file: Int32
  private var dice: Dice

  init(_ target: Target, seed: UInt64, place: String) throws {
    self.target = target
    self.place = place
    corpus = try Corpus(target.rawValue)
    dice = Dice(seed: seed)
    file = open(place, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Failure("\(place): \(String(cString: strerror(errno)))") }
  }

  func run(_ rounds: Int) throws {
    var copy = self
    try copy.limitMemory()
    var read = 0
    for _ in 0..<rounds { if try copy.step() { read += 1 } }
    guard read > rounds / 1000 else {
      throw Failure("only \(read) of \(rounds) were read: the corpus is no longer valid")
    }
    unlink(place)
  }

  private mutating func step() throws -> Bool {
    let input = corpus.mutated(&dice)
    ftruncate(file, off_t(input.count))
    _ = input.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
    let start = Self.processorTime
    let wasRead = try target.read(input)
    let spent = Self.processorTime - start
    guard spent < .seconds(1) else { throw Failure("it took \(spent)") }
    return wasRead
  }

  /// Of this process: others on a busy machine do not count.
  private static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// 64 MB more than this process has now.
  private func limitMemory() throws {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmData:") }
    let kilobytes = line.flatMap { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first }
    guard let used = kilobytes.flatMap({ rlim_t($0) }) else { throw Failure("no VmData") }
    var limit = rlimit(rlim_cur: (used << 10) + 64 << 20, rlim_max: (used << 10) + 64 << 20)
    guard setrlimit(__rlimit_resource_t(2), &limit) == 0 else { throw Failure("setrlimit") }
  }
}
