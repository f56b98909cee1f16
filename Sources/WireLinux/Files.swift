internal import Glibc
internal import CLinux

/// Reading and making files. What is read is bounded, and never a pipe or a device that could hold us up.
package enum Files {
  /// The whole of a regular file; `EFBIG` when it holds more than `limit` bytes.
  package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
    return try contents(of: file, path: path, limit: limit)
  }

  /// The same of a file that only root, or this process's own user, can have written: `EPERM` for any other.
  package static func readTrusted(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
    return try contents(of: file, path: path, limit: limit, trusted: true)
  }

  /// Whether anything stands at the path. Where the kernel cannot say (no memory, a bad disk) it counts as there: whoever
  /// opens it then has the error to report, and nobody takes it for nothing.
  package static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)
  }

  /// The absolute path that `path` leads to when all links are followed (realpath(3)). With `mayBeMissing` the last part
  /// need not be there, but not be a link that leads nowhere either.
  package static func resolved(_ path: String, mayBeMissing: Bool = false) throws(SystemError) -> String {
    if let found = realpath(path, nil) {
      defer { free(found) }
      return String(cString: found)
    }
    let failure = errno
    var status = stat()
    guard mayBeMissing, failure == ENOENT, lstat(path, &status) != 0 else {
      throw SystemError("realpath", failure, path: path)
    }
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    guard let found = realpath(folder, nil) else { throw SystemError("realpath", errno, path: folder) }
    defer { free(found) }
    let parent = String(cString: found)
    return parent == "/" ? "/" + name : "\(parent)/\(name)"
  }

  /// The whole of a descriptor's input, up to its end (a hook's standard input); `EFBIG` past `limit`, `ETIMEDOUT` when
  /// the deadline comes first.
  package static func readToEnd(
    of descriptor: Int32, limit: Int, deadline: Deadline
  ) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = 16 << 10
    while true {
      guard try deadline.wait(for: descriptor, POLLIN) else { throw SystemError("read", ETIMEDOUT) }
      let got = try append(to: &bytes, from: descriptor, upTo: min(chunk, limit + 1 - bytes.count), path: nil)
      guard got > 0 else { return bytes }
      guard bytes.count <= limit else { throw SystemError("read", EFBIG, reason: "more than \(limit) bytes") }
      chunk = min(chunk * 2, 1 << 20)
    }
  }

  /// The names in a directory without `.` and `..`, sorted.
  package static func list(_ path: String) throws(SystemError) -> [String] {
    guard let directory = opendir(path) else { throw SystemError("opendir", errno, path: path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes sure of a directory that only its owner changes: made with `mode` if it is missing, else checked: a directory
  /// itself (no link to one), ours, and not writable for group or others.
  package static func makePrivateDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
    if mkdir(path, mode) == 0 { return }
    guard errno == EEXIST else { throw SystemError("mkdir", errno, path: path) }
    var status = stat()
    guard lstat(path, &status) == 0 else { throw SystemError("lstat", errno, path: path) }
    let refusal: String? =
      if status.st_mode & S_IFMT != S_IFDIR {
        "it is not a directory"
      } else if status.st_uid != geteuid() {
        "it belongs to uid \(status.st_uid), not to \(geteuid())"
      } else if status.st_mode & 0o022 != 0 {
        "others may write to it (mode \(String(status.st_mode & 0o7777, radix: 8)))"
      } else {
        nil
      }
    if let refusal { throw SystemError("use", EPERM, path: path, reason: refusal) }
  }

  /// Throws `EPERM` unless what was opened belongs to root or to this process's own user, and nobody else may change it.
  static func requireTrust(_ status: stat, path: String) throws(SystemError) {
    let reason: String? =
      if status.st_uid != 0, status.st_uid != geteuid() {
        "it belongs to uid \(status.st_uid): chown root it"
      } else if status.st_mode & 0o022 != 0 {
        "others may change it (mode \(String(status.st_mode & 0o7777, radix: 8))): chmod go-w it"
      } else {
        nil
      }
    if let reason { throw SystemError("read", EPERM, path: path, reason: reason) }
  }

  /// What is in an open regular file. Its size saves the read that would only tell its end.
  package static func contents(
    of file: borrowing Descriptor, path: String, limit: Int, trusted: Bool = false
  ) throws(SystemError) -> [UInt8] {
    var status = stat()
    guard fstat(file.raw, &status) == 0 else { throw SystemError("fstat", errno, path: path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SystemError("read", EINVAL, path: path, reason: "it is not a regular file")
    }
    if trusted { try requireTrust(status, path: path) }
    let size = Int(status.st_size)
    guard size <= limit else { throw tooLong(path, limit) }
    var bytes: [UInt8] = []
    // Files of /proc say 0 and have more; one byte more than the size shows the end, or that the file has grown.
    var room = size > 0 ? size + 1 : min(4096, limit + 1)
    while true {
      let got = try append(to: &bytes, from: file.raw, upTo: min(room, limit + 1 - bytes.count), path: path)
      guard bytes.count <= limit else { throw tooLong(path, limit) }
      if got == 0 || (size > 0 && bytes.count == size) { return bytes }
      // After a short read there is nothing more, as a rule.
      room = got < room ? 512 : 64 << 10
    }
  }

  private static func tooLong(_ path: String, _ limit: Int) -> SystemError {
    SystemError("read", EFBIG, path: path, reason: "more than \(limit) bytes")
  }

  private static func append(
    to bytes: inout [UInt8], from descriptor: Int32, upTo count: Int, path: String?
  ) throws(SystemError) -> Int {
    var got = 0
    var failure: Int32 = 0
    let part = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      got = retrying { Glibc.read(descriptor, buffer.baseAddress, count) }
      failure = errno
      filled = max(0, got)
    }
    guard got >= 0 else { throw SystemError("read", failure, path: path) }
    if bytes.isEmpty { bytes = part } else { bytes += part }
    return got
  }
}

/// A directory that is trusted, while what lies in it is not: a path below it is followed through no link and never out
/// of it (openat2(2)).
package struct Directory: ~Copyable, Sendable {
  package let descriptor: Descriptor
  package let path: String

  package init(_ path: String) throws(SystemError) {
    descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    self.path = path
  }

  /// One in which nobody but root, or this process's own user, can have put a file: `EPERM` for any other.
  package init(trusted path: String) throws(SystemError) {
    let opened = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    var status = stat()
    guard fstat(opened.raw, &status) == 0 else { throw SystemError("fstat", errno, path: path) }
    try Files.requireTrust(status, path: path)
    descriptor = opened
    self.path = path
  }

  /// The whole of a regular file below; `ENOENT` where there is none, `ELOOP` where a link stands in the way.
  package func read(_ name: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = try open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK)
    return try Files.contents(of: file, path: "\(path)/\(name)", limit: limit)
  }

  /// The same of a file that must be this process's own, or root's: who may write to the folder may have put another there.
  package func readTrusted(_ name: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = try open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK)
    return try Files.contents(of: file, path: "\(path)/\(name)", limit: limit, trusted: true)
  }

  /// Opens a file below, with `O_CLOEXEC`.
  package func open(_ name: String, _ flags: Int32, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
    let raw = retrying { clinux_open_beneath(descriptor.raw, name, flags | O_CLOEXEC, mode) }
    guard raw >= 0 else { throw SystemError("open", errno, path: "\(path)/\(name)") }
    return Descriptor(adopting: raw)
  }

  /// Opens a file with `O_CLOEXEC` as a process would whose root this directory is: links in the way are followed, and
  /// never lead out of it.
  package func openInRoot(_ name: String, _ flags: Int32, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
    let raw = retrying { clinux_open_in_root(descriptor.raw, name, flags | O_CLOEXEC, mode) }
    guard raw >= 0 else { throw SystemError("open", errno, path: "\(path)/\(name)") }
    return Descriptor(adopting: raw)
  }
}
