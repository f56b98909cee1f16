import Foundation
import Glibc
import Support
import Testing

/// Files, names and ids that somebody put there to mislead.
@Suite(needsRoot) struct PlantedTests {
  // MARK: Configuration

  @Test(arguments: ["wirehook.json", "networks.d", "networks.d/front.json"])
  func whatOthersCanWriteIsNoConfiguration(_ part: String) throws {
    try Sandbox.with { host in
      let path = "\(host.folder)/\(part)"
      let mode: mode_t = part.hasSuffix(".json") ? 0o644 : 0o755
      for (bad, hint) in [(mode | 0o020, "chmod go-w"), (mode | 0o002, "chmod go-w")] {
        #expect(chmod(path, bad) == 0)
        expectOneErrorLine(try host.tryAttach(host.container("web"), [:]), naming: [part, hint])
      }
      #expect(chmod(path, mode) == 0 && chown(path, 65534, 65534) == 0)
      expectOneErrorLine(try host.tryAttach(host.container("web"), [:]), naming: [part, "65534", "chown root"])
      #expect(chown(path, 0, 0) == 0)
      _ = try host.started("web")
    }
  }

  @Test func aLinkInNetworksLeadsNowhere() throws {
    try Sandbox.with { host in
      let file = "\(host.folder)/networks.d/front.json"
      try FileManager.default.moveItem(atPath: file, toPath: "\(host.folder)/elsewhere.json")
      #expect(symlink("../elsewhere.json", file) == 0)
      expectOneErrorLine(try host.tryAttach(host.container("web"), [:]), naming: ["front.json"])
    }
  }

