import Glibc
import WireCore
import WireEngine
import WireInspect
import WireLinux
import WireView

/// Sends the packet of a path, and follows it through the host's rules with nft(8)'s trace.
enum PathProbe {
  /// How long an answer may take: as long as the second SYN, and a little.
  private static let patience: Int32 = 1500

  static func run(from end: PathEnd, _ report: PathReport, _ source: KernelSource) throws(WireError) -> [PathHop] {
    var sender: WiredContainer?
    switch end {
    case .host: break
    case .container(let container): sender = container
    case .outside(let address):
      throw WireError(
        "sending a probe", "\(address) is outside: a packet is sent from this host", hint: "leave out --probe")
    }
    guard let called = report.called else { return [] }
    let packet = PathPacket(called.transport, from: called.source, to: called.destination, called.port)
    // What is made for the probe is taken away again: nobody ends it in between.
    var blocked = sigset_t()
    var before = sigset_t()
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&blocked, signal) }
    sigprocmask(SIG_BLOCK, &blocked, &before)
    defer { sigprocmask(SIG_SETMASK, &before, nil) }
    let table = "wirehook-probe-\(getpid())"
    let made = try Subprocess.run(["nft", "-f", "-"], input: script(table, called), package: "nftables")
    defer { remove(table) }
    guard made.code == 0 else { throw WireError("tracing the probe", "nft says why above") }
    let monitor = try TraceMonitor()
    let outcome = try source.probe(from: sender, packet, within: patience)
    return hops(try monitor.finish(), but: table) + [result(outcome, called)]
  }

  /// Marks the packets of this flow alone, before any other chain sees them.
  private static func script(_ table: String, _ called: PathReport.Called) -> String {
    let word = called.destination.family == .ipv4 ? "ip" : "ip6"
    let transport = called.transport ?? .tcp
    let source = called.source.map { "\(word) saddr \($0) " } ?? ""
    let flow = "\(source)\(word) daddr \(called.destination) \(transport.rawValue) dport \(called.port ?? 0)"
    let chains = ["prerouting", "output"].map { hook in
      "chain \(hook) { type filter hook \(hook) priority -310; \(flow) meta nftrace set 1; }"
    }
    return "table inet \(table) {\n\(chains.joined(separator: "\n"))\n}\n"
  }

  private static func remove(_ table: String) {
    do throws(WireError) {
      _ = try Subprocess.run(["nft", "delete", "table", "inet", table], package: "nftables")
    } catch {
      StandardError.write("wirehook: removing table inet \(table): \(error)\n")
    }
  }

  /// The rules that decided on it, each once: a second SYN meets the same.
  private static func hops(_ trace: String, but table: String) -> [PathHop] {
    var seen: Set<String> = []
    var hops: [PathHop] = []
    for line in trace.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 3)
      guard words.count == 4, words[0] == "trace", words[1] == "id" else { continue }
      let text = String(words[3])
      guard !text.hasPrefix("inet \(table) "), text.contains(" rule ") || text.contains(" policy "),
        seen.insert(text).inserted
      else { continue }
      let drops = text.contains("(verdict drop)") || text.hasSuffix("policy drop") || text.contains("policy drop ")
      hops.append(PathHop("host", .probe, drops ? .stops : .passes, text))
    }
    return hops
  }

  private static func result(_ outcome: ProbeOutcome, _ called: PathReport.Called) -> PathHop {
    switch outcome {
    case .answered: PathHop("probe", .probe, .passes, "an answer came")
    case .refused: PathHop("probe", .probe, .stops, "an answer came: nothing listens there")
    case .unreachable(let why): PathHop("probe", .probe, .stops, "it was refused on the way: \(why)")
    case .silence where called.transport == .udp:
      PathHop("probe", .probe, .note, "no answer came, which says little of UDP")
    case .silence: PathHop("probe", .probe, .stops, "no answer came within \(patience) ms")
    }
  }
}
