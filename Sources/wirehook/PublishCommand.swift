import ArgumentParser
import WireCore
import WireEngine
import WireJSON
import WirePlan

struct PublishCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "publish", abstract: "Publish ports of a running container.",
    discussion: """
      Also of a container that Docker or Podman wired on its own bridge: it keeps running, and nothing else of that
      bridge is opened. Ports are as in docker run -p.

      Examples:
        wirehook publish web 8080:80
        wirehook publish web 8080:80 127.0.0.1:5353:53/udp
        wirehook publish web 9000-9010:9000-9010 --allow 192.168.0.0/16
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Option(name: .long, help: "The interface that the ports lead to. (default: the first with an address)")
  var interface: String?
  @Option(name: .long, help: "Who may call, by source, once for each. (default: whom the network allows)")
  var allow: [String] = []
  @Argument(help: "The container: as for wirehook attach.", completion: Completions.containers) var target: String
  @Argument(help: "[HOSTIP:][HOST[-END]]:CONTAINER[-END][/tcp|udp|sctp], or CONTAINER alone.") var ports: [String]

  func perform() throws {
    let host = try shared.host()
    let found = try LiveTarget.find(target, on: host)
    let result = try Publishing.publish(found, ports, interface: interface, allow: allow, on: host)
    PublishedOutput.print(result.ports, json: listing.json, verb: "published")
    for note in result.notes { StandardError.write("wirehook: \(note)\n") }
  }
}

struct UnpublishCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "unpublish", abstract: "Take published ports of a running container back.",
    discussion: """
      Without a port all of them are taken back.

      Examples:
        wirehook unpublish web 8080
        wirehook unpublish web 5353/udp 127.0.0.1:8443
        wirehook unpublish web
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Argument(help: "The container: as for wirehook attach.", completion: Completions.containers) var target: String
  @Argument(help: "Host ports: [HOSTIP:]PORT[-END][/tcp|udp|sctp].") var ports: [String] = []

  func perform() throws {
    let host = try shared.host()
    let gone = try Publishing.unpublish(LiveTarget.find(target, on: host), ports, on: host)
    PublishedOutput.print(gone, json: listing.json, verb: "unpublished")
  }
}

enum PublishedOutput {
  static func print(_ ports: [PublishedPort], json: Bool, verb: String) {
    guard json else {
      for port in ports {
        let targets = port.targets.map { $0.description }.joined(separator: " and ")
        Swift.print("\(verb) \(port.mapping)\(verb == "published" ? " to \(targets)" : "")")
      }
      return
    }
    Output.json(
      .array(
        ports.map { port in
          .object([
            .init("protocol", .string(port.mapping.transport.rawValue)),
            .init("hostIP", port.mapping.hostAddress.map { .string($0.description) } ?? .null),
            .init("hostPort", .integer(Int64(port.mapping.hostPort))),
            .init("containerPort", .integer(Int64(port.mapping.containerPort))),
            .init("targets", .array(port.targets.map { .string($0.description) })),
          ])
        }))
  }
}
