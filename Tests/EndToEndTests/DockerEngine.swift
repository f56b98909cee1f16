import Foundation
import Glibc
import Support

/// A real dockerd inside a pretend host, with its data, sockets and mounts apart from the machine's.
final class DockerEngine: @unchecked Sendable {
  let host: Sandbox
  private let folder: String
  /// Keeps the mount namespace that dockerd and all its children live in.
  private let holder: Int32
  private let options: [String]
  private let environment: [String]

  static let image = "busybox:1.36"
  /// An image that brings labels of ours.
  static let labelled = "labelled:1"

  /// Forwarding is off, as on a host without Docker: dockerd turns it on, and the policy of FORWARD to DROP with it.
  static func with(
    _ options: [String] = ["--live-restore"], legacy: Bool = false, _ body: (DockerEngine, Sandbox) throws -> Void
  ) throws {
    try Sandbox.with(.init(forwarding: false)) { host in
      let engine = try DockerEngine(host, options, legacy: legacy)
      defer { engine.end() }
      try engine.start()
      try engine.importImages()
      try body(engine, host)
    }
  }

  private init(_ host: Sandbox, _ options: [String], legacy: Bool) throws {
    self.host = host
    self.options = options
    folder = "\(host.folder)/docker"
    try FileManager.default.createDirectory(atPath: "\(folder)/bin", withIntermediateDirectories: true)
    var path = "/usr/sbin:/usr/bin:/sbin:/bin"
    if legacy {
      for name in ["iptables", "ip6tables"] {
        try FileManager.default.createSymbolicLink(
          atPath: "\(folder)/bin/\(name)", withDestinationPath: "/usr/sbin/\(name)-legacy")
      }
      path = "\(folder)/bin:\(path)"
    }
    environment = ["env", "PATH=\(path)", "DOCKER_CONFIG=\(folder)"]
    // userns-remap wants ranges of ids; the machine's own files are not for a test to change.
    let script = """
      printf 'wiretest:x:0:\\nwiretest:100000:65536\\n' >\(folder)/ids; tail -n 1 \(folder)/ids >\(folder)/subids
      cp /etc/passwd \(folder)/passwd; cp /etc/group \(folder)/group
      echo 'wiretest:x:64999:64999::/:/bin/false' >>\(folder)/passwd; echo 'wiretest:x:64999:' >>\(folder)/group
      setsid unshare -m sh -c 'for f in passwd group; do mount --bind \(folder)/$f /etc/$f; done
        for f in subuid subgid; do : >>\(folder)/$f; cat /etc/$f >>\(folder)/$f 2>/dev/null
          cat \(folder)/subids >>\(folder)/$f; [ -e /etc/$f ] && mount --bind \(folder)/$f /etc/$f; done
        : >\(folder)/ready; exec sleep 900' >/dev/null 2>&1 & echo $!
      """
    guard let pid = Int32(try Command.require(["sh", "-c", script]).trimmingCharacters(in: .whitespacesAndNewlines))
    else { throw Failure("no holder") }
    holder = pid
    let folder = folder
    guard try eventually({ FileManager.default.fileExists(atPath: "\(folder)/ready") }) else {
      throw Failure("no holder")
    }
    try install()
  }

  /// As a person installs it, into a host of the tests.
  private func install() throws {
    let result = try host.wirehook("install", "docker", "--root", "\(folder)/host")
    guard result.succeeded else { throw Failure("\(result)") }
  }

  /// Starts dockerd and waits until it answers.
  func start() throws {
    // Where pid 1 reaps late a killed daemon is still there, as a zombie, and the next one takes it for alive.
    for file in pidFiles { try? FileManager.default.removeItem(atPath: file) }
    let daemon =
      environment + [
        "dockerd", "--config-file", "\(folder)/host/etc/docker/daemon.json", "--data-root", "\(folder)/data",
        "--exec-root",
        "\(folder)/exec", "-H", "unix://\(folder)/docker.sock", "--pidfile", "\(folder)/pid", "--oom-score-adjust", "0",
        "--storage-driver", "overlay2",
      ] + options
    let start = "setsid \"$@\" >>\(folder)/log 2>&1 &"
    try Command.require(
      ["nsenter", "--net=\(host.netns)", "--mount=/proc/\(holder)/ns/mnt", "sh", "-c", start, "sh"] + daemon)
    guard try eventually(within: .seconds(20), { try docker("version").succeeded }) else {
      throw Failure("dockerd does not answer: \((try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "")")
    }
  }

