import ArgumentParser
import WireCore
import WireEngine
import WireJSON

struct NetworkRemoveCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove a network: its file, its bridge, its tunnels, its place in the firewall.",
    discussion: """
      Refused while containers are on it; they are named. A bridge that wirehook did not make stays, and so does one
      that another network is on.

      Examples:
        wirehook network rm front
        wirehook network rm front back
      """,
    aliases: ["remove"])

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Argument(help: "The networks' names.", completion: Completions.networks) var names: [String]

  func perform() throws {
    var results: [JSONValue] = []
    for name in names {
      let result = try NetworkRemoval.remove(name, on: shared.host())
      if listing.json {
        results.append(
          .object([
            .init("name", .string(name)), .init("removed", .array(result.removed.map { .string($0) })),
            .init("kept", .array(result.kept.map { .string($0) })),
          ]))
        continue
      }
      for line in result.removed { print("\(name): removed \(line)") }
      for line in result.kept { print("\(name): kept \(line)") }
    }
    if listing.json { Output.json(.array(results)) }
  }
}
