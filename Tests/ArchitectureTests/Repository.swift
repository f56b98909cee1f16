import Foundation

/// The files of the project, as the tests of its shape see them.
enum Repository {
  /// The folder of Package.swift.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The text of a file, by its path from the root.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The paths of all files below a folder, hidden and built ones left out, sorted.
  static func files(in folder: String, suffix: String = "") throws -> [String] {
    let start = root.appending(path: folder)
    guard
      let found = FileManager.default.enumerator(
        at: start, includingPropertiesForKeys: [.isRegularFileKey], options: [.skipsHiddenFiles])
    else { return [] }
    let base = root.standardizedFileURL.path
    return try found.compactMap { item -> String? in
      guard let url = item as? URL, url.path.hasSuffix(suffix),
        try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
      else { return nil }
      return String(url.standardizedFileURL.path.dropFirst(base.count + 1))
    }.sorted()
  }

  /// The Swift files of a target.
  static func sources(of target: String) throws -> [String] {
    try files(in: "Sources/\(target)", suffix: ".swift")
  }

  /// Everything that is written by hand: what a reader of the repository sees.
  static func writtenFiles() throws -> [String] {
    let folders = ["Sources", "Tests", "docs", "man", "bench", "etc", "hooks", "systemd", "packaging", ".ci"]
    let top = try FileManager.default.contentsOfDirectory(atPath: root.path).filter {
      $0.hasSuffix(".md") || ["Package.swift", "install.sh", ".gitignore", ".swift-format"].contains($0)
    }
    return try folders.flatMap { try files(in: $0) } + top.sorted()
  }

  /// The pages for people: README, CONTRIBUTING and everything in docs.
  static func pages() throws -> [String] {
    try ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md"] + files(in: "docs", suffix: ".md")
  }
}
