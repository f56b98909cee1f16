import ArgumentParser
import WireCore
import WireEngine
import WireJSON
import WireView

struct ListCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the wired containers: interfaces, addresses, published ports.",
    discussion: """
      A container whose status is "gone" has ended without its network being taken back: see wirehook gc.

      A --format is a line for each container, with these placeholders:
        \(Listing.fields.prefix(9).map { "{{.\($0)}}" }.joined(separator: " "))
        \(Listing.fields.dropFirst(9).map { "{{.\($0)}}" }.joined(separator: " "))

      Examples:
        wirehook ls
        wirehook ls --network front
        wirehook ls --format '{{.Name}} {{.IP}}'
        wirehook ls --quiet
        wirehook ls --json | jq -r '.[].interfaces[].addresses[]'
      """, aliases: ["list"])

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @OptionGroup var display: DisplayOptions
  @Option(name: .long, help: ArgumentHelp("A line for each container, with placeholders.", valueName: "template"))
  var format: String?
  @Flag(name: .shortAndLong, help: "Print the ids alone.") var quiet = false
  @Option(name: .long, help: "Only containers on this network.", completion: Completions.networks) var network: String?

  func validate() throws {
    if [listing.json, quiet, format != nil].filter({ $0 }).count > 1 {
      throw ValidationError("--json, --format and --quiet exclude each other")
    }
    _ = try template()
  }

  func perform() throws {
    let containers = try Inventory.all(shared.load()).filter { $0.isOn(network: network) }
    let listings = containers.map { Listing(container: $0) }
    if listing.json { return Output.json(.array(listings.map { $0.json })) }
    if quiet { return listings.forEach { print(Printable.line($0.value("ID"))) } }
    if let template = try template() { return listings.forEach { print(template.line($0.value)) } }
    Output.table(Listing.table(listings), display.style)
  }

  private func template() throws -> RowTemplate? {
    do throws(WireError) {
      return try format.map { (text) throws(WireError) in try RowTemplate(text, fields: Listing.fields) }
    } catch {
      throw ValidationError(error.description)
    }
  }
}
