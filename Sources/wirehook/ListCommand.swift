import ArgumentParser
import WireEngine
import WireJSON

struct ListCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the wired containers: interfaces, addresses, published ports.",
    discussion: """
      A container whose status is "gone" has ended without its network being taken back: see wirehook gc.

      Example:
        wirehook ls --json | jq -r '.[].interfaces[].addresses[]'
      """, aliases: ["list"])

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions

  func perform() throws {
    let containers = try Inventory.all(shared.load()).map { Listing(container: $0) }
    if listing.json { return Output.json(.array(containers.map { $0.json })) }
    Output.table(Listing.headings, containers.map { $0.row })
  }
}
