import ArgumentParser
import WireCore
import WireEngine
import WireJSON
import WirePlan

struct AttachCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "attach", abstract: "Give a running container a network.",
    discussion: """
      TARGET is a container's id or name (Docker, Podman, containerd, runc, crun), a pid, or a file that keeps a network
      namespace. What the container has stays, its default route too; a container that wirehook wired gets one more
      interface for each network that it is not on.

      Examples:
        wirehook attach web
        wirehook attach web --network back
        wirehook attach web --network storage:san0 --ip 10.0.9.7 --ports 9000:9000
        wirehook attach 4711 --annotation wirehook.bandwidth=egress=10mbit
        wirehook attach /run/netns/blue --network front
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Option(name: .long, help: "As wirehook.network: networks, each perhaps with :IFNAME. (default: the default network)")
  var network: String?
  @Option(name: .long, help: "As wirehook.ip: addresses, or none. (default: from the network's pool)") var ip: String?
  @Option(name: .long, help: "As wirehook.ports: ports to publish, such as 8080:80.") var ports: String?
  @Option(
    name: .long, help: ArgumentHelp("Any other wirehook. annotation, once for each.", valueName: "key=value"))
  var annotation: [String] = []
  @Argument(help: "The container.", completion: Completions.containers) var target: String

  func validate() throws {
    for text in annotation where !text.hasPrefix("wirehook.") || !text.contains("=") {
      throw ValidationError("expected --annotation wirehook.KEY=VALUE, not \(text)")
    }
  }

  private var annotations: [(key: String, value: String)] {
    var found = annotation.map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (key: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : "")
    }
    for (key, value) in [("network", network), ("ip", ip), ("ports", ports)] {
      if let value { found.append((key: "wirehook.\(key)", value: value)) }
    }
    return found
  }

  func perform() throws {
    let host = try shared.host()
    let found = try LiveTarget.find(target, on: host)
    let attachment = try LiveAttach.attach(found, annotations, on: host)
    if listing.json { return Output.json(try Listing(container: shared.find(found.identity.id)).json) }
    for interface in attachment.interfaces {
      let addresses = interface.addresses.map { $0.description }.joined(separator: " ")
      print("\(interface.name) on \(interface.network): \(addresses.isEmpty ? "no address" : addresses)")
    }
    for port in attachment.ports { print("published \(port.mapping)") }
  }
}
