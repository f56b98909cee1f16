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
    let differences = try Checker.check(id, on: shared.host())
    DifferenceOutput.print(differences, json: listing.json, otherwise: "everything is as recorded")
    if !differences.isEmpty { throw ExitCode(1) }
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
    let left = try Repairer.repair(id, on: shared.host())
    DifferenceOutput.print(left, json: listing.json, otherwise: "everything is as recorded")
    if !left.isEmpty { throw ExitCode(1) }
  }
}

enum DifferenceOutput {
  static func print(_ differences: [Difference], json: Bool, otherwise: String) {
    if json {
      Output.json(
        .array(
          differences.map { .object([.init("subject", .string($0.subject)), .init("difference", .string($0.text))]) }))
    } else if differences.isEmpty {
      Swift.print(otherwise)
    } else {
      for difference in differences { Swift.print("\(difference.subject): \(difference.text)") }
    }
  }
}