  @Test func aStateDirectoryOfAnothersIsRefused() throws {
    try Sandbox.with { host in
      #expect(mkdir("\(host.folder)/trap", 0o755) == 0 && symlink("trap", host.stateFolder) == 0)
      expectOneErrorLine(try host.tryAttach(host.container("web"), [:]), naming: [host.stateFolder])
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.folder)/trap") == [])
      #expect(unlink(host.stateFolder) == 0 && mkdir(host.stateFolder, 0o700) == 0)
      #expect(chown(host.stateFolder, 65534, 0) == 0)
      expectOneErrorLine(try host.tryAttach(host.container("web"), [:]), naming: [host.stateFolder, "65534"])
      #expect(chown(host.stateFolder, 0, 0) == 0 && chmod(host.stateFolder, 0o770) == 0)
      expectOneErrorLine(try host.tryAttach(host.container("web"), [:]), naming: [host.stateFolder])
    }
  }

  @Test(arguments: ["state.db", "lock"])
  func aLinkInTheStateDirectoryLeadsNowhere(_ name: String) throws {
    try Sandbox.with { host in
      let victim = "\(host.folder)/victim"
      #expect(mkdir(host.stateFolder, 0o700) == 0 && symlink(victim, "\(host.stateFolder)/\(name)") == 0)
      expectOneErrorLine(try host.tryAttach(host.container("web"), [:]), naming: [name])
      #expect(!FileManager.default.fileExists(atPath: victim))
    }
  }

  @Test func somebodyElseGetsAnErrorAndChangesNothing() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try host.container("web")
      let before = try host.snapshot()
      let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
      let result = try host.tryAttach(web, [:], under: nobody)
      #expect(!result.succeeded && result.stderr.hasPrefix("wirehook: "), "\(result)")
      try expectUnchanged(host, since: before)
    }
  }

  // MARK: The container's root

  @Test(arguments: ["etc/hosts", "etc/resolv.conf", "etc"])
  func aLinkInTheContainersRootStaysInIt(_ part: String) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let root = "\(web.bundle)/rootfs"
      let victim = "\(host.folder)/victim"
      #expect(mkdir(victim, 0o755) == 0)
      for name in ["hosts", "resolv.conf"] {
        try "untouched\n".write(toFile: "\(victim)/\(name)", atomically: true, encoding: .utf8)
      }
      if part == "etc" {
        #expect(rmdir("\(root)/etc") == 0 && symlink(victim, "\(root)/etc") == 0)
      } else {
        let name = String(part.split(separator: "/").last ?? "")
        #expect(symlink("\(victim)/\(name)", "\(root)/\(part)") == 0)
      }
      _ = try host.tryAttach(web, ["wirehook.hosts": "db:10.0.0.7", "wirehook.dns": "10.0.0.53"])
      for name in ["hosts", "resolv.conf"] {
        #expect(try String(contentsOfFile: "\(victim)/\(name)", encoding: .utf8) == "untouched\n", "\(name)")
      }
    }
  }

  @Test func aPipeInTheContainersRootHoldsNothingUp() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      #expect(mkfifo("\(web.bundle)/rootfs/etc/hosts", 0o644) == 0)
      let result = try host.tryAttach(web, ["wirehook.hosts": "db:10.0.0.7"])
      expectOneErrorLine(result, naming: ["hosts"])
      #expect(result.duration < .seconds(8))
    }
  }

  // MARK: Ids and names

  private static let crafted = [
    "a b", "web of other", "eth0 of web web", "..web", "wéb", "wеb", "web\u{202e}", "%s%n", "'; DROP TABLE lease; --",
    "<script>&\"", String(repeating: "x", count: 1024), "#web", "wirehook: eth0 of web",
  ]

  @Test(arguments: crafted)
  func aCraftedIdTakesNothingOfAnothers(id: String) throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      let addresses = try web.addresses("eth0")
      let before = try host.snapshot()
      let other = try host.started(id)
      #expect(try Set(other.addresses("eth0")).isDisjoint(with: addresses))
      try host.stop(other)
      try expectUnchanged(host, since: before)
      #expect(try web.addresses("eth0") == addresses)
      #expect(try host.wirehook("check").succeeded)
    }
  }

  @Test(arguments: ["../web", "web/../other", "/web", "..", ".", "", "web\n", "web\u{0}", "web\u{1b}[2J"])
  func anIdThatIsNoneIsRefused(id: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let state =
        #"{"id": \#(try jsonText([id]).dropFirst().dropLast()), "status": "creating", "pid": 1, "bundle": "/"}"#
      let result = try host.hook(.createRuntime, input: state)
      // One with a NUL is no text at all, and is refused as such.
      expectOneErrorLine(result, naming: id.contains("\0") ? [] : ["id"])
      #expect(result.stderr.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0a })
      try expectUnchanged(host, since: before)
    }
  }

  /// The state is lost, and a container is found again by the alias of its host end alone.
  @Test(arguments: [
    "web of victim victim", String(repeating: "x", count: 240) + " victim", "a\nwirehook: eth0 of victim victim",
    "é é é",
  ])
  func aNameDoesNotSayWhoseALinkIs(name: String) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      try host.attach(web, ["nerdctl/name": name])
      let alias = try host.json("link show").array.compactMap { $0["ifalias"].string }.first { $0.hasSuffix(" web") }
      #expect(alias?.hasPrefix("wirehook: eth0 of ") == true && (alias?.utf8.count ?? 999) <= 255, "\(alias ?? "none")")
      try FileManager.default.removeItem(atPath: host.stateFolder)
      #expect(try host.wirehook("gc").succeeded)
      #expect(try host.list().compactMap { $0["id"].string } == ["web"])
      #expect(try host.wirehook("check").succeeded)
    }
  }

  @Test func whatIsPrintedHasNoControlCharacters() throws {
    try Sandbox.with { host in
      let name = "x\u{1b}[31m\nwirehook: forged\r\u{7}<b a=\"1\">&"
      try host.attach(host.container("web"), ["nerdctl/name": name, "wirehook.ports": "8080:80"])
      for words in [
        ["ls"], ["inspect", "web"], ["ls", "--json"], ["graph"], ["graph", "--format", "dot"], ["metrics"],
      ] {
        let result = try host.run([Built.path("wirehook")] + words + ["--config", host.configFile])
        #expect(result.stdout.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0a }, "\(words)")
        #expect(!result.stdout.contains("\nwirehook: forged"), "\(words)")
      }
      let svg = try host.run([Built.path("wirehook"), "graph", "--format", "svg", "--config", host.configFile])
      #expect(!svg.stdout.contains("<b a="))
      let log = try String(contentsOfFile: host.logFile, encoding: .utf8)
      #expect(!log.contains("\u{1b}") && !log.contains("\nwirehook: forged"))
    }
  }
}
