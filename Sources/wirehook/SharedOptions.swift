import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireLinux
import WirePlan

/// What every subcommand takes.
struct SharedOptions: ParsableArguments {
  @Option(name: .long, help: "The main file. (default: $WIREHOOK_CONFIG, else /etc/wirehook/wirehook.json)")
  var config: String?

  func load() throws(WireError) -> Configuration {
    try Configuration.load(option: config, environment: Environment.value("WIREHOOK_CONFIG"))
  }

  /// The one container that a person means; a name that is only misspelt is offered.
  func find(_ id: String) throws(WireError) -> WiredContainer {
    let configuration = try load()
    do throws(WireError) {
      return try Inventory.find(id, configuration)
    } catch {
      let all = try Inventory.all(configuration).map { $0.attachment.container }
      // One letter is near to every other one; and what several ids begin with is not misspelt.
      guard id.utf8.count > 2, !all.contains(where: { $0.id.hasPrefix(id) }),
        let near = Spelling.nearest(to: id, in: all.map { $0.owner })
      else { throw error }
      throw WireError(error.what, error.why, hint: "did you mean \(near.quoted)?")
    }
  }

  func deadline() throws(WireError) -> Deadline { .after(milliseconds: try load().main.timeoutMilliseconds) }

  /// The host that the command runs on, for commands that change it.
  func host() throws(WireError) -> Host {
    let configuration = try load()
    return try Host(
      configuration, namespace: try Host.home(),
      deadline: .after(milliseconds: configuration.main.timeoutMilliseconds),
      log: Log(.standardError, threshold: .warning))
  }
}

/// What every listing takes.
struct ListingOptions: ParsableArguments {
  @Flag(name: .long, help: "Print JSON, for programs.")
  var json = false
}
