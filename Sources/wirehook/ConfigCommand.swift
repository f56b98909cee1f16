import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireJSON

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Look at the configuration.", subcommands: [ConfigCheckCommand.self])
}

struct ConfigCheckCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read the main file and every network, and say what is wrong with them.",
    discussion: """
      Exit code 1 where something is wrong; warnings alone are no error.

      Examples:
        wirehook config check
        wirehook config check --config ./wirehook.json
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions

  func perform() throws {
    let report = try ConfigurationReport(shared.load())
    if listing.json {
      Output.json(
        .array(
          report.findings.map { finding in
            .object([
              .init("severity", .string(finding.severity == .error ? "error" : "warning")),
              .init("what", .string(finding.error.what)), .init("why", .string(finding.error.why)),
              .init("hint", finding.error.hint.map { .string($0) } ?? .null),
            ])
          }))
    } else {
      for finding in report.findings { print("\(finding.severity == .error ? "error" : "warning"): \(finding.error)") }
      let count = report.networks.count
      if report.findings.isEmpty { print("\(report.path): \(count) network\(count == 1 ? "" : "s"), nothing wrong") }
    }
    if report.findings.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }
}
