internal import Glibc
package import WireCore
import WireLinux

/// Makes an engine read its configuration again.
package enum EngineReload {
  /// The command that a person would type; nil where there is nothing to do.
  package static func command(_ reload: Installation.Reload) -> String? {
    switch reload {
    case .nothing: nil
    case .atStart(let daemon): "start \(daemon)"
    case .signal(let pids) where hasSystemd && pids.count == 1: "systemctl reload docker"
    case .signal(let pids): "kill -HUP \(pids.map(String.init).joined(separator: " "))"
    case .restart(let daemon), .restartByHand(let daemon):
      hasSystemd ? "systemctl restart \(daemon)" : "restart \(daemon)"
    case .commands(let commands): commands.map { $0.joined(separator: " ") }.joined(separator: " && ")
    }
  }

  /// Does it, and says what was done.
  package static func run(_ reload: Installation.Reload) throws(WireError) -> String {
    switch reload {
    case .nothing: return "no reload is needed"
    case .atStart(let daemon): return "\(daemon) does not run: it reads the file when it starts"
    case .signal(let pids):
      for pid in pids where kill(pid, SIGHUP) != 0 {
        throw WireError("reloading process \(pid)", SystemError.text(errno), hint: Hints.hint(errno: errno))
      }
      return "reloaded (pid \(pids.map(String.init).joined(separator: ", ")))"
    case .restartByHand(let daemon):
      return "not done, for it may stop containers: \(command(reload) ?? daemon)"
    case .restart(let daemon):
      guard hasSystemd else {
        throw WireError(
          "restarting \(daemon)", "this host has no systemd", hint: "restart it the way it was started")
      }
      try run(["systemctl", "restart", daemon])
      return "restarted \(daemon)"
    case .commands(let commands):
      for command in commands { try run(command) }
      return "done: \(command(reload) ?? "")"
    }
  }

  static var hasSystemd: Bool { Files.exists("/run/systemd/system") }

  private static func run(_ words: [String]) throws(WireError) {
    var argv = words.map { strdup($0) } + [nil]
    defer { for word in argv { free(word) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, words[0], nil, nil, &argv, environ)
    guard failure == 0 else { throw WireError(words.joined(separator: " "), SystemError.text(failure)) }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    guard status == 0 else { throw WireError(words.joined(separator: " "), "see its own message above") }
  }
}

extension Installer {
  /// A main file as the hook is told of it: absolute, for it runs elsewhere.
  package static func mainFile(_ path: String) throws(WireError) -> String {
    do throws(SystemError) {
      return try Files.resolved(path)
    } catch {
      throw Hints.explain(error, while: "the main file \(path.quoted)")
    }
  }
}
