import Foundation

/// Makes a program hear that lists which it asked of the kernel (NLM_F_DUMP) changed while they were given
/// (NLM_F_DUMP_INTR). It is the built program: a library that is loaded before libc sets the flag in what it receives.
package struct Dumps {
  private let library: String

  /// Compiles the library into a folder.
  package init(in folder: String) throws {
    library = try Clang.library("Preload/dumps", in: folder)
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
