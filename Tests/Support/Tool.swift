import Foundation
import Glibc

/// What a test needs of this machine. `WIREHOOK_REQUIRE=root,runc` makes a missing one a failure instead of a skip.
package enum Tool: String, Sendable, CaseIterable {
  case root, runc, crun, dockerd, podman, busybox, conntrack, strace, tcpdump, brctl
  case iptables, iptablesLegacy = "iptables-legacy"
  case firewalld, messageBus = "dbus-daemon"
  /// Open vSwitch, by its daemon.
  case ovs

  /// Whether tests that need it are to run: it is there, or must be.
  package var isThere: Bool { isInstalled || Self.required.contains(rawValue) }

  private var isInstalled: Bool {
    switch self {
    case .root: geteuid() == 0
    case .ovs: Self.path("ovs-vswitchd") != nil
    default: Self.path(rawValue) != nil
    }
  }

  private static let required = Set(
    (ProcessInfo.processInfo.environment["WIREHOOK_REQUIRE"] ?? "").split(separator: ",").map(String.init))

  /// The first program of this name in PATH.
  package static func path(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first { (path: String) in access(path, X_OK) == 0 }
  }
}

/// The programs under test.
package enum Built {
  /// A program of the package: in `$WIREHOOK_BIN`, else the release build, else the debug build.
  package static func path(_ name: String) throws -> String {
    if let folder = ProcessInfo.processInfo.environment["WIREHOOK_BIN"] { return "\(folder)/\(name)" }
    let found = ["release", "debug"].map { "\(root)/.build/\($0)/\(name)" }.first { (path: String) in
      access(path, X_OK) == 0
    }
    guard let found else {
      throw Failure("\(name) is not built: swift build -c release --product \(name), or set WIREHOOK_BIN")
    }
    return found
  }

  /// The folder of Package.swift.
  package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path(percentEncoded: false).trimmingSuffix("/")
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
