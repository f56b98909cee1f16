import Foundation
import Support
import Testing

/// A link's removal is left to a child process, whose turn may come late on a busy machine.
@Suite(needsRoot, .enabled(if: Clang.path != nil, "needs clang")) struct LateRemovalTests {
  /// The link went by itself, with the container's namespace, and the container has started again: the name is the new
  /// link's by then.
  @Test func aRemovalThatComesLateSparesTheNextLinkOfTheName() throws {
    try Sandbox.with { host in
      let late = try Clang.library("Preload/late", in: host.folder)
      let name = { try host.json("link show master wh-front").array.compactMap { $0["ifname"].string } }
      // A hook, or its child, in the host's namespace.
      let isAtIt = {
        let pids = try Command.require(["ip", "netns", "pids", String(host.netns.dropFirst("/run/netns/".count))])
        return pids.split(separator: "\n").contains { pid in
          (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) == "wirehook-oci\n"
        }
      }
      for _ in 0..<2 {
        let web = try host.started("web", ["wirehook.ports": "8080:80"])
        let before = try name()
        web.kill()
        let detached = try host.tryDetach("web", under: ["env", "LD_PRELOAD=\(late)", "LATE_MILLISECONDS=4000"])
        #expect(detached.exitCode == 0, "\(detached)")
        let again = try host.started("web", ["wirehook.ports": "8080:80"])
        #expect(try name() == before)
        #expect(try isAtIt(), "the child was not late, and this is no test")
        try #require(try eventually(within: .seconds(20)) { try !isAtIt() })
        #expect(try again.links() == ["eth0", "lo"])
        let checked = try host.wirehook("check")
        #expect(checked.exitCode == 0, "\(checked)")
        try host.stop(again)
      }
    }
  }
}
