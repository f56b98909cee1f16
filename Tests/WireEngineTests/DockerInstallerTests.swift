import Foundation
import Testing
import WireCore
import WireEngine

private let file = "/etc/docker/daemon.json"

/// What people have in that file.
private let texts = [
  "{}", "{ }", "{\n}\n", "", " \n", "{\"a\":1}", "{ \"a\": 1 }\n",
  "{\n\t\"log-driver\": \"json-file\",\n\t\"log-opts\": { \"max-size\": \"10m\" }\n}",
  "{\n    \"hosts\": [\"unix:///run/d.sock\"],\n\n    \"unknown-key\": 1.50e+01 ,\n    \"x\" : { }\n}\n",
  "{\r\n  \"debug\": true\r\n}\r\n",
  "{\"runtimes\": {}}", "{\"runtimes\": null, \"debug\": false}",
  "{\n  \"runtimes\": {\n    \"nvidia\": {\n      \"args\": [],\n      \"path\": \"nvidia-container-runtime\"\n    }\n  },\n  \"default-runtime\": \"nvidia\"\n}\n",
  "{\"default-runtime\":\"runc\",\"runtimes\":{\"a\":{\"path\":\"/a\"},\"b\":{\"path\":\"/b\"}}}",
  "{\"\\u0072untimes\": {\"x\": {\"path\": \"\\u002fx\"}}, \"n\": 18446744073709551615}",
  "{\"emoji\": \"🐳 \\ud83d\\udc33\", \"a\\\"b\": \"}\"}",
]

@Suite struct DockerInstallerTests {
  @Test(arguments: texts, [false, true])
  func anUninstallBringsTheFileBackToTheByte(_ text: String, _ asDefault: Bool) throws {
    let host = try Host([file: text])
    try host.install(.docker, asDefault: asDefault)
    let runtimes = try #require(try host.json(file)["runtimes"] as? [String: Any])
    #expect((runtimes["wirehook"] as? [String: Any])?["path"] as? String == "/usr/local/bin/wirehook-runc")
    if asDefault { #expect(try host.json(file)["default-runtime"] as? String == "wirehook") }
    let installed = host.text(file)
    try host.install(.docker, asDefault: asDefault)
    #expect(host.text(file) == installed, "a second run changes nothing")
    try host.uninstall(.docker)
    #expect(host.text(file) == text)
    #expect(host.files == ["etc/docker/daemon.json"])
  }

  @Test(arguments: texts) func allOtherKeysAreAsTheyWere(_ text: String) throws {
    let host = try Host([file: text])
    try host.install(.docker, asDefault: true)
    let after = try #require(host.text(file))
    // Every piece of the old text between our insertions is there, in its order.
    for part in text.components(separatedBy: CharacterSet(charactersIn: ",{}\r\n")) {
      let piece = part.trimmingCharacters(in: .whitespaces)
      if piece.contains("runtime") || piece.contains("null") { continue }
      #expect(piece.isEmpty || after.contains(piece), "\(piece)")
    }
    try host.installer.install(.docker).changes.forEach { #expect(!$0.isNeeded) }
  }

  /// What was added later stays, what is ours goes, and the default is again what it was.
  @Test(arguments: [false, true]) func aFileThatSomebodyChangedMeanwhileLosesOnlyWhatIsOurs(_ asDefault: Bool) throws {
    let host = try Host([
      file: "{\n  \"default-runtime\": \"crun\",\n  \"runtimes\": { \"crun\": { \"path\": \"crun\" } }\n}\n"
    ])
    try host.install(.docker, asDefault: asDefault)
    try host.write(file, try #require(host.text(file)).replacing("{\n  \"def", with: "{\n  \"debug\": true,\n  \"def"))
    try host.uninstall(.docker)
    #expect(
      host.text(file)
        == "{\n  \"debug\": true,\n  \"default-runtime\": \"crun\",\n  \"runtimes\": { \"crun\": { \"path\": \"crun\" } }\n}\n"
    )
  }

  @Test func aFileThatWasNotThereGoesAgain() throws {
    let host = try Host()
    try host.install(.docker, asDefault: true)
    #expect(try host.json(file).keys.sorted() == ["default-runtime", "runtimes"])
    try host.uninstall(.docker)
    #expect(host.files == [])
  }

  @Test func plainFirstAndDefaultLaterIsTakenBackAsWell() throws {
    let text = "{\n  \"debug\": true\n}"
    let host = try Host([file: text])
    try host.install(.docker)
    try host.install(.docker, asDefault: true)
    try host.install(.docker)
    #expect(try host.json(file)["default-runtime"] as? String == "wirehook")
    try host.uninstall(.docker)
    #expect(host.text(file) == text)
  }

  @Test func theFormerTextIsKeptWithItsMode() throws {
    let host = try Host([file: "{\"a\": 1}"])
    chmod(host.root + file, 0o600)
    chown(host.root + file, getuid() == 0 ? 1234 : getuid(), getgid())
    let before = try host.attributes(file)
    try host.install(.docker)
    #expect(try host.attributes(file) == before)
    #expect(host.text(file + ".before-wirehook") == "{\"a\": 1}")
    #expect(try host.attributes(file + ".before-wirehook") == before)
    try host.uninstall(.docker)
    #expect(try host.attributes(file) == before)
  }

  @Test func aLinkStaysALink() throws {
    let host = try Host(["/srv/docker.json": "{\"a\": 1}"])
    try FileManager.default.createDirectory(atPath: host.root + "/etc/docker", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: host.root + file, withDestinationPath: "../../srv/docker.json")
    try host.install(.docker)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: host.root + file) == "../../srv/docker.json")
    #expect(try #require(host.text("/srv/docker.json")).contains("wirehook-runc"))
    try host.uninstall(.docker)
    #expect(host.text("/srv/docker.json") == "{\"a\": 1}")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: host.root + file) == "../../srv/docker.json")
  }

