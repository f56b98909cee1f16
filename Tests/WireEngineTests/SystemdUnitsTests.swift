import Foundation
import Testing
import WireCore
import WireEngine

/// Units and drop-ins: what `wirehook install systemd` writes, and takes away again.
@Suite struct SystemdUnitsTests {
  private static let services = ["nftables", "firewalld", "openvswitch-switch", "docker"]

  private func host() throws -> Host {
    let host = try Host()
    try FileManager.default.createDirectory(
      atPath: host.root + "/etc/systemd/system", withIntermediateDirectories: true)
    for service in Self.services {
      try host.write("/usr/lib/systemd/system/\(service).service", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
    }
    return host
  }

  private var repository: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "systemd")
  }

  @Test func theyAreThoseOfTheRepositoryAndGoAgain() throws {
    let host = try host()
    let before = host.files
    try host.install(.systemd)
    let shipped = try FileManager.default.subpathsOfDirectory(atPath: repository.path).filter {
      $0.hasSuffix(".conf") || $0.hasPrefix("wirehook")
    }
    let written = Set(host.files).subtracting(before)
    #expect(written == Set(shipped.map { "etc/systemd/system/\($0)" }))
    for name in shipped {
      let text = try String(contentsOf: repository.appending(path: name), encoding: .utf8)
      #expect(host.text("/etc/systemd/system/\(name)") == text, "\(name)")
    }
    #expect(try host.installer.install(.systemd).changes.allSatisfy { !$0.isNeeded })
    try host.uninstall(.systemd)
    #expect(host.files == before)
  }

  @Test func aMainFileOfItsOwnIsPassedOn() throws {
    let host = try host()
    host.installer.configuration = "/srv/w.json"
    try host.install(.systemd)
    let text = try #require(host.text("/etc/systemd/system/wirehook-repair.service"))
    #expect(text.contains("ExecStart=/usr/local/bin/wirehook repair --config /srv/w.json\n"))
  }

  @Test func aHostWithoutSystemdIsSaidToLackIt() throws {
    let host = try Host()
    #expect(throws: WireError.self) { try host.install(.systemd) }
    #expect(host.files == [])
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze"), "needs systemd-analyze"))
  func systemdHasNothingAgainstThem() throws {
    let host = try host()
    let folder = "\(host.root)/usr/lib/systemd/system"
    host.installer = Installer(shim: "\(host.root)/bin/wirehook-runc", hook: "\(host.root)/bin/wirehook-oci")
    host.installer.root = host.root
    try host.write("/bin/wirehook", "#!/bin/sh\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(host.root)/bin/wirehook")
    try host.install(.systemd)
    for name in host.files where name.hasPrefix("etc/systemd/system/") {
      let text = try #require(host.text("/\(name)"))
      try host.write("/usr/lib/systemd/system/\(name.dropFirst("etc/systemd/system/".count))", text)
    }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/systemd-analyze")
    process.environment = ["SYSTEMD_UNIT_PATH": "\(folder):", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    process.arguments =
      ["verify", "--man=no", "\(folder)/wirehook-repair.service", "\(folder)/wirehook-repair.timer"]
      + Self.services.map { "\(folder)/\($0).service" }
    process.standardError = output
    process.standardOutput = output
    try process.run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let ours = said.split(separator: "\n").filter { $0.contains("wirehook") }
    #expect(ours == [] && process.terminationStatus == 0, "\(said)")
  }
}
