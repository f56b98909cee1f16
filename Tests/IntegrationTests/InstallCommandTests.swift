import Foundation
import Support
import Testing

/// `wirehook install` and `uninstall` as a person types them, on files of another host.
@Suite struct InstallCommandTests {
  private func wirehook(_ words: String...) throws -> Command.Result {
    try Command([Built.path("wirehook")] + words).run()
  }

  private func withHost(_ body: (_ root: String, _ file: String) throws -> Void) throws {
    let root = "/tmp/wht-install-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: "\(root)/etc/docker", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try "{\n\t\"debug\": true\n}".write(toFile: "\(root)/etc/docker/daemon.json", atomically: true, encoding: .utf8)
    try body(root, "\(root)/etc/docker/daemon.json")
  }

  @Test func aDryRunShowsTheDifferenceAndChangesNothing() throws {
    try withHost { root, file in
      let before = try Command.require(["cat", file])
      let result = try wirehook("install", "docker", "--root", root + "/", "--dry-run")
      #expect(result.exitCode == 0, "\(result)")
      #expect(
        result.stdout.hasPrefix(
          "--- \(file)\n+++ \(file)\n@@ -1,3 +1,4 @@\n {\n-\t\"debug\": true\n+\t\"debug\": true,\n"))
      #expect(try Command.require(["cat", file]) == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/etc/docker") == ["daemon.json"])
    }
  }

  @Test func whatIsDoneIsSaidAndASecondRunHasNothingToDo() throws {
    try withHost { root, file in
      let before = try Command.require(["cat", file])
      let first = try wirehook("install", "docker", "--root", root)
      #expect(first.stdout == "changed \(file) (as it was: \(file).before-wirehook)\n", "\(first)")
      let shim = try JSON(parsing: try Command.require(["cat", file]))["runtimes"]["wirehook"]["path"].string
      #expect(shim?.hasSuffix("/wirehook-runc") == true)
      #expect(try wirehook("install", "docker", "--root", root).stdout == "nothing to change for docker\n")
      #expect(try wirehook("uninstall", "docker", "--root", root).stdout == "changed \(file)\n")
      #expect(try Command.require(["cat", file]) == before)
      #expect(try wirehook("uninstall", "docker", "--root", root).stdout == "nothing to change for docker\n")
    }
  }

  @Test func aMistakeInTheFileIsOneLine() throws {
    try withHost { root, file in
      try "{\n\"debug\": true,\n}\n".write(toFile: file, atomically: true, encoding: .utf8)
      let result = try wirehook("install", "docker", "--root", root)
      #expect(result.exitCode == 1 && result.stdout == "")
      #expect(result.stderr.hasPrefix("wirehook: \(file): line 3") && result.stderr.split(separator: "\n").count == 1)
    }
  }

  @Test(arguments: [
    ["install", "dokcer"], ["install"], ["install", "podman", "--default"], ["install", "docker", "--auto"],
    ["uninstall", "docker", "--default"],
  ])
  func aWrongCommandLineIsAUsageError(_ words: [String]) throws {
    let result = try Command([Built.path("wirehook")] + words).run()
    #expect(result.exitCode == 2, "\(result)")
  }
}
