internal import Glibc
import WireConfig
import WireCore
import WireJSON
import WireLinux
import WireOCI

/// How the shim says what is wrong: where the engine looks for the runtime's own errors.
enum Complaint {
  /// One line on standard error, and in the file that `--log` names: containerd and conmon take their users' message
  /// from there, and say no more than "unknown" where it is empty.
  static func report(_ error: WireError, _ arguments: RuntimeArguments, _ settings: Settings) {
    let message = "wirehook: \(error)"
    write(message + "\n", to: STDERR_FILENO)
    log(settings).write(.error, "\(error)")
    guard let file = file(arguments) else { return }
    let time = Log.timestamp()
    let line =
      arguments.logFormat == "json"
      ? JSONWriter.compact(
        .object([
          .init("level", .string("error")), .init("msg", .string(message)), .init("time", .string(time)),
        ]))
      : "time=\"\(time)\" level=error msg=\(JSONWriter.compact(.string(message)))"
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY
    guard let descriptor = try? Descriptor.open(file, flags, mode: 0o644) else { return }
    write(line + "\n", to: descriptor.raw)
  }

  /// A line in our own log, about a container that starts all the same.
  static func note(_ message: String, _ settings: Settings) { log(settings).write(.warning, message) }

  /// The file that `--log` names. crun takes `journald:ID` and `syslog:ID` as well, and a file as `file:PATH`.
  private static func file(_ arguments: RuntimeArguments) -> String? {
    guard let name = arguments.log, !name.isEmpty else { return nil }
    if name.hasPrefix("journald:") || name.hasPrefix("syslog:") { return nil }
    let path = name.hasPrefix("file:") ? String(name.dropFirst("file:".count)) : name
    // runc's own default: standard error has the line already.
    return path == "/dev/stderr" ? nil : path
  }

  private static func log(_ settings: Settings) -> Log {
    // Never standard error: that is the runtime's.
    if case .file(let path) = settings.main.log.target { Log(.file(path: path)) } else { Log(.journald) }
  }

  private static func write(_ text: String, to descriptor: Int32) {
    _ = retrying { Glibc.write(descriptor, text, text.utf8.count) }
  }
}
