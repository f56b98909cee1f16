import ArgumentParser
import WireCore
import WireEngine

/// What `install` and `uninstall` share.
struct InstallationOptions: ParsableArguments {
  @Argument(
    help: "docker, podman, crio, containerd, cdi, firewalld or systemd.",
    completion: .list(InstallationTarget.allCases.map(\.rawValue)))
  var engine: InstallationTarget
  @Flag(name: .long, help: "Show what would change, and change nothing.") var dryRun = false
  @Flag(name: .long, help: "Make the running engine take it up.") var reload = false
  @Option(
    name: .long,
    help: "The engine's own file, where it is not at its usual place; for podman and crio their folder of hooks.")
  var file: String?
  @Option(name: .long, help: "The root folder of the host whose files are changed, where it is not this one.")
  var root: String?

  func installer() throws(WireError) -> Installer {
    var installer = try Installer()
    var root = Substring(root ?? "")
    while root.last == "/" { root.removeLast() }
    installer.root = String(root)
    installer.file = file
    return installer
  }

  /// Shows or does it.
  func carryOut(_ installation: Installation) throws(WireError) {
    let changes = installation.changes.filter(\.isNeeded)
    if dryRun {
      for change in changes {
        print(TextDifference.unified(change.before, change.after, path: change.path), terminator: "")
      }
    } else {
      try FileChange.apply(changes)
      for change in changes { print(change.summary) }
    }
    if changes.isEmpty { print("nothing to change for \(engine.rawValue)") }
    for note in installation.notes { print("note: \(note)") }
    guard !changes.isEmpty || reload else { return }
    if reload, !dryRun {
      print(try EngineReload.run(installation.reload))
    } else if let command = EngineReload.command(installation.reload) {
      print("to make it take effect: \(command)")
    }
  }
}

extension InstallationTarget: ExpressibleByArgument {}

struct InstallCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "install", abstract: "Put wirehook into a container engine's configuration.",
    discussion: """
      docker      the runtime "wirehook" in /etc/docker/daemon.json
      containerd  the runtime handler "wirehook" of CRI in /etc/containerd/config.toml
      podman      hook definitions in the folder that Podman reads
      crio        the same for CRI-O
      cdi         the device wirehook.io/net=default in /etc/cdi
      firewalld   a zone for wirehook's bridges, and a policy that lets containers out
      systemd     gc and repair at boot, every ten minutes, and after firewalls, Open vSwitch and Docker restart

      Nothing else in these files changes, and the former text is kept beside them. A second run changes nothing.

      Examples:
        wirehook install docker --dry-run
        wirehook install docker --reload && docker run --runtime wirehook --net=none …
      """)

  @OptionGroup var options: InstallationOptions
  @OptionGroup var shared: SharedOptions
  @Flag(name: .customLong("default"), help: "docker, containerd: make it the runtime of containers that name none.")
  var asDefault = false
  @Flag(name: .long, help: "podman, crio: start the hook for all containers, not only those with an annotation.")
  var auto = false

  func perform() throws {
    var installer = try options.installer()
    installer.asDefault = asDefault
    installer.always = auto
    installer.configuration = try shared.config.map { (path) throws(WireError) in try Installer.mainFile(path) }
    try options.carryOut(installer.install(options.engine))
  }

  func validate() throws {
    if asDefault, options.engine != .docker, options.engine != .containerd {
      throw ValidationError("--default is for docker and containerd")
    }
    if auto, options.engine != .podman, options.engine != .crio {
      throw ValidationError("--auto is for podman and crio")
    }
  }
}
