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
      for _ in 0..<3 {
        let web = try host.started("web", ["wirehook.ports": "8080:80"])
        let before = try name()
        web.kill()
        let detached = try host.tryDetach("web", under: ["env", "LD_PRELOAD=\(late)", "LATE_MILLISECONDS=1500"])
        #expect(detached.exitCode == 0, "\(detached)")
        // Else the child was not late, and this is no test.
        #expect(detached.duration < .milliseconds(1400), "\(detached)")
        let again = try host.started("web", ["wirehook.ports": "8080:80"])
        #expect(try name() == before)
        usleep(2_000_000)
        #expect(try again.links() == ["eth0", "lo"])
        let checked = try host.wirehook("check")
        #expect(checked.exitCode == 0, "\(checked)")
        try host.stop(again)
      }
    }
  }
}
