import Foundation
import Glibc
import Support
import Testing

/// A real Podman inside a pretend host, with storage of its own.
final class Podman: @unchecked Sendable {
  /// How Podman comes to start the hook.
  enum Way: String, CaseIterable, Sendable {
    /// `--hooks-dir` with the project's own definitions, and runc or crun.
    case hooksWithRunc, hooksWithCrun
    /// `--runtime wirehook-runc`.
    case shim

    var runtime: Runtime { self == .hooksWithCrun ? .crun : .runc }
  }

  private let host: Sandbox
  private let way: Way
  private let folder: String

  init(_ host: Sandbox, _ way: Way) throws {
    self.host = host
    self.way = way
    folder = "\(host.folder)/podman"
    let root = "\(folder)/busybox"
    guard let busybox = Tool.path("busybox") else { throw Failure("needs busybox") }
    try Command.require([
      "sh", "-c",
      "mkdir -p \(folder)/hooks \(folder)/empty \(root)/bin && cp \(busybox) \(root)/bin/busybox && cd \(root)/bin && "
        + "for n in sh sleep ip cat true echo nc; do ln -s busybox $n; done && tar -C \(root) -cf \(folder)/root.tar .",
    ])
    for stage in ["createRuntime", "poststop"] {
      let text = try String(contentsOfFile: "\(Built.root)/hooks/wirehook-\(stage).json", encoding: .utf8)
      try definition(text, stage).write(toFile: "\(folder)/hooks/\(stage).json", atomically: true, encoding: .utf8)
    }
    try require("import", "\(folder)/root.tar", "localhost/busybox:1.36")
    host.atEnd { [self] in
      _ = try? podman(["rm", "-f", "-t", "0", "-a"])
      // conmon's clean-up of a container may come later, and would make the folder anew.
      _ = try? eventually(within: .seconds(5)) { try !Command(["pgrep", "-f", folder]).run().succeeded }
    }
  }

  /// The project's definition, with the built hook and this test's main file.
  private func definition(_ text: String, _ stage: String) throws -> String {
    guard case .object(var document) = try JSON(parsing: text), case .object(var hook)? = document["hook"] else {
      throw Failure("hooks/wirehook-\(stage).json is no object")
    }
    hook["path"] = .text(try Built.path("wirehook-oci"))
    hook["args"] = .list(["wirehook-oci", "--config", host.configFile, stage].map { .text($0) })
    document["hook"] = .object(hook)
    return JSON.object(document).text
  }

  private func words(_ arguments: [String]) throws -> [String] {
    let runtime = way == .shim ? try Built.path("wirehook-runc") : way.runtime.rawValue
    let podman = [
      "podman", "--root", "\(folder)/root", "--runroot", "\(folder)/run", "--tmpdir", "\(folder)/tmp",
      "--cgroup-manager", "cgroupfs", "--storage-driver", "overlay", "--events-backend", "none", "--runtime", runtime,
      "--hooks-dir", way == .shim ? "\(folder)/empty" : "\(folder)/hooks",
    ]
    // Podman gives its runtime an environment of its own.
    let flags = way == .shim ? ["--runtime-flag", "wirehook-config=\(host.configFile)"] : []
    // crun refuses a hybrid cgroup hierarchy: it gets a mount namespace without the `unified` one.
    let apart = [
      "unshare", "-m", "sh", "-c",
      "mount --make-rprivate / && { umount /sys/fs/cgroup/unified 2>/dev/null || true; } && exec \"$@\"", "sh",
    ]
    return (way.runtime == .crun ? apart : []) + podman + flags + arguments
  }

  func podman(_ arguments: [String]) throws -> Command.Result {
    let output = "\(folder)/output"
    // conmon keeps its caller's output open.
    var result = try host.run(
      ["sh", "-c", "exec \"$@\" >\(output) 2>&1", "sh"] + words(arguments), limit: .seconds(60))
    result.stdout = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    return result
  }

  @discardableResult
  func require(_ arguments: String...) throws -> String {
    let result = try podman(arguments)
    guard result.succeeded else { throw Failure("podman \(arguments): \(result)") }
    return result.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// `podman run -d --network none …`, whatever its end.
  func tryRun(_ name: String, _ options: [String], program: [String]? = nil) throws -> Command.Result {
    let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
    return try podman(
      ["run", "-d", "--name", name, "--network", "none"] + limits + options + ["localhost/busybox:1.36"]
        + (program ?? DockerEngine.server(name)))
  }

  func run(_ name: String, _ options: String..., program: [String]? = nil) throws -> DockerContainer {
    let result = try tryRun(name, options, program: program)
    guard result.succeeded else { throw Failure("\(result)") }
    return try container(name)
  }

  func container(_ name: String) throws -> DockerContainer {
    let words = try require("inspect", "-f", "{{.Id}} {{.State.Pid}}", name).split(separator: " ")
    guard words.count == 2, let pid = Int32(words[1]), pid > 0 else { throw Failure("\(name) does not run: \(words)") }
    return DockerContainer(name: name, id: String(words[0]), pid: pid)
  }
}

private let ways = Podman.Way.allCases.filter { $0.runtime.isThere }

@Suite(.enabled(if: Tool.podman.isThere && !ways.isEmpty, "needs root, podman, busybox, and runc or crun"), .serialized)
struct PodmanTests {
  private static let annotation = ["--annotation", "wirehook.ports=8080:80"]

