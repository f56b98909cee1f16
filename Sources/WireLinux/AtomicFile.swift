internal import CLinux
internal import Glibc

/// Replaces a file so that a reader sees the old one or the new one, whole.
package enum AtomicFile {
  /// Writes `bytes` beside the file and renames over it. Mode and owner of a file that is there are kept; `mode` is for a
  /// new one. `name` is a plain name within the directory. `durable`: a crash of the host leaves the one or the other,
  /// which on a disk takes milliseconds.
  package static func write(
    _ bytes: [UInt8], to name: String, in directory: borrowing Directory, mode: UInt32 = 0o644, durable: Bool = true
  ) throws(SystemError) {
    let path = "\(directory.path)/\(name)"
    var old = stat()
    let replaces = fstatat(directory.descriptor.raw, name, &old, AT_SYMLINK_NOFOLLOW) == 0
    guard replaces || errno == ENOENT else { throw SystemError("fstatat", errno, path: path) }
    let temporary = ".\(name).\(try suffix())"
    do throws(SystemError) {
      let file = try directory.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
      try fill(file, with: bytes, path: path)
      if replaces, old.st_uid != geteuid() || old.st_gid != getegid() {
        guard fchown(file.raw, old.st_uid, old.st_gid) == 0 else { throw SystemError("fchown", errno, path: path) }
      }
      guard fchmod(file.raw, replaces ? old.st_mode & 0o7777 : mode) == 0 else {
        throw SystemError("fchmod", errno, path: path)
      }
      // Without it a crash of the host may leave an empty file under the new name; on tmpfs it costs nothing.
      guard !durable || fsync(file.raw) == 0 else { throw SystemError("fsync", errno, path: path) }
      guard renameat(directory.descriptor.raw, temporary, directory.descriptor.raw, name) == 0 else {
        throw SystemError("rename", errno, path: path)
      }
    } catch {
      _ = unlinkat(directory.descriptor.raw, temporary, 0)
      throw error
    }
  }

  /// Writes `bytes` over the file that `path` leads to: links stay what they are, their target is replaced.
  package static func write(
    _ bytes: [UInt8], through path: String, mode: UInt32 = 0o644, durable: Bool = true
  ) throws(SystemError) {
    let target = try Files.resolved(path, mayBeMissing: true)
    guard let slash = target.lastIndex(of: "/") else { throw SystemError("realpath", EINVAL, path: path) }
    let folder = slash == target.startIndex ? "/" : String(target[..<slash])
    let name = String(target[target.index(after: slash)...])
    try write(bytes, to: name, in: Directory(folder), mode: mode, durable: durable)
  }

  private static func fill(_ file: borrowing Descriptor, with bytes: [UInt8], path: String) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let descriptor = file.raw
      let written = rest.withUnsafeBufferPointer { part in
        retrying { Glibc.write(descriptor, part.baseAddress, part.count) }
      }
      guard written >= 0 else { throw SystemError("write", errno, path: path) }
      rest = rest.dropFirst(written)
    }
  }

  private static func suffix() throws(SystemError) -> String {
    var number: UInt64 = 0
    guard clinux_random(&number, 8) == 8 else { throw SystemError("getrandom", errno) }
    return String(number, radix: 36)
  }
}
