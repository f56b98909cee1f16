import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireJSON
import WirePlan
import WireView

struct EventsCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Show what was attached, detached and refused, from the log.",
    discussion: """
      Reads the log that the main file names: a file, or the journal by way of journalctl. Times are UTC.
      With --json an event is one object on a line.

      Examples:
        wirehook events --since 10m
        wirehook events --since 2026-11-25T10:00:00Z
        wirehook events --follow
        wirehook events --json | jq 'select(.kind == "refused")'
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @OptionGroup var display: DisplayOptions
  @Option(
    name: .long, help: ArgumentHelp("Only what came later: 10m, 1h30m, 2d, or a time.", valueName: "when"))
  var since: String?
  @Flag(name: [.long, .customShort("f")], help: "Wait for more, until it is interrupted.") var follow = false

  func validate() throws {
    guard let since, Moment.parse(since, now: EventLog.now()) == nil else { return }
    throw ValidationError("--since \(since.quoted): expected \(Moment.expectation)")
  }

  func perform() throws {
    let configuration = try shared.load()
    let names = names(configuration)
    let log = EventLog(since: since.flatMap { Moment.parse($0, now: EventLog.now()) }, follow: follow)
    try log.read(configuration.main.log.target) { event in
      print(listing.json ? JSONWriter.compact(event.json) : event.line(display.style) { names[$0] })
      // At once, though a program reads it.
      return !follow || Terminal.flush()
    }
  }

  /// Whoever is still there has a name besides its id; for those who may read the log and not the records, ids will do.
  private func names(_ configuration: Configuration) -> [String: String] {
    do throws(WireError) {
      let containers = try Inventory.all(configuration).map { $0.attachment.container }
      return Dictionary(containers.map { ($0.id, $0.owner) }) { first, _ in first }
    } catch {
      return [:]
    }
  }
}
