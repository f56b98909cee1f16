internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireOCI
import WirePlan

/// Finds the container's /etc/hosts and /etc/resolv.conf, as far as they are ours to change: the files that the engine
/// made for it, never one that the user mounted.
struct NameFiles {
  let state: ContainerState
  let bundle: Bundle
  let engine: EngineFacts
  let log: Log

  /// The longest such file that is read or written, in bytes.
  static let limit = 1 << 20

  /// Looks for them; a plain bundle's own root is changed only where the container asks for it.
  func facts(for request: NameRequest) -> NameFacts {
    var facts = NameFacts()
    facts.hostname = bundle.hostname
    facts.domainname = engine.domainname
    facts.engineHosts = engine.hosts
    facts.serversAreChosen = engine.serversAreChosen
    facts.hosts = enginesFile("hosts")
    if facts.hosts == nil, request.asksForHosts { facts.hosts = roots("hosts") }
    facts.resolver = enginesFile("resolv.conf")
    if facts.resolver == nil, request.asksForResolver { facts.resolver = roots("resolv.conf") }
    if facts.resolver == nil, engine.reference?.kind == .podman { facts.resolver = missingResolver() }
    if let file = facts.resolver, request.servers.isEmpty, !facts.serversAreChosen {
      facts.servers = ResolverText.servers(contents(of: file) ?? [])
      let hasOthers = facts.servers.contains { IPAddress($0)?.isLoopback == false }
      if !hasOthers || file.place == .root { facts.upstreams = Self.upstreams() }
    }
    return facts
  }

  /// The engine's own file that is mounted at /etc/NAME.
  private func enginesFile(_ name: String) -> ContainerFile? {
    guard let reference = engine.reference, let source = mount(at: name)?.source else { return nil }
    switch reference.kind {
    case .docker:
      guard source == "\(reference.directory)/\(state.id)/\(name)" else { return nil }
      return ContainerFile(.engine, directory: reference.directory, name: "\(state.id)/\(name)")
    case .podman:
      guard PodmanBundle.isOwn(source: source, name: name, id: state.id) else { return nil }
      let relative = "\(state.id)/userdata/\(name)"
      return ContainerFile(.engine, directory: String(source.dropLast(relative.utf8.count + 1)), name: relative)
    }
  }

  private func mount(at name: String) -> Bundle.Mount? { bundle.mounts.last { $0.destination == "/etc/" + name } }

  /// The file in the container's root, unless something is mounted over it.
  private func roots(_ name: String) -> ContainerFile? {
    if let source = mount(at: name)?.source {
      log.write(.warning, "container \(state.id): /etc/\(name) is \(source), which is not ours to change")
      return nil
    }
    guard let root = root else { return nil }
    return ContainerFile(.root, directory: root, name: "etc/" + name)
  }

  /// Podman makes no /etc/resolv.conf for `--network none`. One that the image brought stays as it is.
  private func missingResolver() -> ContainerFile? {
    guard mount(at: "resolv.conf") == nil, let root else { return nil }
    let file = ContainerFile(.root, directory: root, name: "etc/resolv.conf")
    guard let bytes = contents(of: file) else { return file }
    return bytes.isEmpty || ResolverText.isOurs(bytes) ? file : nil
  }

  private var root: String? {
    guard let path = bundle.rootPath, !path.isEmpty else { return nil }
    return path.utf8.first == UInt8(ascii: "/") ? path : state.bundle.map { "\($0)/\(path)" }
  }

  /// What is in the file; nil where there is none.
  private func contents(of file: ContainerFile) -> [UInt8]? {
    do throws(SystemError) {
      return try FileEditor.contents(of: file)
    } catch {
      if error.errno != ENOENT { log.write(.warning, "container \(state.id): \(error)") }
      return nil
    }
  }

  /// The resolvers that the host asks in the end: its own, or where that is a stub on loopback, what systemd-resolved
  /// hands the questions to.
  private static func upstreams() -> [IPAddress] {
    for path in ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] {
      do throws(SystemError) {
        let servers = ResolverText.servers(try Files.read(path, limit: limit)).compactMap { IPAddress($0) }
        let others = servers.filter { !$0.isLoopback }
        if !others.isEmpty { return others }
      } catch {
        continue
      }
    }
    return []
  }
}

/// Reads and changes the files that a plan names.
enum FileEditor {
  static func contents(of file: ContainerFile) throws(SystemError) -> [UInt8] {
    let directory = try Directory(file.directory)
    switch file.place {
    case .engine: return try directory.read(file.name, limit: NameFiles.limit)
    case .root:
      let open = try directory.openInRoot(file.name, O_RDONLY | O_NOCTTY | O_NONBLOCK)
      return try Files.contents(of: open, path: "\(file.directory)/\(file.name)", limit: NameFiles.limit)
    }
  }

  /// Makes the changes among the steps. One that the container did not ask for does not stop its start.
  static func apply(
    _ steps: [NumberedStep], _ what: String, failAt: Int?, log: Log
  ) throws(WireError) {
    for numbered in steps {
      guard case .edit(let edit) = numbered.step else { continue }
      if numbered.index == failAt { throw WireError(what, "step \(numbered.index) was told to fail") }
      do throws(SystemError) {
        try apply(edit)
      } catch {
        let failure = WireError("\(what): writing /etc/\(edit.file.name.split(separator: "/").last ?? "")", "\(error)")
        guard !edit.isRequired else { throw failure }
        log.write(.warning, "\(failure)")
      }
    }
  }

  private static func apply(_ edit: FileEdit) throws(SystemError) {
    let directory = try Directory(edit.file.directory)
    let flags = O_RDWR | O_NOCTTY | O_NONBLOCK
    let path = "\(edit.file.directory)/\(edit.file.name)"
    let file =
      switch edit.file.place {
      case .engine: try directory.open(edit.file.name, flags)
      case .root: try directory.openInRoot(edit.file.name, flags | O_CREAT, mode: 0o644)
      }
    try InPlaceFile.edit(file, path: path, limit: NameFiles.limit) { edit.edited($0) }
  }
}
