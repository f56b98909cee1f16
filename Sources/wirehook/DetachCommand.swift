import ArgumentParser
import WireCore
import WireEngine
import WireJSON

struct DetachCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "detach", abstract: "Take a running container's network of wirehook's away.",
    discussion: """
      Takes back every interface, address and published port that wirehook gave the container; what others gave it stays.

      Examples:
        wirehook detach web
        wirehook detach web --network back
        wirehook detach /run/netns/blue
        wirehook detach web --force
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Option(name: .long, help: "Only what it has of this network.", completion: Completions.networks)
  var network: String?
  @Flag(name: .long, help: "Forget the container even where something of it cannot be taken back.") var force = false
  @Argument(help: "The container: as for wirehook attach.", completion: Completions.containers) var target: String

  func perform() throws {
    let gone = try LiveDetach.detach(target, network: network, force: force, on: shared.host())
    if listing.json { return Output.json(.array(gone.map { .string($0.description) })) }
    print(
      gone.isEmpty ? "nothing of it is wired any more" : "\(gone.map { $0.description }.joined(separator: ", ")) gone")
  }
}
