import ArgumentParser
import Glibc
import WireCore
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
        wirehook graph -o net.svg      a picture of it
        wirehook stats --watch         what passes
        wirehook publish web 8080:80   a port of a container that runs
        wirehook inject /srv/bundle    put the hooks into a bundle for plain runc
        wirehook gc --dry-run          what containers that are gone have left
      """,
    version: "wirehook \(Version.text)",
    subcommands: [
      ListCommand.self, InspectCommand.self, PortCommand.self, GraphCommand.self, StatsCommand.self,
      MetricsCommand.self, EventsCommand.self, CheckCommand.self, RepairCommand.self, DoctorCommand.self,
      PathCommand.self, CollectCommand.self, AttachCommand.self, DetachCommand.self, PublishCommand.self,
      UnpublishCommand.self, InjectCommand.self, NetworkCommand.self, InstallCommand.self, UninstallCommand.self,
      ConfigCommand.self,
    ])

  /// As the library's own, but a usage error exits with 2, as everything on this system does (the library says 64).
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      var lines = fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
      if let near = nearestSubcommand(CommandLine.arguments.dropFirst()), !lines.isEmpty {
        lines[0] += ". Did you mean '\(near)'?"
      }
      StandardError.write(lines.joined(separator: "\n") + "\n")
      Glibc.exit(2)
    }
  }

  /// The subcommand that a word which is none may have been meant for. The library offers this for options alone.
  private static func nearestSubcommand(_ words: some Sequence<String>) -> String? {
    var subcommands = configuration.subcommands
    for word in words where !word.hasPrefix("-") {
      let known = subcommands.filter { $0._commandName == word || $0.configuration.aliases.contains(word) }
      guard let next = known.first else { return Spelling.nearest(to: word, in: subcommands.map { $0._commandName }) }
      subcommands = next.configuration.subcommands
      guard !subcommands.isEmpty else { return nil }
    }
    return nil
  }
}
