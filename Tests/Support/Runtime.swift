import Foundation
import Glibc

/// A real runtime and how it is started here.
package enum Runtime: String, Sendable, CaseIterable {
  case runc, crun

  package var isThere: Bool { (self == .runc ? Tool.runc : .crun).isThere && Tool.busybox.isThere && Tool.root.isThere }

  /// How it is started, with `program` in its place. crun refuses a hybrid cgroup hierarchy: it gets a mount namespace
  /// without the `unified` one.
  func words(root: String, program: [String]? = nil) -> [String] {
    let program = program ?? [rawValue]
    return switch self {
    case .runc: program + ["--root", root]
    case .crun:
      [
        "unshare", "-m", "sh", "-c",
        "mount --make-rprivate / && { umount /sys/fs/cgroup/unified 2>/dev/null || true; } && exec \"$@\"", "sh",
      ] + program + ["--cgroup-manager=disabled", "--root", root]
    }
  }
}

/// A bundle on busybox, and the container that a real runtime makes of it.
package final class RealContainer: Place, @unchecked Sendable {
  package let id: String
  package let runtime: Runtime
  package let bundle: String
  private let sandbox: Sandbox
  /// What is started in the runtime's place, the shim for instance; nil: the runtime itself.
  private let program: [String]?
  private let lock = NSLock()
  private var knownPid: Int32?
  private var servers: [Server] = []

  package var name: String { id }
  package var netns: String { "/proc/\(lock.withLock { knownPid } ?? 0)/ns/net" }
  package var pid: Int32? { lock.withLock { knownPid } }

  fileprivate init(_ id: String, _ runtime: Runtime, bundle: String, in sandbox: Sandbox, program: [String]?) {
    self.program = program
    self.id = id
    self.runtime = runtime
    self.bundle = bundle
    self.sandbox = sandbox
  }

  /// `RUNTIME ARGUMENTS` inside the pretend host. A detached container keeps the caller's output: it goes to a file.
  @discardableResult
  package func runtime(_ arguments: String..., killAfter limit: Duration = .seconds(20)) throws -> Command.Result {
    let output = "\(bundle)/output"
    let words =
      ["sh", "-c", "exec \"$@\" >\(output) 2>&1", "sh"]
      + runtime.words(root: "\(sandbox.folder)/\(runtime.rawValue)", program: program)
    var result = try sandbox.run(words + arguments, limit: limit)
    result.stdout = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    return result
  }

  /// `RUNTIME run -d`, whatever its end.
  package func tryRun(killAfter limit: Duration = .seconds(20)) throws -> Command.Result {
    let result = try runtime("run", "-d", "--bundle", bundle, "--pid-file", "\(bundle)/pid", id, killAfter: limit)
    if result.succeeded, let text = try? String(contentsOfFile: "\(bundle)/pid", encoding: .utf8) {
      lock.withLock { knownPid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    return result
  }

  /// `RUNTIME run -d`; a failure ends the test.
  package func start() throws {
    let result = try tryRun()
    guard result.succeeded, pid != nil else { throw Failure("\(runtime.rawValue) run \(id): \(result)") }
  }

  /// A server in the container's network namespace.
  @discardableResult
  package func serve(_ port: UInt16) throws -> Server {
    let server = try serve(port, on: nil)
    lock.withLock { servers.append(server) }
    return server
  }

  /// Ends the container and removes it, as `delete --force` does.
  @discardableResult
  package func delete() throws -> Command.Result {
    let all = lock.withLock {
      defer { servers = [] }
      return servers
    }
    for server in all { server.stop() }
    return try runtime("delete", "--force", id)
  }
}

/// A hook entry of config.json.
package struct HookEntry: Sendable {
  var path: String
  var words: [String]

  package init(_ words: String...) {
    path = words.first ?? ""
    self.words = words
  }
  fileprivate var object: [String: Any] { ["path": path, "args": words] }
}

extension Sandbox {
  /// A bundle on busybox that runs `program`. `hooks`: what stands in config.json; nil: the built hook at `stage` and poststop.
  package func realContainer(
    _ id: String, _ runtime: Runtime, annotations: [String: String] = [:], at stage: Stage = .createRuntime,
    program: [String] = ["sleep", "900"], sysctl: [String: String] = [:], hooks: [String: [HookEntry]]? = nil,
    more: [String: [HookEntry]] = [:], userNamespace: Bool = false, startedBy starter: [String]? = nil
  ) throws -> RealContainer {
    let bundle = "\(folder)/real/\(id)"
    try makeRoot("\(bundle)/rootfs")
    let own = try hooks ?? [stage.rawValue: [ownHook(stage)], "poststop": [ownHook(.poststop)]]
    let all = own.merging(more) { $0 + $1 }.mapValues { $0.map(\.object) }
    let spec = try specification(in: bundle)
    var process = spec["process"].members
    process["terminal"] = .bool(false)
    process["rlimits"] = nil
    process["args"] = .list(program.map { .text($0) })
    var linux = spec["linux"].members
    linux["cgroupsPath"] = .text("/\(name)-\(id)")
    if userNamespace {
      let all = try JSON(parsing: #"[{"containerID": 0, "hostID": 100000, "size": 65536}]"#)
      linux["namespaces"] = .list((linux["namespaces"]?.array ?? []) + [.object(["type": .text("user")])])
      (linux["uidMappings"], linux["gidMappings"]) = (all, all)
    }
    if !sysctl.isEmpty { linux["sysctl"] = .object(sysctl.mapValues { .text($0) }) }
    var config = spec.members
    config["process"] = .object(process)
    config["linux"] = .object(linux)
    config["hooks"] = JSON(all)
    config["annotations"] = .object(annotations.mapValues { .text($0) })
    try JSON.object(config).text.write(toFile: "\(bundle)/config.json", atomically: true, encoding: .utf8)
    let container = RealContainer(id, runtime, bundle: bundle, in: self, program: starter)
    let groups = "/sys/fs/cgroup/*/\(name)-\(id)"
    atEnd {
      _ = try? container.delete()
      // A runtime that was killed has nobody who removes its control groups.
      _ = try? Command(["sh", "-c", "cat \(groups)/cgroup.procs | xargs -r kill -9; rmdir \(groups)"]).run()
    }
    return container
  }

  private func ownHook(_ stage: Stage) throws -> HookEntry {
    HookEntry(try Built.path("wirehook-oci"), "--config", configFile, stage.rawValue)
  }

  /// By a shell: a file that this process had open for writing could be held open by a child that another test starts at
  /// that moment, and then cannot be executed ("text file busy").
  private func makeRoot(_ root: String) throws {
    guard let busybox = Tool.path("busybox") else { throw Failure("needs busybox") }
    let script = """
      mkdir -p \(root) && cd \(root) && mkdir bin etc proc sys dev tmp && cp \(busybox) bin/busybox && \
      for name in sh sleep ip cat true; do ln -s busybox bin/$name; done
      """
    try Command.require(["sh", "-c", script])
  }

  /// What the runtime itself proposes as config.json; both understand runc's.
  private func specification(in bundle: String) throws -> JSON {
    let tool = Tool.runc.isThere ? "runc" : "crun"
    try Command.require(["sh", "-c", "cd \(bundle) && \(tool) spec"])
    return try JSON(parsing: String(contentsOfFile: "\(bundle)/config.json", encoding: .utf8))
  }
}
