import WireConfig
import WireCore
import WireLinux

/// The container engines of this host, and whether they are set up for wirehook.
enum EngineCheck {
  private static let programs: [(InstallationTarget, String)] = [
    (.docker, "dockerd"), (.podman, "podman"), (.containerd, "containerd"), (.crio, "crio"),
  ]

  static func findings(_ configuration: Configuration) -> [Doctor.Finding] {
    var findings = runtimes(configuration.main)
    guard let installer = try? Installer() else {
      return findings + [
        Doctor.Finding(
          .error, "hook", "wirehook-oci and wirehook-runc are not beside \(OwnProgram.path() ?? "this program")",
          "run ./install.sh again")
      ]
    }
    var isThere = false
    for (target, program) in programs where Programs.find(program) != nil {
      isThere = true
      // Docker brings containerd along; whoever uses that alone sets it up.
      let isOptional = target == .containerd && Programs.find("dockerd") != nil
      findings += Doctor.attempt { () throws(WireError) in try state(of: target, isOptional, installer) }
    }
    if !isThere, findings.allSatisfy({ $0.severity != .ok }) {
      findings.append(
        Doctor.Finding(.warning, "engines", "neither an engine nor a runtime is here", "apt-get install runc"))
    }
    return findings
  }

  private static func state(
    of target: InstallationTarget, _ isOptional: Bool, _ installer: Installer
  ) throws(WireError) -> [Doctor.Finding] {
    let name = target.rawValue
    switch try installer.status(of: target) {
    case .current: return [Doctor.Finding(.ok, name, "set up for wirehook")] + running(target)
    case .outdated:
      return [
        Doctor.Finding(
          .warning, name, "set up, but not for the wirehook beside this program", "wirehook install \(name) --reload")
      ]
    case .absent:
      let byFlag =
        target == .docker
        && RunningDaemon.find("dockerd").contains { daemon in
          daemon.values(of: "--add-runtime").contains { $0.hasPrefix("\(DaemonJSON.runtime)=") }
        }
      if byFlag { return [Doctor.Finding(.ok, name, "set up for wirehook on its daemon's command line")] }
      return [
        Doctor.Finding(
          isOptional ? .ok : .warning, name, "here, and not set up for wirehook", "wirehook install \(name) --reload")
      ]
    }
  }

  /// A daemon that reads another file than the one that is set up.
  private static func running(_ target: InstallationTarget) -> [Doctor.Finding] {
    guard target == .docker else { return [] }
    return RunningDaemon.find("dockerd").compactMap { daemon in
      guard let file = daemon.values(of: "--config-file").last, file != "/etc/docker/daemon.json" else { return nil }
      return Doctor.Finding(
        .warning, "docker", "the running dockerd (pid \(daemon.pid)) reads \(file)",
        "wirehook install docker --file \(file) --reload")
    }
  }

  private static func runtimes(_ main: MainConfig) -> [Doctor.Finding] {
    var findings: [Doctor.Finding] = []
    for name in ["runc", "crun"] where name != main.runtime {
      if let path = Programs.find(name) { findings.append(Doctor.Finding(.ok, name, path)) }
    }
    guard let path = Programs.find(main.runtime) else {
      return findings + [
        Doctor.Finding(
          findings.isEmpty ? .error : .warning, "runtime \(main.runtime.quoted)",
          "there is no such program, and wirehook-runc is to become it",
          "install it, or name another one as \"runtime\" in the main file")
      ]
    }
    return [Doctor.Finding(.ok, main.runtime, path)] + findings
  }
}
