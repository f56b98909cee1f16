import Foundation
import Support

/// A page of the documentation, as far as it is commands and what they print.
struct Page: Sendable {
  /// A block of commands: fenced as `sh`, or indented and begun by a program.
  struct Block: Sendable {
    var line: Int
    var text: String
    /// Lines of the `text` block that follows: they must be in the output, in this order.
    var expected: [String] = []
  }

  var path: String
  var blocks: [Block] = []

  /// What an indented block begins with, behind `sudo`, if it is one of commands.
  private static let programs: Set<String> = [
    "./install.sh", "Tests/run", "bench/run", "bench/start", "bench/shim", "bench/docker", "bench/ovs", "swift", "tar",
    "wirehook", "runc", "crun", "docker", "podman", "ctr", "nerdctl", "mkdir", "nft", "nsenter", "ip", "systemctl",
    "apt",
    "apt-get", "dpkg", "curl", "journalctl", "ovs-vsctl", "iptables", "sysctl", "packaging/deb", "packaging/tarball",
    "packaging/check",
  ]

  init(_ path: String) throws {
    self.path = path
    let text = try String(contentsOfFile: "\(Built.root)/\(path)", encoding: .utf8)
    var fence: String?
    var isIndented = false
    for (index, line) in text.components(separatedBy: "\n").enumerated() {
      if line.hasPrefix("```") {
        fence = fence == nil ? String(line.dropFirst(3)) : nil
        if fence == "sh" { blocks.append(Block(line: index + 1, text: "")) }
      } else if fence == "sh" {
        blocks[blocks.count - 1].text += line + "\n"
      } else if fence == "text", !blocks.isEmpty {
        blocks[blocks.count - 1].expected.append(line)
      } else if fence == nil, line.hasPrefix("    ") {
        if !isIndented, Self.isCommand(line) { blocks.append(Block(line: index + 1, text: "")) }
        if isIndented || Self.isCommand(line) { blocks[blocks.count - 1].text += line.dropFirst(4) + "\n" }
        isIndented = isIndented || Self.isCommand(line)
      } else {
        isIndented = false
      }
    }
  }

  private static func isCommand(_ line: String) -> Bool {
    let words = line.split(separator: " ").drop { $0 == "sudo" || $0 == "!" }
    return words.first.map { programs.contains(String($0)) } ?? false
  }

  /// README, CONTRIBUTING and all of docs.
  static func all() throws -> [Page] {
    let docs = try FileManager.default.contentsOfDirectory(atPath: "\(Built.root)/docs").filter { $0.hasSuffix(".md") }
    return try (["README.md", "CONTRIBUTING.md", "bench/README.md"] + docs.sorted().map { "docs/\($0)" }).map(Page.init)
  }
}

extension Page.Block {
  /// What of the expected lines is not in the output. `…` stands for any text, and what differs from host to host, which
  /// is long numbers and local prefixes of IPv6, is not compared.
  func missing(in output: String) -> [String] {
    var lines = output.components(separatedBy: "\n").map(Self.normal)[...]
    return expected.filter { line in
      let parts = Self.normal(line).components(separatedBy: "…").map(NSRegularExpression.escapedPattern)
      let pattern = "^" + parts.joined(separator: ".*") + "$"
      guard let found = lines.firstIndex(where: { $0.range(of: pattern, options: .regularExpression) != nil }) else {
        return true
      }
      lines = lines[(found + 1)...]
      return false
    }
  }

  private static func normal(_ line: String) -> String {
    line.replacing(/fd[0-9a-f]{2}:[0-9a-f:]*::/, with: "fd::").replacing(/\b[0-9]{3,}\b/, with: "N")
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
