internal import Glibc
import WireCore
import WireConfig
import WireLinux
import WireOCI

/// One run of the hook: from its standard input to its exit code.
package enum Hook {
  /// When the hook is called, where the runtime says so in the arguments.
  package enum Stage: String, Sendable, CaseIterable {
    case prestart
    case createRuntime
    case poststop
  }

  /// Runs the stage, or what the state's status asks for. Silent when all went well; else one line on standard error,
  /// and the same in the log: not every runtime passes on what a hook says.
  package static func run(_ stage: Stage?, config: String?, environment: String?) -> Int32 {
    var log = Log(LogSettings())
    do throws(WireError) {
      let configuration = try Configuration.load(option: config, environment: environment)
      log = Log(configuration.main.log)
      let deadline = Deadline.after(milliseconds: configuration.main.timeoutMilliseconds)
      let state = try Intake.state(until: deadline)
      log = log.with("WIREHOOK_CONTAINER", state.id)
      switch try chosen(stage, state) {
      case .prestart, .createRuntime: try Attach.run(state, configuration, log: log, deadline: deadline)
      case .poststop: try Detach.run(state, configuration, log: log, deadline: deadline)
      }
      return 0
    } catch {
      let line = "wirehook: \(error)"
      if log.destination != .standardError { log.write(.error, "\(error)") }
      _ = write(STDERR_FILENO, line + "\n", line.utf8.count + 1)
      return 1
    }
  }

  /// runc says `creating` while its hooks run, crun `created`.
  private static func chosen(_ given: Stage?, _ state: ContainerState) throws(WireError) -> Stage {
    if let given { return given }
    switch state.status {
    case .creating, .created: return .createRuntime
    case .stopped: return .poststop
    case .running, .other:
      throw WireError(
        "choosing what to do", "the state's status says neither creating, created nor stopped",
        hint: "give the stage as an argument: createRuntime, prestart or poststop")
    }
  }
}

extension Log {
  /// The log that the main file asks for.
  init(_ settings: LogSettings) {
    let destination: Destination =
      switch settings.target {
      // Without the journal's socket its lines are lost, and the error is on standard error all the same.
      case .automatic, .journald: .journald
      case .stderr: .standardError
      case .file(let path): .file(path: path)
      }
    let threshold: Level =
      switch settings.level {
      case .error: .error
      case .warning: .warning
      // A hook that succeeds says nothing on standard error.
      case .info: destination == .standardError ? .warning : .info
      case .debug: .debug
      }
    self.init(destination, threshold: threshold)
  }
}
