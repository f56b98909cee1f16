internal import Glibc
import WireCore

extension Store {
  /// How many damaged files are kept for a person to look at.
  private static let keptFiles = 9

  /// Renames a file that cannot be used to `state.db.corrupt-N`, so that the next `open` makes a new one; the new name,
  /// nil if there was no file. The caller holds the lock that keeps other processes out: a second one would set the
  /// new file aside.
  package static func setAside(directory: String) throws(StateError) -> String? {
    let path = path(in: directory)
    let number = (1..<keptFiles).first { access("\(path).corrupt-\($0)", F_OK) != 0 } ?? keptFiles
    let kept = "\(path).corrupt-\(number)"
    // The journal first: one that is left beside a new file would be played back into it.
    for suffix in ["-journal", "-wal", "-shm", ""] where rename(path + suffix, kept + suffix) != 0 {
      let code = errno
      guard code == ENOENT else {
        throw StateError(.inaccessible(errno: code), "renaming \(path + suffix): \(String(cString: strerror(code)))")
      }
      if suffix.isEmpty { return nil }
    }
    return kept
  }
}
