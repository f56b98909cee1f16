internal import Glibc
import WireConfig
import WireCore
import WireLinux

/// The runtime that the shim stands before.
enum RealRuntime {
  /// Where a name is looked up when the environment has no PATH: a daemon may have none, and distributions differ.
  private static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// Becomes the runtime: with the words of argv at `indices`, its name included, and all else as it is (environment,
  /// descriptors, signals, working directory). Returns only by throwing.
  static func become(_ settings: Settings, passing indices: [Int]) throws(WireError) -> Never {
    let file = try find(settings)
    var words: [UnsafeMutablePointer<CChar>?] = []
    words.reserveCapacity(indices.count + 1)
    for index in indices { words.append(CommandLine.unsafeArgv[index]) }
    words.append(nil)
    execv(file, words)
    throw WireError("starting the runtime \(file.quoted)", SystemError.text(errno), hint: hint(settings))
  }

  /// The runtime's file: the first in PATH that is not this very program, which may stand under the name `runc` itself.
  private static func find(_ settings: Settings) throws(WireError) -> String {
    let name = settings.main.runtime
    let what = "starting the runtime \(name.quoted)"
    guard !name.utf8.contains(UInt8(ascii: "/")) else {
      guard isProgram(name) else { throw WireError(what, SystemError.text(errno), hint: hint(settings)) }
      guard !isThis(name) else { throw WireError(what, "it is wirehook-runc itself", hint: hint(settings)) }
      return name
    }
    let given = getenv("PATH").map { String(cString: $0) } ?? ""
    let path = given.isEmpty ? standardPath : given
    var why = "there is none in PATH (\(path))"
    for folder in path.split(separator: ":") {
      let candidate = "\(folder)/\(name)"
      guard isProgram(candidate) else { continue }
      if !isThis(candidate) { return candidate }
      why = "the only one in PATH is wirehook-runc itself"
    }
    throw WireError(what, why, hint: hint(settings))
  }

  private static func hint(_ settings: Settings) -> String {
    "install it, or set \"runtime\" in \(settings.path)"
  }

  private static func isProgram(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    guard status.st_mode & S_IFMT == S_IFREG else {
      errno = EACCES
      return false
    }
    return access(path, X_OK) == 0
  }

  /// Whether the file is this program, by whatever name, or a copy of it: then starting it would never end.
  private static func isThis(_ path: String) -> Bool {
    var own = stat()
    var other = stat()
    guard stat("/proc/self/exe", &own) == 0, stat(path, &other) == 0 else { return false }
    if own.st_dev == other.st_dev, own.st_ino == other.st_ino { return true }
    guard own.st_size == other.st_size else { return false }
    let limit = Int(own.st_size)
    guard let mine = try? Files.read("/proc/self/exe", limit: limit), let its = try? Files.read(path, limit: limit)
    else { return false }
    return mine == its
  }
}
