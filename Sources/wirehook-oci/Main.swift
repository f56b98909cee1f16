internal import Glibc
import WireCore
import WireEngine

/// The hook: an OCI runtime starts it with the container's state on standard input.
@main enum Main {
  static func main() {
    // A terminal's Ctrl-C or a closed pipe must not cut an attach in two: it takes a few milliseconds, and has a deadline.
    Signals.holdBack()
    let status = run(Arguments.all())
    exit(status)
  }

  private static func run(_ arguments: [String]) -> Int32 {
    let environment = getenv("WIREHOOK_CONFIG").map { String(cString: $0) }
    do throws(WireError) {
      switch try HookArguments(arguments) {
      case .version: say("wirehook-oci \(Version.text)", to: STDOUT_FILENO)
      case .help: say(HookArguments.usage, to: STDOUT_FILENO)
      case .run(let stage, let config): return Hook.run(stage, config: config, environment: environment)
      }
      return 0
    } catch {
      say("wirehook: \(error)", to: STDERR_FILENO)
      say(HookArguments.usage, to: STDERR_FILENO)
      return 2
    }
  }

  private static func say(_ text: String, to descriptor: Int32) {
    let line = text + "\n"
    _ = write(descriptor, line, line.utf8.count)
  }
}
