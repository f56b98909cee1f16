import Foundation
import Support
import Testing

/// The state file of another release, under the built programs.
@Suite(needsRoot) struct UpgradeFileTests {
  private static let boot = "00000000-0000-4000-8000-000000000001"

  /// Puts a state file of schema version 1 into the host, with `version` in its header.
  private func install(on host: Sandbox, version: UInt8 = 1) throws {
    try host.warmUp()
    var file = try Array(Data(contentsOf: URL(filePath: "\(Built.root)/Tests/corpus/databases/version-1.db")))
    // The user version is the big-endian number at offset 60 (sqlite.org/fileformat2.html).
    file[63] = version
    let path = "\(host.stateFolder)/state.db"
    for suffix in ["", "-journal"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    try Data(file).write(to: URL(filePath: path))
    try Command.require(["chmod", "600", path])
  }

  @Test func recordsOfVersionOneAreListedAndTakenBack() throws {
    try Sandbox.with { host in
      try install(on: host)
      let apart = try host.boot(as: Self.boot)
      let listed = try host.run(apart + [Built.path("wirehook"), "ls", "--json", "--config", host.configFile])
      let ids = try JSON(parsing: listed.stdout).array.map { $0["id"].text }
      #expect(Set(ids) == [#""web""#, #""db""#], "\(listed)")
      let detached = try host.tryDetach("web", under: apart)
      #expect(detached.succeeded, "\(detached)")
      let next = try host.container("next")
      let result = try host.tryAttach(next, ["wirehook.ports": "8080:80"], under: apart)
      #expect(result.succeeded, "\(result)")
    }
  }

  /// With its old boot id: nothing of it may hold up a container that starts.
  @Test func recordsOfVersionOneFromBeforeAReboot() throws {
    try Sandbox.with { host in
      try install(on: host)
      for id in ["web", "other"] { _ = try host.started(id, id == "web" ? ["wirehook.ports": "8080:80"] : [:]) }
      #expect(try host.list().count == 2)
      #expect(try host.wirehook("check").succeeded)
    }
  }

  @Test func aFileOfALaterReleaseIsRefusedByEveryProgramAndLeftAsItIs() throws {
    try Sandbox.with { host in
      try install(on: host, version: 9)
      let before = try Data(contentsOf: URL(filePath: "\(host.stateFolder)/state.db"))
      let web = try host.container("web")
      expectOneErrorLine(try host.tryAttach(web), naming: ["version 9", "state.db"])
      #expect(try web.links() == ["lo"])
      expectOneErrorLine(try host.tryDetach("web"), naming: ["version 9"])
      for words in [["ls"], ["gc"], ["check"], ["repair"]] {
        let result = try host.run([Built.path("wirehook")] + words + ["--config", host.configFile])
        #expect(result.exitCode == 1 && result.stderr.contains("version 9"), "\(result)")
      }
      #expect(try Data(contentsOf: URL(filePath: "\(host.stateFolder)/state.db")) == before)
    }
  }
}

extension Sandbox {
  /// What runs a program as if in the boot of that id.
  func boot(as id: String) throws -> [String] {
    let file = "\(folder)/boot_id"
    try "\(id)\n".write(toFile: file, atomically: false, encoding: .utf8)
    return [
      "unshare", "-m", "sh", "-c", "mount --bind \(file) /proc/sys/kernel/random/boot_id && exec \"$@\"", "sh",
    ]
  }
}
