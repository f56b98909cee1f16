import ArgumentParser
import Glibc
import WireEngine

/// `wirehook`: the program for a person with a container.
@main struct WirehookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wirehook",
    abstract: "See and mend the networks of containers that wirehook-oci wired.",
    discussion: """
      Examples:
        wirehook ls                    what is wired
        wirehook port web              where its ports are published
        wirehook inject /srv/bundle    put the hooks into a bundle for plain runc
        wirehook gc --dry-run          what containers that are gone have left
      """,
    version: "wirehook \(Version.text)",
    subcommands: [
      ListCommand.self, InspectCommand.self, PortCommand.self, CheckCommand.self, RepairCommand.self,
      CollectCommand.self, InjectCommand.self, NetworkCommand.self, InstallCommand.self,
      UninstallCommand.self, ConfigCommand.self,
    ])

  /// As the library's own, but a usage error exits with 2, as everything on this system does (the library says 64).
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      StandardError.write(fullMessage(for: error) + "\n")
      Glibc.exit(2)
    }
  }
}
