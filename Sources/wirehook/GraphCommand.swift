import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireJSON
import WireLinux
import WirePlan
import WireView

/// The forms of the picture.
enum GraphFormat: String, CaseIterable, ExpressibleByArgument {
  case text, svg, dot, mermaid

  /// By a file's name.
  init?(file: String) {
    let ending = file.split(separator: ".").last.map { String($0) }
    guard
      let found = [
        "svg": Self.svg, "dot": .dot, "gv": .dot, "mmd": .mermaid, "mermaid": .mermaid, "txt": .text,
      ][ending ?? ""]
    else { return nil }
    self = found
  }
}

extension SVGTheme: ExpressibleByArgument {}

struct GraphCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Draw the topology: links, bridges, tunnels, containers, published ports.",
    discussion: """
      Without --format it is a tree for the terminal; with --output the file's name decides: .svg, .dot, .mmd or .txt.
      An SVG follows the reader's light or dark preference, and shows more under the pointer.

      Examples:
        wirehook graph
        wirehook graph -o network.svg
        wirehook graph --network front --format mermaid
        wirehook graph --format dot | dot -Tpdf -o network.pdf
        wirehook graph -o /srv/www/network.svg --watch --interval 10
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @OptionGroup var display: DisplayOptions
  @OptionGroup var watching: WatchOptions
  @Option(name: .shortAndLong, help: "text, svg, dot or mermaid.") var format: GraphFormat?
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Write to this file, whole or not at all.", valueName: "file"),
    completion: .file())
  var output: String?
  @Option(name: .long, help: "Draw this network alone.", completion: Completions.networks) var network: String?
  @Option(name: .long, help: "The colours of SVG: auto, light or dark.") var theme = SVGTheme.auto

  func validate() throws {
    if listing.json, format != nil { throw ValidationError("--json and --format exclude each other") }
    if let output, format == nil, !listing.json, GraphFormat(file: output) == nil {
      throw ValidationError("\(output) does not end in .svg, .dot, .mmd or .txt: say which with --format")
    }
  }

  func perform() throws {
    let configuration = try shared.load()
    var last: String?
    try watching.run {
      let text = draw(try topology(configuration))
      // A reader of the file, or of a pipe, gets it when it is another.
      guard text != last || (output == nil && Terminal.isThere) else { return }
      last = text
      try write(text)
    }
  }

  private func topology(_ configuration: Configuration) throws(WireError) -> Topology {
    var topology = try TopologyReader.read(
      configuration, until: .after(milliseconds: configuration.main.timeoutMilliseconds))
    guard let network else { return topology }
    let known = Set(topology.bridges.flatMap { $0.networks.map { $0.name } })
    topology.keep(network: network)
    guard topology.bridges.isEmpty else { return topology }
    throw WireError(
      "network \(network.quoted)", "it does not stand on this host",
      hint: Spelling.nearest(to: network, in: known.sorted()).map { "did you mean \($0.quoted)?" })
  }

  private func draw(_ topology: Topology) -> String {
    if listing.json { return JSONWriter.pretty(topology.json) }
    switch format ?? output.flatMap({ GraphFormat(file: $0) }) ?? .text {
    case .svg: return TopologySVG.draw(topology, theme: theme)
    case .dot: return TopologyDOT.draw(topology)
    case .mermaid: return TopologyMermaid.draw(topology)
    case .text:
      let isFile = output != nil
      let glyphs = isFile || Terminal.isUTF8 ? TopologyText.Glyphs.box : .ascii
      return TopologyText(
        glyphs: glyphs, style: isFile ? .plain : display.style, width: isFile ? nil : Terminal.width
      ).draw(topology)
    }
  }

  private func write(_ text: String) throws(WireError) {
    guard let output, output != "-" else {
      if watching.watch, Terminal.isThere { Terminal.clear() }
      return print(text, terminator: "")
    }
    do throws(SystemError) {
      try AtomicFile.write(Array(text.utf8), through: output, durable: false)
    } catch {
      throw Hints.explain(error, while: "writing \(output)")
    }
  }
}
