import ArgumentParser
import WireEngine
import WireJSON

struct DoctorCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Look for what stops wiring on this host, and for the command that mends it.",
    discussion: """
      Kernel features are tried in a network namespace of their own; settings, routes, other firewalls, published ports,
      engines, the state directory and the configuration are read. Nothing is changed. Each line is

        ok|warning|error  WHAT: WHY; WHAT TO DO

      Exit code 1 where something stops wiring.

      Examples:
        wirehook doctor
        wirehook doctor --json | jq -r '.[] | select(.severity != "ok") | .remedy'
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions

  func perform() throws {
    let findings = Doctor.examine(option: shared.config, environment: Environment.value("WIREHOOK_CONFIG"))
    if listing.json {
      Output.json(
        .array(
          findings.map { finding in
            .object([
              .init("severity", .string(finding.severity.rawValue)), .init("what", .string(finding.what)),
              .init("why", .string(finding.why)), .init("remedy", finding.remedy.map { .string($0) } ?? .null),
            ])
          }))
    } else {
      for finding in findings { print(finding.line) }
    }
    if findings.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }
}