  private func importImages() throws {
    let root = "\(folder)/root"
    guard let busybox = Tool.path("busybox") else { throw Failure("needs busybox") }
    try Command.require([
      "sh", "-c",
      "mkdir -p \(root)/bin && cp \(busybox) \(root)/bin/busybox && cd \(root)/bin && "
        + "for n in sh sleep ip cat true echo nc kill ping head wc; do ln -s busybox $n; done && "
        + "tar -C \(root) -cf \(folder)/root.tar .",
    ])
    try require("import", "\(folder)/root.tar", Self.image)
    try require("import", "-c", "LABEL wirehook.ports=9999:80", "\(folder)/root.tar", Self.labelled)
  }

  private var pidFiles: [String] { ["\(folder)/pid", "\(folder)/exec/containerd/containerd.pid"] }

  /// The pids of dockerd and of the containerd that it started.
  func daemons() -> [Int32] {
    pidFiles.compactMap { file in
      (try? String(contentsOfFile: file, encoding: .utf8)).flatMap {
        Int32($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
  }

  /// As a crash of the daemon.
  func kill9() throws {
    let pids = daemons()
    for pid in pids { kill(pid, SIGKILL) }
    guard try eventually({ pids.allSatisfy { !Self.lives($0) } }) else { throw Failure("dockerd lives on") }
  }

  private static func lives(_ pid: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    // A zombie waits for whoever is to reap it.
    return text.split(separator: ")").last?.hasPrefix(" Z") == false
  }

  private func end() {
    _ = try? Command([
      "sh", "-c",
      "ids=$(\(cli.joined(separator: " ")) ps -aq); [ -z \"$ids\" ] || \(cli.joined(separator: " ")) rm -f $ids",
    ])
    .run()
    let pids = daemons()
    for pid in pids { kill(pid, SIGTERM) }
    _ = try? eventually(within: .seconds(10)) { pids.allSatisfy { !Self.lives($0) } }
    for pid in pids where Self.lives(pid) { kill(pid, SIGKILL) }
    kill(holder, SIGKILL)
  }

  private var cli: [String] {
    let program = access("/usr/bin/docker", X_OK) == 0 ? "/usr/bin/docker" : "docker"
    return environment + [program, "-H", "unix://\(folder)/docker.sock"]
  }

  /// `docker WORDS`, whatever its end.
  func docker(_ words: [String], limit: Duration = .seconds(60)) throws -> Command.Result {
    var command = Command(cli + words)
    command.limit = limit
    return try command.run()
  }

  func docker(_ words: String...) throws -> Command.Result { try docker(words) }

  /// `docker WORDS`; a failure ends the test.
  @discardableResult
  func require(_ words: String...) throws -> String { try require(words) }

  @discardableResult
  func require(_ words: [String]) throws -> String {
    let result = try docker(words)
    guard result.succeeded else { throw Failure("\(result)") }
    return result.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// A container that answers on port 80 with its name.
  static func server(_ name: String) -> [String] { ["sh", "-c", "exec nc -ll -p 80 -e echo \(name) ok"] }

  /// `docker run -d --runtime wirehook --name NAME OPTIONS IMAGE …`, whatever its end.
  func tryRun(
    _ name: String, _ options: [String], image: String = image, program: [String]? = nil
  ) throws -> Command.Result {
    try docker(
      ["run", "-d", "--runtime", "wirehook", "--name", name] + options + [image] + (program ?? Self.server(name)))
  }

  /// The same; a failure ends the test.
  @discardableResult
  func run(
    _ name: String, _ options: String..., image: String = image, program: [String]? = nil
  ) throws -> DockerContainer {
    let result = try tryRun(name, options, image: image, program: program)
    guard result.succeeded else { throw Failure("\(result)") }
    return try container(name)
  }

  /// A running container, by its name.
  func container(_ name: String) throws -> DockerContainer {
    let words = try require("inspect", "-f", "{{.Id}} {{.State.Pid}}", name).split(separator: " ")
    guard words.count == 2, let pid = Int32(words[1]), pid > 0 else { throw Failure("\(name) does not run") }
    return DockerContainer(name: name, id: String(words[0]), pid: pid)
  }
}

/// A running container of Docker's or Podman's.
struct DockerContainer: Place {
  let name: String
  let id: String
  let pid: Int32
  var netns: String { "/proc/\(pid)/ns/net" }
}

extension Place {
  /// Whether `server` answers here within a while: a container's program needs its time to start.
  func reaches(_ server: String, _ address: String, _ port: UInt16) throws -> Bool {
    try eventually(within: .seconds(5)) { try ask(address, port).server == server }
  }
}
