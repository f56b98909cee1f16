import Foundation

/// Makes a program hear that lists which it asked of the kernel (NLM_F_DUMP) changed while they were given
/// (NLM_F_DUMP_INTR). It is the built program: a library that is loaded before libc sets the flag in what it receives.
package struct Dumps {
  private let library: String

  /// Compiles the library into a folder.
  package init(in folder: String) throws {
    library = "\(folder)/dumps.so"
    guard !FileManager.default.fileExists(atPath: library) else { return }
    try Command.require([
      Clang.path ?? "clang", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library,
      "\(Built.root)/Tests/Preload/dumps.c",
    ])
  }

  /// What says so of the `first` dump of the program, counted from 1, and of those after it, so many `times` in all.
  package func interrupting(_ first: Int, times: Int) -> [String] {
    environment + ["DUMPS_FIRST=\(first)", "DUMPS_TIMES=\(times)"]
  }

  /// What counts the dumps of the program in a file.
  package func counting(in file: String) -> [String] { environment + ["DUMPS_LOG=\(file)"] }

  package static func count(in file: String) -> Int {
    ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").utf8.count
  }

  // Without chance in the order of Swift's sets, one run is like the other.
  private var environment: [String] { ["env", "SWIFT_DETERMINISTIC_HASHING=1", "LD_PRELOAD=\(library)"] }
}

/// The C compiler.
package enum Clang {
  /// In PATH, or beside the Swift compiler, which brings its own.
  package static let path: String? =
    Tool.path("clang")
    ?? Tool.path("swift").map { $0.dropLast("swift".count) + "clang" }.flatMap {
      FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
    }
}
