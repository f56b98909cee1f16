import Foundation
import Support
import Testing

/// Every block of commands in README and docs: typed here into a host of its own, or listed with the reason why not.
@Suite(.enabled(if: Runtime.runc.isThere && Tool.path("jq") != nil, "needs root, runc, busybox and jq"))
struct PageTests {
  /// Pages that are typed from the first block to the last into one shell, and what stands for their placeholders.
  private static let typed: [String: [String: String]] = [
    "README.md": ["./install.sh  ": "true  ", "BUNDLE": "bundle"],
    "docs/doctor.md": [:],
    "docs/first-ten-minutes.md": [:],
    "docs/from-scratch.md": [:],
    "docs/graph.md": [:],
    "docs/runc.md": [:],
    "docs/stats.md": ["web --watch": "web --watch --interval 1", "/var/lib/prometheus/node-exporter/": ""],
    "docs/troubleshooting.md": [
      "-t PID": "-t $(runc state web | jq .pid)", "GATEWAY": "10.210.0.1", "HOST-ADDRESS": Sandbox.address4,
      "port ID": "port web",
    ],
  ]

  /// Of these the container `web` runs before the first block is typed.
  private static let withContainer = [
    "docs/doctor.md", "docs/graph.md", "docs/stats.md", "docs/troubleshooting.md",
  ]

  /// Blocks that are not typed: the page, how they begin, why.
  private static let left: [(page: String, start: String, reason: String)] = [
    ("README.md", "sudo ./install.sh --demo", "installs into this host; .ci runs it by itself"),
    ("README.md", "sudo Tests/run", "is what runs this test"),
    ("README.md", "sudo wirehook install docker", "DockerTests: an engine of its own, in which nothing is downloaded"),
    ("CONTRIBUTING.md", "", "builds, which came before this test"),
    ("bench/README.md", "", "measures for minutes; shellcheck reads the scripts"),
    ("docs/performance.md", "", "the same scripts"),
    ("docs/docker.md", "", "DockerTests, InstallCommandTests"),
    ("docs/install.md", "", "InstallCommandTests, DockerTests, PodmanTests; packaging/check"),
    ("docs/podman.md", "", "PodmanTests: images of its own, in which nothing is downloaded"),
    ("docs/containerd.md", "", "needs containerd as the host's own service"),
    ("docs/nerdctl.md", "", "nerdctl is in no package of Debian"),
    ("docs/live.md", "", "LiveAttachTests, LivePublishTests, LiveNetworkTests, LiveDockerTests"),
    ("docs/path.md", "", "PathTests runs each of these troubles, and the command that is named"),
    ("docs/ovs.md", "", "OVSPageTests: it takes two hosts"),
  ]

  private static func reason(_ block: Page.Block, of page: Page) -> String? {
    left.first { $0.page == page.path && block.text.hasPrefix($0.start) }?.reason
  }

  @Test func everyBlockIsTypedOrSaysWhyNot() throws {
    let pages = try Page.all()
    for page in pages where Self.typed[page.path] == nil {
      for block in page.blocks {
        #expect(Self.reason(block, of: page) != nil, "\(page.path):\(block.line) is neither typed nor listed")
      }
    }
    for entry in Self.left {
      let page = pages.first { $0.path == entry.page }
      #expect(page?.blocks.contains { $0.text.hasPrefix(entry.start) } == true, "\(entry) is of no block")
    }
  }

  @Test(arguments: typed.keys.sorted()) func everyCommandOfThePageDoesWhatItSays(_ path: String) throws {
    let page = try Page(path)
    let blocks = page.blocks.filter { Self.reason($0, of: page) == nil }
    try #require(!blocks.isEmpty)
    try Sandbox.with { host in
      // Somebody out there, to reach.
      try host.outside.ip("addr add 1.1.1.1/32 dev lo")
      let shell = PageShell(host)
      let result = try shell.type(
        blocks.map { Self.typable($0.text, Self.typed[path] ?? [:]) }, withContainer: Self.withContainer.contains(path))
      for (block, output) in zip(blocks, result.outputs) {
        #expect(block.missing(in: output) == [], "\(path):\(block.line) printed\n\(output)")
      }
      let last = blocks[max(0, min(result.outputs.count, blocks.count) - 1)]
      #expect(result.succeeded, "\(path):\(last.line) failed\n\(last.text)\(result.outputs.last ?? "")")
    }
  }

  /// With placeholders filled in; what never ends by itself is ended, and what must fail may not succeed: `set -e` would
  /// pass over it.
  private static func typable(_ text: String, _ replacements: [String: String]) -> String {
    let text = replacements.reduce(text) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.hasPrefix("! ") { return "\(line) || exit 1" }
      guard line.contains("--watch") || line.contains("--follow") else { return String(line) }
      return "timeout 2 \(line) || [ $? = 124 ]"
    }.joined(separator: "\n")
  }
}
