import Foundation

/// One system call of a run, as strace(1) counts it for fault injection: the n-th of its name.
package struct SystemCall: Sendable, Hashable, CustomStringConvertible {
  package let name: String
  package let occurrence: Int
  package var description: String { "\(name) number \(occurrence)" }

  /// What kills the process at this call.
  package func killing(with signal: String = "SIGKILL") -> [String] { wrapper(":signal=\(signal)") }
  /// What makes this call fail.
  package func failing(with error: String) -> [String] { wrapper(":error=\(error)") }

  private func wrapper(_ action: String) -> [String] {
    ["strace", "-qq", "-o", "/dev/null", "-e", "inject=\(name)\(action):when=\(occurrence)"]
  }

  /// The calls in a file that `recording(to:)` wrote, without those of the dynamic linker: from the first line that begins
  /// with `first` (the read of standard input) up to the next program, if the process becomes one.
  package static func recorded(in file: String, from first: String = "read(0,") throws -> [SystemCall] {
    var counts: [String: Int] = [:]
    var calls: [SystemCall] = []
    var begun = false
    for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
      guard let end = line.firstIndex(of: "("), line.first?.isLetter == true else { continue }
      // The kernel tries again and again where it does not wait for a lock (disable_ipv6 and RTNL): no call of another run.
      guard !line.hasSuffix("(To be restarted)") else { continue }
      let name = String(line[..<end])
      counts[name, default: 0] += 1
      begun = begun || line.hasPrefix(first)
      if begun, !name.hasPrefix("exit") { calls.append(SystemCall(name: name, occurrence: counts[name] ?? 1)) }
      if begun, name == "execve" { break }
    }
    guard !calls.isEmpty else { throw Failure("strace recorded no line that begins with \(first)") }
    return calls
  }

  /// What records the calls of a process.
  package static func recording(to file: String) -> [String] { ["strace", "-qq", "-o", file] }
}
