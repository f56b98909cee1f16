import Foundation
import Testing
import WireCore
import WireEngine

private let hooks = "/usr/share/containers/oci/hooks.d"

@Suite struct OwnFilesTests {
  @Test(arguments: [InstallationTarget.podman, .crio])
  func hookDefinitionsAreThoseOfTheRepository(_ target: InstallationTarget) throws {
    let host = try Host()
    try host.install(target)
    let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    for name in ["wirehook-createRuntime.json", "wirehook-poststop.json"] {
      let data = try Data(contentsOf: repository.appending(path: "hooks/\(name)"))
      let shipped = try #require(try JSONSerialization.jsonObject(with: data) as? NSDictionary)
      #expect(try host.json("\(hooks)/\(name)") as NSDictionary == shipped)
    }
    try host.uninstall(target)
    #expect(host.files == [])
  }

  @Test func autoIsForAllContainersAndCanBeTakenBack() throws {
    let host = try Host()
    try host.install(.podman, always: true)
    let when = try host.json("\(hooks)/wirehook-poststop.json")["when"] as? NSDictionary
    #expect(when == ["always": true])
    try host.install(.podman)
    #expect(try #require(host.text("\(hooks)/wirehook-poststop.json")).contains("^wirehook"))
  }

  @Test(arguments: [
    ("[engine]\nhooks_dir = [\"/srv/hooks\", \"/b\"]\n", "/srv/hooks"),
    ("[engine]\nhooks_dir = [\n  # \"/no\",\n  \"/srv/hooks\",\n]\n", "/srv/hooks"),
    ("[engine]\n# hooks_dir = [\"/srv/hooks\"]\n", hooks),
    ("[engine]\nhooks_dir = [\"/srv/hooks\", \"\(hooks)\"]\n", hooks),
  ])
  func podmansOwnChoiceOfFoldersIsFollowed(_ configuration: String, _ folder: String) throws {
    let host = try Host(["/etc/containers/containers.conf": configuration])
    try host.install(.podman)
    #expect(host.text("\(folder)/wirehook-createRuntime.json") != nil, "\(host.files)")
    try host.uninstall(.podman)
    #expect(host.files == ["etc/containers/containers.conf"])
  }

  /// The fields that the CDI specification knows; its loader refuses any other.
  @Test func theCDIFileHasTheFormOfItsSpecification() throws {
    let host = try Host()
    host.installer.configuration = "/srv/w.json"
    try host.install(.cdi)
    let cdi = try host.json("/etc/cdi/wirehook.json")
    #expect(cdi.keys.sorted() == ["cdiVersion", "devices", "kind"])
    #expect(cdi["cdiVersion"] as? String == "0.3.0" && cdi["kind"] as? String == "wirehook.io/net")
    let devices = try #require(cdi["devices"] as? [[String: Any]])
    #expect(devices.count == 1 && devices[0].keys.sorted() == ["containerEdits", "name"])
    let edits = try #require(devices[0]["containerEdits"] as? [String: [[String: Any]]])
    #expect(edits.keys.sorted() == ["hooks"])
    #expect(edits["hooks"]?.map { $0["hookName"] as? String } == ["createRuntime", "poststop"])
    for hook in edits["hooks"] ?? [] {
      #expect(hook.keys.sorted() == ["args", "hookName", "path", "timeout"])
      #expect(hook["path"] as? String == "/usr/local/bin/wirehook-oci" && hook["timeout"] as? Int == 30)
      #expect((hook["args"] as? [String])?.prefix(3) == ["wirehook-oci", "--config", "/srv/w.json"])
    }
    try host.uninstall(.cdi)
    #expect(host.files == [])
  }

  @Test func dropInsGoWithTheLastEngineAndOnlyWhereSomebodyReadsThem() throws {
    let host = try Host()
    for folder in ["/etc/udev", "/etc/systemd", "/etc/NetworkManager"] {
      try FileManager.default.createDirectory(atPath: host.root + folder, withIntermediateDirectories: true)
    }
    let dropIns = [
      "etc/NetworkManager/conf.d/90-wirehook.conf", "etc/systemd/network/10-wirehook.link",
      "etc/systemd/network/10-wirehook.network", "etc/udev/rules.d/60-wirehook.rules",
    ]
    let engines: [InstallationTarget] = [.docker, .podman, .crio, .containerd, .cdi]
    for target in engines { try host.install(target) }
    #expect(Set(host.files).isSuperset(of: dropIns))
    for target in [InstallationTarget.docker, .containerd, .cdi] {
      try host.uninstall(target)
      #expect(Set(host.files).isSuperset(of: dropIns), "after \(target)")
    }
    try host.uninstall(.crio)
    #expect(host.files == [])
    try host.uninstall(.podman)

    let bare = try Host()
    try bare.install(.docker)
    #expect(bare.files == ["etc/docker/daemon.json"])
  }

  @Test func theDifferenceIsShownAsDiffDoes() {
    let old = (1...9).map { "line \($0)\n" }.joined()
    let new = old.replacing("line 5\n", with: "line five\n\tmore\u{1b}[31m\n")
    let shown = TextDifference.unified(Array(old.utf8), Array(new.utf8), path: "/f")
    #expect(
      shown == """
        --- /f
        +++ /f
        @@ -2,7 +2,8 @@
         line 2
         line 3
         line 4
        -line 5
        +line five
        +\tmore\\x1b[31m
         line 6
         line 7
         line 8

        """)
    #expect(
      TextDifference.unified(nil, Array("a".utf8), path: "/f").hasSuffix(
        "@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n"))
    #expect(
      TextDifference.unified(Array("a\n".utf8), nil, path: "/f") == "--- /f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n")
  }
}