  @Test func aLinkThatLeadsNowhereIsLeftAlone() throws {
    let host = try Host()
    try FileManager.default.createDirectory(atPath: host.root + "/etc/docker", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: host.root + file, withDestinationPath: "/nowhere/daemon.json")
    let error = try #require(throws: WireError.self) { try host.install(.docker) }
    #expect(error.description.contains(file))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: host.root + file) == "/nowhere/daemon.json")
  }

  @Test(arguments: [
    ("{\n  \"a\": 1,\n}", "line 3"), ("{\"a\" 1}", "line 1, column 6"), ("[]", "line 1"), ("{\"a\": 1}\n{}", "line 2"),
    ("{\n\"a\": 1 // no\n}", "line 2"), ("{\"runtimes\": {}, \"runtimes\": {}}", "\"runtimes\" again"),
    ("{\"runtimes\": []}", "expected an object"), ("\u{feff}{}", "line 1"),
  ])
  func aFileThatIsNotValidIsRefusedWithTheLine(_ text: String, _ place: String) throws {
    let host = try Host([file: text])
    let error = try #require(throws: WireError.self) { try host.install(.docker) }
    #expect(error.description.contains(place) && error.description.contains(file), "\(error)")
    #expect(host.text(file) == text)
    #expect(host.files == ["etc/docker/daemon.json"])
  }

  @Test func anotherRuntimeOfThisNameIsNotReplaced() throws {
    let text = #"{"runtimes": {"wirehook": {"path": "/opt/other"}}}"#
    let host = try Host([file: text])
    let error = try #require(throws: WireError.self) { try host.install(.docker) }
    #expect(error.description.contains("runtimes.wirehook"))
    try host.uninstall(.docker)
    #expect(host.text(file) == text)
  }

