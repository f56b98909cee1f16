internal import Glibc
import WireCore
import WireJSON
import WireLinux
import WireOCI
import WirePlan

/// Containers that run on this host, as the processes that watch them and the files of plain runtimes show them. No daemon
/// is asked, so one that hangs or restarts is in nobody's way.
enum RunningContainers {
  /// One of them.
  struct Found {
    var id: String
    var pid: Int32
    var bundle: String?
    var name: String?
    var engine: EngineReference?
  }

  /// All of them, each once.
  static func all() -> [Found] {
    var found: [Found] = []
    for one in shims() + monitors() + states() where !found.contains(where: { $0.id == one.id }) {
      found.append(named(one))
    }
    return found
  }

  /// Docker's and containerd's: a shim each (or one for a pod), in whose working directory's folder the bundles lie.
  private static func shims() -> [Found] {
    RunningDaemon.find("containerd-shim").flatMap { shim -> [Found] in
      guard let bundle = try? Files.resolved("/proc/\(shim.pid)/cwd"), let slash = bundle.lastIndex(of: "/") else {
        return []
      }
      let folder = String(bundle[..<slash])
      let ids = shim.values(of: "-id").prefix(1)
      return ids.compactMap { id in
        guard let pid = number(in: "\(folder)/\(id)/init.pid") else { return nil }
        return Found(id: id, pid: pid, bundle: "\(folder)/\(id)")
      }
    }
  }

  /// Podman's and CRI-O's.
  private static func monitors() -> [Found] {
    RunningDaemon.find("conmon").compactMap { monitor in
      guard let id = monitor.values(of: "-c").first, let file = monitor.values(of: "-p").first,
        let pid = number(in: file)
      else { return nil }
      return Found(id: id, pid: pid, bundle: monitor.values(of: "-b").first, name: monitor.values(of: "-n").first)
    }
  }

  /// runc's `ID/state.json` and crun's `ID/status`, where the runtimes keep them.
  private static func states() -> [Found] {
    roots().flatMap { root -> [Found] in
      guard let ids = try? Files.list(root) else { return [] }
      return ids.compactMap { state($0, "\(root)/\($0)/state.json") ?? state($0, "\(root)/\($0)/status") }
    }
  }

  private static func roots() -> [String] {
    let own = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) }
    return (["/run"] + (own.map { [$0] } ?? [])).flatMap { base in ["runc", "crun", "youki"].map { "\(base)/\($0)" } }
      + ["/run/docker/runtime-runc/moby", "/run/containerd/runc/default", "/run/containerd/runc/k8s.io"]
  }

  private static func state(_ id: String, _ path: String) -> Found? {
    guard let bytes = try? Files.read(path, limit: 4 << 20),
      let json = try? JSONValue.parse(bytes, limits: .bundle, duplicates: .lastWins),
      case .integer(let pid)? = json["init_process_pid"] ?? json["pid"], let pid = Int32(exactly: pid), pid > 0,
      (try? ProcessIdentity.of(pid: pid)) != nil
    else { return nil }
    var found = Found(id: id, pid: pid)
    if case .string(let bundle)? = json["bundle"] { found.bundle = bundle }
    if case .array(let labels)? = json["config"]?["labels"] {
      for case .string(let label) in labels where label.hasPrefix("bundle=") {
        found.bundle = String(label.dropFirst("bundle=".count))
      }
    }
    return found
  }

  /// The name that its engine has for it, by the bundle.
  private static func named(_ one: Found) -> Found {
    var found = one
    guard let path = found.bundle, let bytes = try? Files.read("\(path)/config.json", limit: 16 << 20),
      let bundle = try? Bundle.parse(bytes)
    else { return found }
    if let docker = try? DockerFiles.find(id: found.id, bundle, at: path) {
      found.engine = EngineReference(.docker, directory: docker.location.containers)
      found.name = DockerFiles.name(of: found.id, in: docker.location.containers)
    } else if PodmanBundle.isPodmans(bundle.annotations),
      let directory = PodmanBundle.containers(bundle: path, id: found.id)
    {
      found.engine = EngineReference(.podman, directory: directory)
      found.name = PodmanFiles.name(of: found.id, in: directory) ?? found.name
    } else {
      found.name = found.name ?? ContainerNames.name(in: bundle.annotations)
    }
    return found
  }

  private static func number(in path: String) -> Int32? {
    guard let bytes = try? Files.read(path, limit: 64) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
    return DecimalNumber.parse(text, upTo: UInt64(Int32.max)).map { Int32($0) }
  }
}
