internal import Glibc
import WireCore
import WireOCI

/// The shim: dockerd, containerd or Podman start it in place of a runtime. It puts the hooks into the bundle where a
/// container is made, and then becomes the runtime.
@main enum Main {
  static func main() { exit(run()) }

  /// Returns only where the runtime could not be started.
  private static func run() -> Int32 {
    let arguments = RuntimeArguments.parse(CommandLineWords.all())
    let settings = Settings.load(
      option: arguments.configuration, environment: getenv("WIREHOOK_CONFIG").map { String(cString: $0) },
      whole: arguments.makesContainer)
    do throws(WireError) {
      if arguments.makesContainer { try Preparation.prepare(arguments, settings) }
      try RealRuntime.become(settings, passing: arguments.passed)
    } catch {
      Complaint.report(error, arguments, settings)
      return 1
    }
  }
}

/// argv as strings, without `CommandLine.arguments`, which costs more than reading the main file.
enum CommandLineWords {
  static func all() -> [String] {
    var words: [String] = []
    for index in 0..<Int(CommandLine.argc) {
      guard let word = CommandLine.unsafeArgv[index] else { break }
      words.append(String(cString: word))
    }
    return words
  }
}
