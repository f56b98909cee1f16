internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// Looks at a host for what stops wiring, or will, and names the command that mends it. Changes nothing.
package enum Doctor {
  /// One thing that was looked at.
  package struct Finding: Sendable, Hashable {
    package enum Severity: String, Sendable {
      case ok, warning
      /// It stops wiring.
      case error
    }

    package let severity: Severity
    /// `kernel: bridge`.
    package let what: String
    package let why: String
    /// A line for a shell, or what a person has to do; nil where all is well.
    package let remedy: String?

    init(_ severity: Severity, _ what: String, _ why: String, _ remedy: String? = nil) {
      self.severity = severity
      self.what = what
      self.why = why
      self.remedy = remedy
    }

    init(_ error: WireError) { self.init(.error, error.what, error.why, error.hint) }

    /// `warning  kernel: ifb: …; modprobe ifb`, one line whatever a file or a container's name holds.
    package var line: String {
      let start = severity.rawValue + String(repeating: " ", count: 9 - severity.rawValue.count)
      return (start + "\(what): \(why)" + (remedy.map { "; \($0)" } ?? "")).escapingControls(limit: 2000)
    }
  }

  /// Looks at everything; `option` and `environment` may name the main file. What cannot be looked at is a finding too.
  package static func examine(option: String?, environment: String?) -> [Finding] {
    var findings: [Finding] = []
    let wanted = WantedState(option: option, environment: environment, &findings)
    findings += StateCheck.findings(wanted.configuration)
    findings += EngineCheck.findings(wanted.configuration)
    guard geteuid() == 0 else {
      return findings + [
        Finding(.error, "permissions", "only root sees kernel and firewalls", "sudo wirehook doctor")
      ]
    }
    findings += KernelCheck.findings(wanted.networks)
    findings += SettingsCheck.findings(wanted.setups)
    findings += attempt { () throws(WireError) in try FirewalldCheck.findings() }
    do throws(SystemError) {
      let route = try NetlinkSocket(.route)
      findings += attempt { () throws(WireError) in try RouteCheck.findings(wanted.setups, route) }
      findings += attempt { () throws(WireError) in try LimitCheck.findings(wanted.setups, route) }
      findings += attempt { () throws(WireError) in try FirewallCheck.findings(wanted, route) }
    } catch {
      findings.append(Finding(Hints.explain(error, while: "opening rtnetlink")))
    }
    findings += PortCheck.findings(wanted.containers)
    return findings + OpenVSwitchCheck.findings(wanted.configuration, wanted.networks)
  }

  /// What a check finds, or why it could not look.
  static func attempt(_ check: () throws(WireError) -> [Finding]) -> [Finding] {
    do throws(WireError) { return try check() } catch { return [Finding(error)] }
  }
}
