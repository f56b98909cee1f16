package import WireCore
import WireLinux

extension Installer {
  var dockerFile: String { file ?? root + "/etc/docker/daemon.json" }

  var daemonJSON: DaemonJSON {
    DaemonJSON(
      file: dockerFile, shim: shim, arguments: configuration.map { ["--wirehook-config", $0] } ?? [])
  }

  func docker(removing: Bool) throws(WireError) -> Installation {
    let json = daemonJSON
    let isInstalled = try read(dockerFile).map { (bytes) throws(WireError) in try json.isInstalled(in: bytes) } ?? false
    let asDefault = asDefault
    var result = Installation()
    result.changes.append(
      try change(
        dockerFile, removing: removing, isInstalled: isInstalled,
        edited: { (bytes, copy) throws(WireError) in
          guard removing else { return try json.installed(in: bytes, asDefault: asDefault) }
          return try bytes.flatMap { (bytes) throws(WireError) in try json.removed(from: bytes, original: copy) }
        },
        variants: { (copy) throws(WireError) in
          let plain = try json.installed(in: copy, asDefault: false)
          return [
            plain, try json.installed(in: copy, asDefault: true), try json.installed(in: plain, asDefault: true),
          ]
        }))
    // Another host's files are no running daemon's.
    guard root.isEmpty else { return result }
    try observe(RunningDaemon.find("dockerd"), removing: removing, &result)
    return result
  }

  /// What the daemons that run have to do with the file.
  package func observe(_ daemons: [RunningDaemon], removing: Bool, _ result: inout Installation) throws(WireError) {
    let own = try target(of: dockerFile)
    var readers: [RunningDaemon] = []
    for daemon in daemons {
      let named = daemon.values(of: "--config-file").last ?? "/etc/docker/daemon.json"
      if (try? Files.resolved(named, mayBeMissing: true)) ?? named == own { readers.append(daemon) }
    }
    guard !readers.isEmpty else {
      result.reload = daemons.isEmpty ? .atStart("dockerd") : .nothing
      for daemon in daemons {
        let named = daemon.values(of: "--config-file").last ?? "/etc/docker/daemon.json"
        result.notes.append(
          "the running dockerd (pid \(daemon.pid)) reads \(named), not \(own): "
            + "wirehook \(removing ? "uninstall" : "install") docker --file \(named)")
      }
      return
    }
    guard !removing else {
      // At SIGHUP dockerd takes up what the file says, and keeps what it no longer says.
      result.reload = .restartByHand("docker")
      result.notes.append(
        "until then dockerd knows the runtime still; containers that were made with it do not start without it")
      return
    }
    result.reload = .signal(readers.map(\.pid))
    for daemon in readers {
      if let given = daemon.values(of: "--default-runtime").last, asDefault {
        throw WireError(
          "making wirehook Docker's default runtime",
          "dockerd (pid \(daemon.pid)) has --default-runtime \(given) on its command line and refuses to have it twice",
          hint: "take it out of the command line first: systemctl cat docker shows it")
      }
      for given in daemon.values(of: "--add-runtime") where given.hasPrefix("\(DaemonJSON.runtime)=") {
        result.notes.append(
          "dockerd (pid \(daemon.pid)) has --add-runtime \(given) on its command line, beside what the file says: "
            + "systemctl cat docker shows where")
      }
    }
  }
}
