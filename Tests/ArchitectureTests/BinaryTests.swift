import Foundation
import Testing

/// The hook of the release build: `$WIREHOOK_BIN/wirehook-oci`, else what `install.sh --build-only` left.
private enum Hook {
  static var file: URL? {
    if let folder = ProcessInfo.processInfo.environment["WIREHOOK_BIN"] {
      return URL(filePath: folder).appending(path: "wirehook-oci")
    }
    let built = Repository.root.appending(path: ".build/release/wirehook-oci")
    return FileManager.default.isExecutableFile(atPath: built.path) ? built : nil
  }

  static func bytes() throws -> Data { try Data(contentsOf: try #require(file)) }
}

/// Each library that the loader maps costs about 0.05 ms in each container's start, Foundation 0.6 ms.
@Suite(.enabled(if: Hook.file != nil, "needs ./install.sh --build-only"))
struct BinaryTests {
  @Test func theHookLoadsOnlyTheCLibraryAndLibmnl() throws {
    let hook = try ELFFile(Hook.bytes())
    #expect(!hook.libraries.isEmpty)
    // The last two belong to the C library before glibc 2.34.
    let allowed = ["libc.so.", "libm.so.", "libmnl.so.", "ld-linux-", "libpthread.so.", "libdl.so."]
    for library in hook.libraries {
      #expect(allowed.contains { library.hasPrefix($0) }, "\(library) is mapped at each start")
    }
  }

  @Test func theHookHoldsNoFoundation() throws {
    let bytes = try Hook.bytes()
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

  @Test func theHookIsHardened() throws {
    let hook = try ELFFile(Hook.bytes())
    #expect(hook.isPIE)
    #expect(hook.hasRELRO && hook.bindsNow)
    #expect(!hook.hasExecutableStack)
  }

  /// As the linker script of install.sh promises: Swift's runtime reads neither map nor folders before main.
  @Test(.enabled(if: Tools.has("strace"), "needs strace"))
  func theHookStartsWithoutLookingAround() throws {
    let hook = try #require(Hook.file).path
    let trace = try Tools.run(["strace", "-e", "trace=openat,newfstatat,readlink", hook, "--version"]).error
    #expect(trace.contains("libc.so"), "strace saw no start: \(trace)")
    #expect(!trace.contains("/proc/self/maps") && !trace.contains("swift-backtrace"), "\(trace)")
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
