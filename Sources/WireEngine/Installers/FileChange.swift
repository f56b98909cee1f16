internal import Glibc
package import WireCore
import WireLinux

/// A file that an installation makes, changes or removes.
package struct FileChange: Sendable, Equatable {
  package let path: String
  /// What is there now; nil: nothing.
  package let before: [UInt8]?
  /// What is to be there; nil: nothing.
  package let after: [UInt8]?
  /// Where the former text is kept, or was kept and is no longer needed.
  package var copy: Copy = .none

  package enum Copy: Sendable, Equatable { case none, keep, drop }

  package init(path: String, before: [UInt8]?, after: [UInt8]?, copy: Copy = .none) {
    (self.path, self.before, self.after, self.copy) = (path, before, after, copy)
  }

  /// The name of the former text's file.
  static func copyName(of path: String) -> String { path + ".before-wirehook" }

  package var isNeeded: Bool { before != after }

  /// What a person is told: `changed FILE`.
  package var summary: String {
    switch (before, after) {
    case (nil, _): "wrote \(path)"
    case (_, nil): "removed \(path)"
    default: copy == .keep ? "changed \(path) (as it was: \(Self.copyName(of: path)))" : "changed \(path)"
    }
  }
}

extension FileChange {
  /// Makes all changes, or none: the first that fails takes the others back.
  package static func apply(_ changes: [FileChange]) throws(WireError) {
    var done: [FileChange] = []
    do throws(WireError) {
      for change in changes where change.isNeeded {
        try change.apply()
        done.append(change)
      }
    } catch {
      for change in done.reversed() {
        // The first error is the one to report; what cannot be taken back is at least whole.
        try? FileChange(path: change.path, before: change.after, after: change.before).apply()
      }
      throw error
    }
  }

  private func apply() throws(WireError) {
    do throws(SystemError) {
      let copy = Self.copyName(of: path)
      if self.copy == .keep { try keep(copy) }
      if before == nil { try Self.makeFolder(of: path) }
      if let after {
        try AtomicFile.write(after, through: path)
      } else if unlink(path) != 0, errno != ENOENT {
        throw SystemError("unlink", errno, path: path)
      }
      if self.copy == .drop { _ = unlink(copy) }
    } catch {
      throw Hints.explain(error, while: "changing \(path)")
    }
  }

  /// The folders above a file, where they are missing.
  private static func makeFolder(of path: String) throws(SystemError) {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
    let folder = String(path[..<slash])
    guard !Files.exists(folder) else { return }
    try makeFolder(of: folder)
    guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw SystemError("mkdir", errno, path: folder) }
  }

  /// The file itself under a second name: writing replaces it by another, so that mode, owner and times stay with this
  /// one. An older copy is of a text that somebody has changed since.
  private func keep(_ copy: String) throws(SystemError) {
    _ = unlink(copy)
    guard link(path, copy) == 0 else { throw SystemError("link", errno, path: copy) }
  }
}