  @Test func anInstallationElsewhereIsBroughtUpToDateAndOptionsStay() throws {
    let host = try Host([file: #"{"runtimes": {"wirehook": {"path": "/usr/bin/wirehook-runc"}}}"#])
    try host.install(.docker)
    #expect(host.text(file) == #"{"runtimes": {"wirehook": { "path": "/usr/local/bin/wirehook-runc" }}}"#)
    let own = #"{"runtimes": {"wirehook": {"runtimeArgs": ["--debug"], "path": "/usr/local/bin/wirehook-runc"}}}"#
    try host.write(file, own)
    try host.install(.docker)
    #expect(host.text(file) == own)
  }

  @Test func aMainFileIsHandedOn() throws {
    let host = try Host()
    host.installer.configuration = "/srv/w.json"
    try host.install(.docker)
    let runtimes = try #require(try host.json(file)["runtimes"] as? [String: [String: Any]])
    #expect(runtimes["wirehook"]?["runtimeArgs"] as? [String] == ["--wirehook-config", "/srv/w.json"])
  }

  @Test func daemonsAreFoundByNameAndNotWithinContainers() throws {
    let host = try Host([
      "/7/comm": "dockerd\n", "/7/cmdline": "/usr/bin/dockerd\0-H\0fd://\0--config-file=/x y\0", "/8/comm": "dockerd\n",
      "/8/cmdline": "dockerd\0", "/8/root/x": "", "/9/comm": "docker\n", "/9/cmdline": "docker\0",
      "/self/comm": "dockerd\n",
    ])
    for pid in ["7", "9"] {
      try FileManager.default.createSymbolicLink(atPath: "\(host.root)/\(pid)/root", withDestinationPath: "/")
    }
    let found = RunningDaemon.find("dockerd", in: host.root)
    #expect(found.map(\.pid) == [7])
    #expect(found.first?.words == ["/usr/bin/dockerd", "-H", "fd://", "--config-file=/x y"])
    #expect(found.first?.values(of: "--config-file") == ["/x y"] && found.first?.values(of: "-H") == ["fd://"])
  }

  @Test func aDaemonThatReadsAnotherFileIsNamed() throws {
    let host = try Host()
    var installation = Installation()
    let daemon = RunningDaemon(pid: 7, words: ["dockerd", "--config-file", "/srv/other.json"])
    try host.installer.observe([daemon], removing: false, &installation)
    #expect(installation.reload == .nothing)
    #expect(installation.notes.count == 1 && installation.notes[0].contains("/srv/other.json"))
  }

  @Test func dockerdForgetsARuntimeOnlyAtARestartWhichIsNotOursToOrder() throws {
    let host = try Host([file: "{}"])
    host.installer.file = host.root + file
    var installation = Installation()
    let daemon = RunningDaemon(pid: 7, words: ["dockerd", "--config-file", host.root + file])
    try host.installer.observe([daemon], removing: true, &installation)
    #expect(installation.reload == .restartByHand("docker"))
    #expect(try EngineReload.run(installation.reload).hasPrefix("not done"))
  }

  @Test func aDaemonWithFlagsInTheWayIsNamed() throws {
    let host = try Host()
    host.installer.file = host.root + file
    try host.write(file, "{}")
    var installation = Installation()
    let own = "--config-file=" + host.root + file
    let daemon = RunningDaemon(pid: 7, words: ["dockerd", own, "--add-runtime", "wirehook=/other"])
    try host.installer.observe([daemon], removing: false, &installation)
    #expect(installation.reload == .signal([7]))
    #expect(installation.notes.count == 1 && installation.notes[0].contains("wirehook=/other"))
    host.installer.asDefault = true
    let other = RunningDaemon(pid: 8, words: ["dockerd", own, "--default-runtime=runc"])
    #expect(throws: WireError.self) { try host.installer.observe([other], removing: false, &installation) }
  }

  @Test func aChangeThatFailsTakesTheOthersBack() throws {
    let host = try Host([file: "{}", "/blocked": ""])
    let path = host.root + file
    let changes = [
      FileChange(path: path, before: Array("{}".utf8), after: Array("{ }".utf8)),
      FileChange(path: host.root + "/blocked/x", before: nil, after: []),
    ]
    #expect(throws: WireError.self) { try FileChange.apply(changes) }
    #expect(host.text(file) == "{}")
  }
}
