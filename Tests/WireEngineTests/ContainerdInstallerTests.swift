import Testing
import WireCore
import WireEngine

private let file = "/etc/containerd/config.toml"

private let texts = [
  "", "\n", "# nothing\n", "version = 2\n", "version = 2", "version = 3\n", "version=1\n[plugins.cri]\n  x = 1\n",
  "[plugins]\n[plugins.cri.containerd]\ndefault_runtime_name = \"runc\"\n",
  "version = 2 # two\n\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n      default_runtime_name = \"runc\"  # mine\n\n",
  "version = 2\n[plugins.'io.containerd.grpc.v1.cri' . containerd] # spaced\n  snapshotter = 'overlayfs'\n",
  "version = 2\r\n[grpc]\r\n  address = \"/run/c.sock\"\r\n",
  "version = 2\nimports = [\n  \"/etc/containerd/conf.d/*.toml\", # \"not this\"\n]\n[a]\nx = \"\"\"\n[not.a.header]\n\"\"\"\ny = [\n[\"b\"]\n]\n",
]

@Suite struct ContainerdInstallerTests {
  @Test(arguments: texts, [false, true])
  func anUninstallBringsTheFileBackToTheByte(_ text: String, _ asDefault: Bool) throws {
    let host = try Host([file: text])
    try host.install(.containerd, asDefault: asDefault)
    let installed = try #require(host.text(file))
    for line in text.unicodeScalars.split(separator: "\n") where !line.contains("=") || !asDefault {
      #expect(installed.unicodeScalars.contains(line), "\(String(line))")
    }
    #expect(installed.contains("BinaryName = \"/usr/local/bin/wirehook-runc\""))
    #expect(installed.contains("default_runtime_name = \"wirehook\"") == asDefault)
    try host.install(.containerd)
    #expect(host.text(file) == installed, "a second run changes nothing, a default stays")
    try host.uninstall(.containerd)
    #expect(host.text(file) == text)
    #expect(host.files == ["etc/containerd/config.toml"])
  }

  @Test(arguments: [
    ("version = 2\n", "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.wirehook]"),
    ("version = 3\n", "[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.wirehook]"),
    ("root = \"/x\"\n", "[plugins.cri.containerd.runtimes.wirehook]"),
  ])
  func theTableFollowsTheFilesVersion(_ text: String, _ header: String) throws {
    let host = try Host([file: text])
    try host.install(.containerd)
    #expect(try #require(host.text(file)).split(separator: "\n").contains { $0 == header })
  }

  @Test(arguments: [false, true]) func whatSomebodyAddedMeanwhileStays(_ asDefault: Bool) throws {
    let text = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  default_runtime_name = \"crun\"\n"
    let host = try Host([file: text])
    try host.install(.containerd, asDefault: asDefault)
    try host.write(file, "# a remark\n" + (try #require(host.text(file))) + "[grpc]\n  gid = 7\n")
    try host.uninstall(.containerd)
    #expect(host.text(file) == "# a remark\n" + text + "[grpc]\n  gid = 7\n")
  }

  @Test func aFileThatWasNotThereGoesAgain() throws {
    let host = try Host()
    try host.install(.containerd)
    #expect(try #require(host.text(file)).contains("version = 2\n"))
    try host.uninstall(.containerd)
    #expect(host.files == [])
  }

  @Test(arguments: [
    ("version = 2\n[plugins]\nx = {\n", "ends within a value"), ("version = 2\n[plugins\n", "line 2"),
    ("version = 9\n", "version 9"), ("version = 2\nnonsense\n", "line 2"),
    ("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\ncontainerd = { runtimes = {} }\n", "line 3"),
    ("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.wirehook]\n", "line 2"),
    ("version = 2\n# wirehook: begin (wirehook uninstall containerd takes it out)\n", "no line"),
  ])
  func whatCannotBeEditedIsRefusedWithTheLine(_ text: String, _ place: String) throws {
    let host = try Host([file: text])
    let error = try #require(throws: WireError.self) { try host.install(.containerd) }
    #expect(error.description.contains(place) && error.description.contains(file), "\(error)")
    #expect(host.text(file) == text)
  }

  @Test func anImportedFileWithTheSamePluginIsNamed() throws {
    let host = try Host([
      file: "version = 2\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n",
      "/etc/containerd/conf.d/a.toml": "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n",
      "/etc/containerd/conf.d/b.toml": "version = 2\n[grpc]\n",
    ])
    let notes = try host.install(.containerd).notes
    #expect(notes.count == 1 && notes[0].contains("conf.d/a.toml"), "\(notes)")
  }

  @Test func aDisabledPluginIsSaid() throws {
    let host = try Host([file: "disabled_plugins = [\"cri\"]\n"])
    #expect(try host.install(.containerd).notes.contains { $0.contains("disabled") })
  }

  @Test func aMainFileCannotBeHandedOn() throws {
    let host = try Host()
    host.installer.configuration = "/srv/w.json"
    #expect(throws: WireError.self) { try host.install(.containerd) }
  }
}
