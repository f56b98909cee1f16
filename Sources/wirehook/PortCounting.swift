import WireCore
import WireJSON
import WireView

/// Switches the counters of published ports on and off, and reads them, with nft(8): they are wanted rarely, and never by
/// the hook.
enum PortCounting {
  static func switchOn() throws(WireError) {
    let done = try Subprocess.run(["nft", "-f", "-"], input: PortCounters.script, package: "nftables")
    guard done.code == 0 else { throw refused("switching the counters of ports on") }
  }

  /// Off already is fine: a table is made first, so that there is one to delete.
  static func switchOff() throws(WireError) {
    let table = "table inet \(PortCounters.table)"
    let done = try Subprocess.run(["nft", "-f", "-"], input: "\(table)\ndelete \(table)\n", package: "nftables")
    guard done.code == 0 else { throw refused("switching the counters of ports off") }
  }

  /// The counters; nil while they are off.
  static func read() throws(WireError) -> PortCounters? {
    // Asking for a table that is not there would print a complaint.
    let tables = try json(["nft", "-j", "list", "tables", "inet"])
    guard case .array(let objects)? = tables["nftables"],
      objects.contains(where: { $0["table"]?["name"] == .string(PortCounters.table) })
    else { return nil }
    return PortCounters(nft: try json(["nft", "-j", "list", "table", "inet", PortCounters.table]))
  }

  /// The same where nft is not there, or not for us: then no counters are on that one could read.
  static func readIfPossible() -> PortCounters? {
    do throws(WireError) { return try read() } catch { return nil }
  }

  private static func json(_ words: [String]) throws(WireError) -> JSONValue {
    let done = try Subprocess.run(words, package: "nftables")
    guard done.code == 0 else { throw refused("reading the counters of ports") }
    do throws(JSONError) {
      return try JSONValue.parse(
        done.output, limits: JSONLimits(size: 256 << 20, depth: 32, values: .max), duplicates: .lastWins)
    } catch {
      throw error.wireError(in: "the output of nft")
    }
  }

  private static func refused(_ what: String) -> WireError {
    WireError(what, "nft says why above", hint: "it needs root, and nf_tables in the kernel")
  }
}