  @Test(arguments: ways) private func aPublishedPortIsReachedFromStartToRemoval(way: Podman.Way) throws {
    try Sandbox.with { host in
      let podman = try Podman(host, way)
      let warm = try podman.tryRun("warm", ["--annotation", "wirehook.network=front"])
      #expect(warm.succeeded, "\(warm)")
      try podman.require("rm", "-f", "-t", "0", "warm")
      let before = try host.snapshot()
      let web = try podman.run("web", "--annotation", "wirehook.ports=8080:80")
      let addresses = try web.addresses("eth0")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      #expect(try host.list().map { $0["name"].string } == ["web"])
      try podman.require("stop", "-t", "0", "web")
      #expect(try eventually { try host.list().isEmpty })
      try podman.require("start", "web")
      #expect(try host.outside.reaches("web", Sandbox.address4, 8080))
      #expect(try podman.container("web").addresses("eth0") == addresses)
      try podman.require("rm", "-f", "-t", "0", "web")
      let differences = try host.differences(from: before)
      #expect(differences == [])
      // One that ends by itself.
      _ = try podman.run("short", "--annotation", "wirehook.ports=8080:80", program: ["sleep", "1"])
      #expect(try host.list().count == 1)
      #expect(try eventually(within: .seconds(10)) { try host.list().isEmpty })
    }
  }

  @Test(arguments: ways.prefix(1)) private func itsFilesNameItAndTheResolversOfUse(way: Podman.Way) throws {
    try Sandbox.with { host in
      let podman = try Podman(host, way)
      try podman.require("version")
      let web = try podman.run("web", "--annotation", "wirehook.dns=192.168.77.2", "--annotation", "wirehook.alias=www")
      let resolver = try podman.require("exec", "web", "cat", "/etc/resolv.conf")
      #expect(resolver == "# Written by wirehook.\nnameserver 192.168.77.2")
      let hosts = try podman.require("exec", "web", "cat", "/etc/hosts")
      let address = try web.addresses("eth0")[0].prefix { $0 != "/" }
      #expect(hosts.contains("\(address)\t\(web.id.prefix(12)) web www\t"), "\(hosts)")
      #expect(!hosts.contains("127.0.0.1\t\(web.id.prefix(12))"), "\(hosts)")
      #expect(hosts.contains("10.210.4.1\thost.docker.internal host.containers.internal\t"), "\(hosts)")
      #expect(hosts.components(separatedBy: "host.containers.internal").count == 2, "\(hosts)")
      // What was left to the host is the host's, and a second start writes the same.
      let plain = try podman.run("plain", "--annotation", "wirehook.network=front")
      #expect(plain.id != web.id)
      for _ in 0..<2 {
        let text = try podman.require("exec", "plain", "cat", "/etc/resolv.conf")
        #expect(text.hasPrefix("# Written by wirehook.\nnameserver "), "\(text)")
        try podman.require("restart", "-t", "0", "plain")
      }
      try podman.require("rename", "web", "shop")
      #expect(try host.list().contains { $0["name"].string == "shop" })
    }
  }

  @Test(arguments: ways.filter { $0 != .hooksWithCrun }) private func aRefusedPortStopsTheStart(way: Podman.Way) throws
  {
    try Sandbox.with { host in
      let podman = try Podman(host, way)
      _ = try podman.run("first", "--annotation", "wirehook.ports=8080:80")
      let before = try host.snapshot()
      let refused = try podman.tryRun("second", Self.annotation)
      #expect(refused.exitCode != 0)
      #expect(refused.stdout.contains("8080") && refused.stdout.contains("first"), "\(refused)")
      try podman.require("rm", "-f", "second")
      let differences = try host.differences(from: before)
      #expect(differences == [])
    }
  }

  @Test(arguments: ways.filter { $0 != .shim }) private func withoutAnAnnotationTheHooksDoNotRun(way: Podman.Way) throws
  {
    try Sandbox.with { host in
      let podman = try Podman(host, way)
      #expect(try podman.run("plain", program: ["sleep", "900"]).links() == ["lo"])
      #expect(try host.list().isEmpty)
    }
  }
}
