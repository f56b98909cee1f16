import Foundation
import Support
import Testing

/// The person's side: listing, looking up by name or part of an id, taking back what the dead left.
@Suite(needsRoot) struct CommandLineTests {
  @Test func theListSaysWhatTheContractPromises() throws {
    try Sandbox.with { host in
      #expect(try host.list().isEmpty)
      let web = try host.started(
        "web",
        [
          "wirehook.ports": "8080:80,127.0.0.1:5353:53/udp", "wirehook.ip": "10.210.4.9",
          "wirehook.mac": "02:42:64:01:01:06",
        ])
      let entry = try #require(try host.list().first)
      #expect(entry["id"].string == "web")
      #expect(entry["name"].string == "web")
      #expect(entry["pid"].int == Int(web.pid))
      #expect(entry["status"].string != nil)
      let interface = entry["interfaces"][0]
      #expect(interface["name"].string == "eth0")
      #expect(interface["network"].string == "front")
      #expect(interface["driver"].string == "bridge")
      #expect(interface["mac"].string == "02:42:64:01:01:06")
      #expect(interface["mtu"].int == 1500)
      #expect(try host.links().contains(interface["host"].string ?? ""))
      #expect(interface["addresses"].array.contains(.text("10.210.4.9/24")))
      let ports = entry["ports"].array
      #expect(ports.count == 2)
      #expect(
        ports.contains { $0["protocol"].string == "tcp" && $0["hostPort"].int == 8080 && $0["containerPort"].int == 80 }
      )
      #expect(
        ports.contains {
          $0["protocol"].string == "udp" && $0["hostIP"].string == "127.0.0.1" && $0["hostPort"].int == 5353
        })
    }
  }

  @Test func anIDMayBeShortenedWhileItIsUnique() throws {
    try Sandbox.with { host in
      _ = try host.started("aaaa1111")
      _ = try host.started("aaab2222")
      #expect(try host.wirehook("inspect", "aaaa", "--json").stdout.contains("aaaa1111"))
      let ambiguous = try host.wirehook("inspect", "aaa", "--json")
      #expect(ambiguous.exitCode == 1)
      #expect(ambiguous.stderr.contains("\"aaa\""), "\(ambiguous)")
      #expect(try host.wirehook("inspect", "nobody", "--json").exitCode == 1)
    }
  }

  @Test func portSaysWhereAPortIsPublished() throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80,127.0.0.1:5353:53/udp"])
      let shown = try host.wirehook("port", "web")
      #expect(shown.exitCode == 0, "\(shown)")
      #expect(
        shown.stdout.contains("80/tcp") && shown.stdout.contains("8080") && shown.stdout.contains("127.0.0.1:5353"))
    }
  }

  @Test func aWrongCommandLineIsExitCodeTwo() throws {
    try Sandbox.with { host in
      let wirehook = try Built.path("wirehook")
      let exit = { (words: [String]) in try host.run([wirehook] + words).exitCode }
      #expect(try exit(["lsx"]) == 2)
      #expect(try exit(["ls", "--nosuch"]) == 2)
      #expect(try exit(["inspect"]) == 2)
      #expect(try exit(["--version"]) == 0)
    }
  }

  @Test func gcTakesBackWhatTheDeadHoldAndNothingElse() throws {
    try Sandbox.with { host in
      let living = try host.started("living", ["wirehook.ports": "8081:80"])
      try living.serve(80)
      try host.stop(host.started("first", ["wirehook.bandwidth": "egress=10mbit"]))
      let before = try host.snapshot()
      try host.started("dead", ["wirehook.ports": "8080:80", "wirehook.bandwidth": "egress=10mbit"]).kill()
      let dry = try host.wirehook("gc", "--dry-run")
      #expect(dry.exitCode == 0 && dry.stdout.contains("dead") && !dry.stdout.contains("living"), "\(dry)")
      #expect(try host.list().count == 2)
      let real = try host.wirehook("gc")
      #expect(real.exitCode == 0, "\(real)")
      try expectUnchanged(host, since: before)
      #expect(try host.outside.ask("192.168.77.1", 8081).server == "living")
    }
  }

  @Test func gcRebuildsAfterTheStateWasLost() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      for file in try FileManager.default.contentsOfDirectory(atPath: host.stateFolder) where !file.contains("lock") {
        try Data("no database".utf8).write(to: URL(filePath: "\(host.stateFolder)/\(file)"))
      }
      web.kill()
      let collected = try host.wirehook("gc")
      #expect(collected.exitCode == 0, "\(collected)")
      let next = try host.started("next", ["wirehook.ports": "8080:80"])
      try next.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "next")
    }
  }

  @Test func gcRecordsAnewWhatLivesWhenTheStateWasLost() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      for file in try FileManager.default.contentsOfDirectory(atPath: host.stateFolder) where !file.contains("lock") {
        try FileManager.default.removeItem(atPath: "\(host.stateFolder)/\(file)")
      }
      let collected = try host.wirehook("gc")
      #expect(collected.exitCode == 0 && collected.stdout.contains("adopted"), "\(collected)")
      let entry = try #require(try host.list().first)
      #expect(entry["id"].string == "web" && entry["pid"].int == Int(web.pid))
      #expect(try host.wirehook("check").exitCode == 0)
      // Its port is its own again, and it is still published.
      let other = try host.container("other")
      #expect(try host.tryAttach(other, ["wirehook.ports": "8080:80"]).stderr.contains("web"))
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
    }
  }

  @Test func theConfigurationIsChecked() throws {
    try Sandbox.with { host in
      let good = try host.wirehook("config", "check")
      #expect(good.exitCode == 0, "\(good)")
      try host.writeNetwork("bad", #"{"driver": "bridge", "bridge": "b", "subnets": [{"subnet": "10.0.0.0/33"}]}"#)
      let bad = try host.wirehook("config", "check")
      #expect(bad.exitCode == 1, "\(bad)")
      #expect((bad.stderr + bad.stdout).contains("bad.json"), "\(bad)")
    }
  }
}

