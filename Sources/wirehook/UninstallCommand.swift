import ArgumentParser
import WireCore
import WireEngine

struct UninstallCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "uninstall", abstract: "Take wirehook out of a container engine's configuration.",
    discussion: """
      The file is as it was before, to the byte, where nobody else has changed it since; else only what is wirehook's is
      taken out. Containers that run keep their network, and lose it when they end.

      Examples:
        wirehook uninstall docker --dry-run
      """)

  @OptionGroup var options: InstallationOptions

  func perform() throws { try options.carryOut(options.installer().uninstall(options.engine)) }
}
