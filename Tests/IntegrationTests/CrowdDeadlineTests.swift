import Foundation
import Glibc
import Support
import Testing

/// Somebody hangs: he is named, and nobody waits for him who does not need what he has.
@Suite(needsRoot, .serialized) struct CrowdDeadlineTests {
  /// A hook that is stopped (SIGSTOP) in the middle of its attach keeps its container's lock, and no other.
  @Test(.enabled(if: Tool.strace.isThere, "needs strace")) func aStoppedHookIsNamedByWhoNeedsItAndHoldsUpNobodyElse()
    throws
  {
    try Sandbox.with { host in
      try host.warmUp()
      try host.writeMain(["timeout_ms": .number(4000)])
      let web = try host.container("web")
      // Stopped when it sends its first request for a link: reserved, and not yet made.
      let stopped = try Spawn.start(
        ["nsenter", "--net=\(host.netns)", "--", "sh", "-c"] + [
          "printf %s \"$1\" | strace -qq -o /dev/null -e inject=sendto:signal=SIGSTOP:when=1 \"$2\" --config \"$3\" createRuntime",
          "sh", try host.state(web), try Built.path("wirehook-oci"), host.configFile,
        ])
      defer { kill(stopped, SIGKILL) }
      let pid = try #require(try stoppedHook(of: host))
      defer { kill(pid, SIGKILL) }

      let other = try host.container("other")
      let result = try host.tryAttach(other, ["wirehook.ports": "8080:80"])
      #expect(result.succeeded && result.duration < .seconds(3), "\(result)")
      let detached = try host.tryDetach("web")
      expectOneErrorLine(detached, naming: ["\(pid)"])
      #expect(detached.duration < .seconds(10), "\(detached)")

      kill(pid, SIGKILL)
      try host.attach(web)
      #expect(try host.wirehook("check").succeeded)
    }
  }

  /// While a database of Open vSwitch says nothing, containers of other networks start.
  @Test(.enabled(if: Tool.ovs.isThere, "needs Open vSwitch")) func aSilentSwitchHoldsUpItsOwnNetworkAlone() throws {
    try RealSwitch.withNetwork { host, ovs in
      try host.warmUp()
      try host.warmUp(["wirehook.network": "front"])
      try ovs.writeMain(["timeout_ms": .number(6000)])
      let waiting = try (0..<4).map { try host.container("waits\($0)") }
      let others = try (0..<8).map { try host.container("other\($0)") }
      ovs.pause(.database)
      defer { ovs.proceed(.database) }
      let results = try concurrently(waiting + others, width: 12) { container in
        if container.id.hasPrefix("other") { usleep(300_000) }
        return try host.tryAttach(
          container, container.id.hasPrefix("other") ? ["wirehook.network": "front", "wirehook.ports": "80"] : [:])
      }
      for result in results.prefix(4) { expectOneErrorLine(result, naming: ["db.sock"]) }
      for result in results.dropFirst(4) { #expect(result.succeeded && result.duration < .seconds(5), "\(result)") }
      ovs.proceed(.database)
      for container in waiting { try host.attach(container) }
    }
  }

  /// The pid of the hook that strace has stopped.
  private func stoppedHook(of host: Sandbox) throws -> Int32? {
    var found: Int32?
    _ = try eventually(within: .seconds(10)) {
      for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
        guard let pid = Int32(entry), let words = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8),
          words.split(separator: "\0").first.map({ $0.hasSuffix("/wirehook-oci") }) == true,
          words.contains(host.configFile),
          let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
          state.split(separator: ") ").last.map({ $0.hasPrefix("T ") || $0.hasPrefix("t ") }) == true
        else { continue }
        // A tracee stops at each call; one that stays so is the one.
        usleep(100_000)
        let later = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        if later?.contains(") T ") == true || later?.contains(") t ") == true { found = pid }
      }
      return found != nil
    }
    return found
  }
}
