import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireJSON
import WireLinux
import WirePlan
import WireView

struct StatsCommand: WirehookSubcommand {
  /// Whether to go on.
  enum Stream: String, EnumerableFlag {
    case once, watch

    static func name(for value: Stream) -> NameSpecification {
      value == .watch ? [.long, .customShort("w")] : [.customLong("no-stream")]
    }

    static func help(for value: Stream) -> ArgumentHelp? {
      value == .watch ? "Show it again and again, with rates." : "Show it once. (default)"
    }
  }

  enum Switch: String, CaseIterable, ExpressibleByArgument { case on, off }

  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Show what interfaces and published ports have carried.",
    discussion: """
      The counters of interfaces are the kernel's own and always there; received and sent are the container's view.
      Those of published ports cost each packet of theirs a little, so they are off until --ports on, which also sets
      them to zero; --ports off takes them away.

      Examples:
        wirehook stats
        wirehook stats web --watch
        wirehook stats --ports on
        wirehook stats --json
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @OptionGroup var display: DisplayOptions
  @Flag var stream = Stream.once
  @Option(name: .long, help: ArgumentHelp("How often with --watch.", valueName: "seconds")) var interval = 2.0
  @Option(name: .long, help: "Switch the counters of published ports on or off.") var ports: Switch?
  @Argument(
    help: "A container's id, the beginning of it, or its name; none: all of them.", completion: Completions.containers)
  var id: String?

  func validate() throws {
    guard (0.1...86_400).contains(interval) else { throw ValidationError("--interval is from 0.1 to 86400 seconds") }
  }

  func perform() throws {
    switch ports {
    case .on: return try PortCounting.switchOn()
    case .off: return try PortCounting.switchOff()
    case nil: break
    }
    let configuration = try shared.load()
    var before: TrafficSample?
    while true {
      let sample = try take(configuration)
      show(sample, since: before)
      guard stream == .watch, Terminal.flush() else { return }
      before = sample
      Terminal.wait(seconds: interval)
    }
  }

  private func take(_ configuration: Configuration) throws(WireError) -> TrafficSample {
    let containers: [WiredContainer]
    if let id { containers = [try shared.find(id)] } else { containers = try Inventory.all(configuration) }
    return TrafficSample(
      interfaces: try TrafficReader.read(
        containers, until: .after(milliseconds: configuration.main.timeoutMilliseconds)),
      containers: containers, counters: PortCounting.readIfPossible(), milliseconds: TrafficSample.now())
  }

  private func show(_ sample: TrafficSample, since before: TrafficSample?) {
    if listing.json {
      // A line each time, so that a program can read while it goes on.
      let json = sample.json
      return stream == .watch ? print(JSONWriter.compact(json)) : Output.json(json)
    }
    if stream == .watch, Terminal.isThere { Terminal.clear() }
    Output.table(sample.interfaceTable(since: before, rates: stream == .watch), display.style)
    guard let ports = sample.portTable else { return }
    print()
    Output.table(ports, display.style)
  }
}
