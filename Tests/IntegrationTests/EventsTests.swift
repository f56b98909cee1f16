import Foundation
import Support
import Testing

/// What happened, from a log file and from a journal.
@Suite(needsRoot) struct EventsTests {
  private func events(_ host: Sandbox, _ words: String...) throws -> [JSON] {
    let result = try host.run([Built.path("wirehook"), "events", "--json", "--config", host.configFile] + words)
    guard result.succeeded else { throw Failure(result.description) }
    return try result.stdout.split(separator: "\n").map { try JSON(parsing: String($0)) }
  }

  @Test func aLogFileTellsAttachDetachAndRefusal() throws {
    try Sandbox.with { host in
      #expect(try events(host).isEmpty)
      let web = try host.started("web", ["wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80"])
      let other = try host.container("other")
      #expect(try host.tryAttach(other, ["wirehook.ports": "8080:80"]).exitCode == 1)
      try host.stop(web)
      let found = try events(host).filter { !["network", "note"].contains($0["kind"].string) }
      #expect(found.map { $0["kind"].string } == ["attach", "refused", "detach"], "\(found.map { $0.text })")
      #expect(found.map { $0["container"].string } == ["web", "other", "web"])
      #expect(found[0]["message"].string?.contains("eth0 10.210.4.9/24") == true)
      #expect(found[1]["message"].string?.contains("8080") == true)
      #expect(found[0]["time"].string?.hasSuffix("Z") == true)
      let text = try host.wirehook("events").stdout
      #expect(text.contains("attach") && text.contains("  web  eth0 10.210.4.9/24"), "\(text)")
    }
  }

  @Test func sinceLeavesOutWhatIsOlder() throws {
    try Sandbox.with { host in
      try """
      2020-01-01T00:00:00Z info wirehook: detached container old WIREHOOK_CONTAINER=old
      not a line of ours
      2020-01-01T00:00:01Z error wirehook: x failed: y WIREHOOK_CONTAINER=old

      """.write(toFile: host.logFile, atomically: true, encoding: .utf8)
      _ = try host.started("web")
      #expect(try events(host).count >= 3)
      #expect(try events(host, "--since", "10m").allSatisfy { $0["container"].string == "web" })
      #expect(try events(host, "--since", "2020-01-01T00:00:01Z").first?["kind"].string == "refused")
      let wrong = try host.wirehook("events", "--since", "yesterday")
      #expect(wrong.exitCode == 2 && wrong.stderr.contains("yesterday"), "\(wrong)")
    }
  }

  @Test func followingSeesWhatComesLaterAlsoAfterARotation() throws {
    try Sandbox.with { host in
      let output = "\(host.folder)/events"
      let pid = try Spawn.start([
        "sh", "-c", "exec \(Built.path("wirehook")) events --follow --config \(host.configFile) >\(output)",
      ])
      defer {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
      }
      let text = { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
      _ = try host.started("first")
      #expect(try eventually { text().contains("first") })
      try FileManager.default.moveItem(atPath: host.logFile, toPath: host.logFile + ".1")
      _ = try host.started("second")
      #expect(try eventually { text().contains("second") })
    }
  }

  /// journalctl itself is a script here: a sandbox has no journal.
  @Test func aJournalIsAskedThroughJournalctl() throws {
    try Sandbox.with { host in
      try host.writeMain(["log": .text("journald")])
      let folder = "\(host.folder)/bin"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let entry = #"{"__REALTIME_TIMESTAMP":"1764067328000000","PRIORITY":"6","MESSAGE":"detached container web","#
      let script = """
        #!/bin/sh
        echo "$@" >\(host.folder)/arguments
        echo '\(entry)"WIREHOOK_CONTAINER":"web"}'
        echo '{"__REALTIME_TIMESTAMP":"1764067329000000","PRIORITY":"3","MESSAGE":[120,27],"WIREHOOK_CONTAINER":"web"}'
        """
      // By a shell, for a file that is open for writing anywhere cannot be executed.
      let write = "cat >\(folder)/journalctl && chmod 755 \(folder)/journalctl"
      try Command.require(["sh", "-c", write], input: Array(script.utf8))
      let wirehook = try Built.path("wirehook")
      let words = [wirehook, "events", "--since", "@1764067000", "--config", host.configFile]
      let shown = try host.run(["env", "PATH=\(folder):/usr/bin:/bin"] + words)
      #expect(shown.exitCode == 0, "\(shown)")
      #expect(
        shown.stdout == "2025-11-25T10:42:08Z  detach     web\n2025-11-25T10:42:09Z  refused    web  x\\x1b\n",
        "\(shown.stdout)")
      let arguments = try String(contentsOfFile: "\(host.folder)/arguments", encoding: .utf8)
      #expect(arguments.contains("--identifier=wirehook") && arguments.contains("--since=@1764067000"))
      let without = try host.run(["env", "PATH=/nonexistent"] + words)
      #expect(without.exitCode == 1 && without.stderr.contains("journalctl"), "\(without)")
    }
  }

  @Test func aLogThatNobodyKeepsIsSaidToBeSo() throws {
    try Sandbox.with { host in
      try host.writeMain(["log": .text("stderr")])
      let result = try host.wirehook("events")
      #expect(result.exitCode == 1 && result.stderr.contains("journald"), "\(result)")
    }
  }
}
