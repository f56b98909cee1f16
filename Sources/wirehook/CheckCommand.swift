import ArgumentParser
import WireEngine
import WireJSON

struct CheckCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Compare what is recorded with the kernel; exit code 1 on a difference.",
    discussion: """
      Looks at bridges, Open vSwitch, tunnels, addresses, forwarding, the firewall's table, other firewalls that drop,
      each host end with its limits, and the container's own addresses, routes, rules, settings and resolver files. Changes nothing: see wirehook repair.

      Examples:
        wirehook check
        wirehook check web
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Argument(
    help: "A container's id, the beginning of it, or its name; none: everything.", completion: Completions.containers)
  var id: String?

  func perform() throws {
    try DifferenceOutput.conclude(try Checker.check(id, on: shared.host()), json: listing.json)
  }
}

struct RepairCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "repair", abstract: "Put back what a firewall flush, a deleted bridge or a person took away.",
    discussion: """
      Exit code 1 where something still differs afterwards; each such thing is a line.

      Examples:
        wirehook repair
        wirehook repair web
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Argument(
    help: "A container's id, the beginning of it, or its name; none: everything.", completion: Completions.containers)
  var id: String?

  func perform() throws {
    try DifferenceOutput.conclude(try Repairer.repair(id, on: shared.host()), json: listing.json)
  }
}

enum DifferenceOutput {
  /// Prints them; one is enough for exit code 1.
  static func conclude(_ differences: [Difference], json: Bool) throws(ExitCode) {
    if json {
      Output.json(
        .array(
          differences.map { .object([.init("subject", .string($0.subject)), .init("difference", .string($0.text))]) }))
    } else if differences.isEmpty {
      print("everything is as recorded")
    } else {
      for difference in differences { print("\(difference.subject): \(difference.text)") }
    }
    if !differences.isEmpty { throw ExitCode(1) }
  }
}
