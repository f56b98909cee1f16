internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireState

/// The state directory: there, ours alone, and readable by this release.
enum StateCheck {
  static func findings(_ configuration: Configuration) -> [Doctor.Finding] {
    let path = configuration.main.stateDirectory
    let what = "state directory \(path)"
    var status = stat()
    guard lstat(path, &status) == 0 else {
      guard errno == ENOENT else { return [Doctor.Finding(.error, what, SystemError.text(errno))] }
      return [Doctor.Finding(.ok, what, "the first container makes it")]
    }
    let mode = String(status.st_mode & 0o7777, radix: 8)
    if status.st_mode & S_IFMT != S_IFDIR {
      return [Doctor.Finding(.error, what, "it is not a directory", "set state_dir to another path")]
    }
    if status.st_uid != 0 {
      return [Doctor.Finding(.error, what, "it belongs to uid \(status.st_uid)", "chown root: \(path)")]
    }
    if status.st_mode & 0o022 != 0 {
      return [Doctor.Finding(.error, what, "others may write to it (mode \(mode))", "chmod 700 \(path)")]
    }
    if status.st_mode & 0o077 != 0 {
      return [Doctor.Finding(.warning, what, "others may read it (mode \(mode))", "chmod 700 \(path)")]
    }
    return Doctor.attempt { () throws(WireError) in
      let isOfThisBoot = try Inventory.read(configuration) { _ throws(StateError) in true } ?? false
      if !isOfThisBoot, Host.hasState(configuration) {
        return [Doctor.Finding(.ok, what, "what is recorded is of an earlier boot, and void")]
      }
      let containers = try Inventory.all(configuration)
      let gone = containers.count { $0.status == .gone }
      if gone > 0 {
        return [Doctor.Finding(.warning, what, "containers on record that have ended: \(gone)", "wirehook gc")]
      }
      return [Doctor.Finding(.ok, what, "containers on record: \(containers.count)")]
    }
  }
}