/// No configuration at all: the network `default`.
@Suite(needsRoot) struct DefaultNetworkTests {
  /// Runs the hook where /etc and /run are empty folders of its own that stay from one call to the next.
  private func hook(_ host: Sandbox, _ stage: Stage, _ state: String) throws -> Command.Result {
    let script = """
      mount --make-rprivate / && mkdir -p \(host.folder)/etc \(host.folder)/run && \
      mount --bind \(host.folder)/etc /etc && mount --bind \(host.folder)/run /run && exec "$@"
      """
    var command = Command(
      ["nsenter", "--net=\(host.netns)", "--", "unshare", "-m", "sh", "-c", script, "sh"]
        + [try Built.path("wirehook-oci"), stage.rawValue])
    command.input = Array(state.utf8)
    command.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    return try command.run()
  }

  @Test func aHostWithoutAnyFileHasAWorkingNetwork() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let result = try hook(host, .createRuntime, host.state(web, ["wirehook.ports": "8080:80"]))
      #expect(result.exitCode == 0, "\(result)")
      try web.serve(80)
      #expect(try host.links().contains("wirehook0"))
      #expect(try web.addresses("eth0").count == 2)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.outside.ask("fd77::1", 8080).server == "web")
      let server = try host.outside.serve(7)
      defer { server.stop() }
      #expect(try web.ask("192.168.77.2", 7).client == "192.168.77.1")
      web.kill()
      let end = try hook(host, .poststop, #"{"ociVersion":"1.0","id":"web","status":"stopped","bundle":"/"}"#)
      #expect(end.exitCode == 0, "\(end)")
      #expect(try host.json("link show master wirehook0").array.isEmpty)
    }
  }

  @Test func itsPoolOverlapsNoRouteOfTheHost() throws {
    try Sandbox.with { host in
      let first = try host.container("first")
      #expect(try hook(host, .createRuntime, host.state(first)).exitCode == 0)
      let usual = try first.addresses("eth0").first { !$0.contains(":") } ?? ""
      // The same host once more, with the pool that was chosen taken by a route.
      try Sandbox.with { busy in
        let prefix = usual.split(separator: ".").prefix(2).joined(separator: ".") + ".0.0/16"
        try busy.ip("route add \(prefix) via 192.168.77.2")
        let second = try busy.container("second")
        let result = try hook(busy, .createRuntime, busy.state(second))
        #expect(result.exitCode == 0, "\(result)")
        let other = try second.addresses("eth0").first { !$0.contains(":") } ?? ""
        #expect(other != "" && !other.hasPrefix(usual.split(separator: ".").prefix(2).joined(separator: ".") + "."))
      }
    }
  }
}
