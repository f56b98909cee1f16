import ArgumentParser
import WireCore
import WireEngine

struct InjectCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "inject", abstract: "Put the hooks into a bundle's config.json, for plain runc or crun.",
    discussion: """
      Two entries are inserted, createRuntime and poststop; no other byte of the file changes, and a second call changes
      nothing.

      Examples:
        wirehook inject /srv/web && runc run --bundle /srv/web -d web
      """)

  @OptionGroup var shared: SharedOptions
  @Flag(name: .long, help: "Use the prestart stage, for runtimes that lack createRuntime.") var prestart = false
  @Argument(help: "The bundle: the folder that holds config.json.", completion: .directory) var bundle: String

  func perform() throws {
    let changed = try BundleEditor.inject(
      into: bundle, prestart: prestart, config: shared.config ?? Environment.value("WIREHOOK_CONFIG"))
    if !changed { print("the hooks are in \(bundle)/config.json already") }
  }
}
