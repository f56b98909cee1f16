import ArgumentParser
import WireEngine
import WireJSON

struct CollectCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Take back what containers that are gone have left.",
    discussion: """
      Containers are known by their process and its start time, so a reused pid does not mislead. Networks stay.
      A state file that is damaged is set aside, and what lives is recorded anew from the kernel.

      Examples:
        wirehook gc --dry-run
        wirehook gc
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Flag(name: .long, help: "Only say what would be taken back.") var dryRun = false

  func perform() throws {
    if !dryRun, let kept = try DamagedState.setAside(shared.load(), until: shared.deadline()) {
      StandardError.write("the state file was damaged; it is kept as \(kept)\n")
    }
    let findings = try Garbage.collect(dryRun: dryRun, on: shared.host())
    if listing.json {
      return Output.json(
        .array(
          findings.map { finding in
            .object([
              .init("kind", .string(finding.kind.rawValue)), .init("name", .string(finding.name)),
              .init("detail", .string(finding.detail)),
            ])
          }))
    }
    guard !findings.isEmpty else { return print("nothing is left") }
    Output.table(["KIND", "NAME", "WHAT"], findings.map { [$0.kind.rawValue, $0.name, $0.detail] })
  }
}
