import ArgumentParser
import WireEngine
import WireJSON

struct PortCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "port", abstract: "List a container's published ports, those that were chosen for it included.",
    discussion: """
      Examples:
        wirehook port web
        wirehook port web --json
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Argument(help: "The container's id, the beginning of it, or its name.", completion: Completions.containers)
  var id: String

  func perform() throws {
    let view = Listing(container: try shared.find(id))
    if listing.json { return Output.json(view.ports) }
    for port in view.portTexts { print(port) }
  }
}
