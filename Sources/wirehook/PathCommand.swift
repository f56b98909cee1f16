import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireInspect
import WireLinux
import WirePlan
import WireView

struct PathCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "path", abstract: "Show which way a packet goes, hop by hop, and where it stops.",
    discussion: """
      FROM and TO are containers (id, beginning of it, or name), "host", or addresses. Each hop is asked of the kernel in
      the network namespace that it is in. Nothing is sent but with --probe, from a container or the host to a port. Where the request or its answer stops, the command that mends
      it is below the hop. Exit code 1 where something stops it.

      Examples:
        wirehook path web 192.0.2.7:443
        wirehook path 192.0.2.7 web:80
        wirehook path web db:5432
        wirehook path web host:53/udp
        wirehook path web 192.0.2.7:443 --probe
        wirehook path host web:80 --json
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @OptionGroup var display: DisplayOptions
  @Flag(name: [.customLong("ipv6"), .customShort("6")], help: "By IPv6, where no address says which.") var ipv6 = false
  @Flag(name: .long, help: "Send a real packet as well, and follow it through the rules.") var probe = false
  @Argument(help: "Who sends.", completion: Completions.containers) var from: String
  @Argument(help: "Who is called, with :PORT[/udp] for a service.", completion: Completions.containers) var to: String

  func validate() throws {
    for text in [from, to] where PathTarget(text) == nil {
      throw ValidationError("\(text.quoted): expected \(PathTarget.expectation)")
    }
    if PathTarget(from)?.port != nil { throw ValidationError("\(from.quoted): a port is for TO alone") }
    if probe, PathTarget(to)?.port == nil { throw ValidationError("--probe wants a port: \(to):PORT") }
  }

  func perform() throws {
    guard let from = PathTarget(from), let to = PathTarget(to) else { return }
    let configuration = try shared.load()
    let source = try KernelSource(configuration, until: .after(milliseconds: configuration.main.timeoutMilliseconds))
    let ends = (try end(from, source, isSender: true), try end(to, source, isSender: false))
    var family = ipv6 ? Family.ipv6 : .ipv4
    for target in [from, to] { if case .address(let address) = target.subject { family = address.family } }
    var report = try PathFinder(source).path(
      from: ends.0, to: ends.1, port: to.port, transport: to.transport, family: family)
    if probe { report.probe = try PathProbe.run(from: ends.0, report, source) }
    if listing.json {
      Output.json(report.json)
    } else {
      let marks = Terminal.isUTF8 ? PathText.Marks.symbols : .ascii
      print(PathText(marks: marks, style: display.style).draw(report), terminator: "")
    }
    if report.stop != nil { throw ExitCode(1) }
  }

  /// Who sends from an address of the host's, or of a container's, is not outside.
  private func end(_ target: PathTarget, _ source: KernelSource, isSender: Bool) throws(WireError) -> PathEnd {
    switch target.subject {
    case .host: return .host
    case .container(let text): return .container(try shared.find(text))
    case .address(let address):
      guard isSender else { return .outside(address) }
      if source.host.has(address) { return .host }
      let owner = source.containers.first { container in
        container.attachment.interfaces.contains { $0.addresses.contains { $0.address == address } }
      }
      return owner.map { .container($0) } ?? .outside(address)
    }
  }
}
