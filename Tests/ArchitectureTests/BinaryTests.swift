import Foundation
import Testing

/// The programs of the release build that each container's start runs through: in `$WIREHOOK_BIN`, else what
/// `install.sh --build-only` left.
private enum Program: String, CaseIterable {
  case hook = "wirehook-oci"
  case shim = "wirehook-runc"

  var file: URL? {
    if let folder = ProcessInfo.processInfo.environment["WIREHOOK_BIN"] {
      return URL(filePath: folder).appending(path: rawValue)
    }
    let built = Repository.root.appending(path: ".build/release/\(rawValue)")
    return FileManager.default.isExecutableFile(atPath: built.path) ? built : nil
  }

  func bytes() throws -> Data { try Data(contentsOf: try #require(file)) }

  /// The libraries that it may map. The last two belong to the C library before glibc 2.34.
  var libraries: [String] {
    ["libc.so.", "libm.so.", "ld-linux-", "libpthread.so.", "libdl.so."] + (self == .hook ? ["libmnl.so."] : [])
  }
}

/// Each library that the loader maps costs about 0.05 ms in each container's start, Foundation 0.6 ms.
@Suite(.enabled(if: Program.allCases.allSatisfy { $0.file != nil }, "needs ./install.sh --build-only"))
struct BinaryTests {
  @Test(arguments: Program.allCases)
  private func aHotProgramLoadsOnlyWhatItMay(_ program: Program) throws {
    let file = try ELFFile(program.bytes())
    #expect(!file.libraries.isEmpty)
    for library in file.libraries {
      #expect(program.libraries.contains { library.hasPrefix($0) }, "\(library) is mapped at each start")
    }
  }

  @Test(arguments: Program.allCases)
  private func aHotProgramHoldsNoFoundation(_ program: Program) throws {
    let bytes = try program.bytes()
    let name = Data("Foundation".utf8)
    // Swift's own runtime knows one class of Foundation by name, for casts.
    let harmless = Data("Foundation.__SwiftValue".utf8)
    var rest = bytes[...]
    while let found = rest.range(of: name) {
      rest = bytes[found.lowerBound...]
      #expect(rest.starts(with: harmless), "at byte \(found.lowerBound)")
      rest = bytes[found.upperBound...]
    }
  }

  @Test(arguments: Program.allCases)
  private func aHotProgramIsHardened(_ program: Program) throws {
    let file = try ELFFile(program.bytes())
    #expect(file.hasRELRO && file.bindsNow)
    #expect(!file.hasExecutableStack)
  }

  /// As the linker script of install.sh promises: Swift's runtime reads neither map nor folders before main.
  @Test(.enabled(if: Tools.has("strace"), "needs strace"), arguments: Program.allCases)
  private func aHotProgramStartsWithoutLookingAround(_ program: Program) throws {
    let file = try #require(program.file).path
    let trace = try Tools.run(["strace", "-e", "trace=openat,newfstatat,readlink,execve", file, "--version"]).error
    #expect(trace.contains("libc.so"), "strace saw no start: \(trace)")
    // What the runtime does that the shim becomes is its own affair.
    let own = trace.split(separator: "\n").enumerated().prefix { $0.offset == 0 || !$0.element.hasPrefix("execve") }
      .map(\.element)
    #expect(!own.contains { $0.contains("/proc/self/maps") || $0.contains("swift-backtrace") }, "\(trace)")
  }
}

@Suite struct ELFFileTests {
  @Test func whatIsNoELFIsRefused() {
    #expect(throws: ELFFile.Malformed.self) { try ELFFile(Data("#!/bin/sh\n".utf8)) }
    #expect(throws: ELFFile.Malformed.self) { try ELFFile(Data([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])) }
  }

  @Test func theTestItselfLoadsTheCLibrary() throws {
    let own = try ELFFile(Data(contentsOf: URL(filePath: "/proc/self/exe")))
    #expect(own.libraries.contains { $0.hasPrefix("libc.so.") })
  }
}
