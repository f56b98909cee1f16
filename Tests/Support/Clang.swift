import Foundation

/// The C compiler.
package enum Clang {
  /// In PATH, or beside the Swift compiler, which brings its own.
  package static let path: String? =
    Tool.path("clang")
    ?? Tool.path("swift").map { $0.dropLast("swift".count) + "clang" }.flatMap {
      FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
    }

  /// Compiles a file of Tests, named without `.c`, into a library in `folder`, and answers its path.
  package static func library(_ name: String, in folder: String) throws -> String {
    let library = "\(folder)/\(name.split(separator: "/").last ?? "").so"
    try Command.require([
      path ?? "clang", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, "\(Built.root)/Tests/\(name).c",
    ])
    return library
  }
}
