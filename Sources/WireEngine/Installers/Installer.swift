internal import Glibc
package import WireCore
import WireLinux

/// What wirehook can be installed into.
package enum InstallationTarget: String, Sendable, CaseIterable {
  case docker, podman, crio, containerd, cdi
  /// Neighbours that have to know of us, whatever the engine.
  case firewalld, systemd

  var isEngine: Bool { self != .firewalld && self != .systemd }
}

/// What an installation, or its removal, would do.
package struct Installation: Sendable {
  package var changes: [FileChange] = []
  /// What a person should know besides.
  package var notes: [String] = []
  package var reload = Reload.nothing

  package init() {}

  /// How the engine takes the change up.
  package enum Reload: Sendable, Equatable {
    /// It reads the files anew at each container.
    case nothing
    /// At its next start: it does not run.
    case atStart(String)
    /// SIGHUP for these processes.
    case signal([Int32])
    /// A restart, for engines that read their file only then.
    case restart(String)
    /// A restart that stops containers, so that nobody but a person may order it.
    case restartByHand(String)
    /// Programs of the host's, one after the other.
    case commands([[String]])
  }
}

/// Puts wirehook into the engines' own configuration, and takes it out again.
package struct Installer: Sendable {
  /// In front of every path: empty, or where another host's files are mounted.
  package var root = ""
  /// The engine's file, or its folder of hooks, in place of the usual one.
  package var file: String?
  /// wirehook's main file, where it is not the standard one.
  package var configuration: String?
  package var asDefault = false
  /// For all containers, not only those that ask by an annotation.
  package var always = false
  package let shim: String
  package let hook: String

  /// With the shim and the hook that were installed beside the running program.
  package init() throws(WireError) {
    guard let shim = OwnProgram.sibling("wirehook-runc"), let hook = OwnProgram.sibling("wirehook-oci") else {
      let own = OwnProgram.path() ?? "this program"
      throw WireError(
        "finding the hook", "wirehook-oci and wirehook-runc are not beside \(own)", hint: "run ./install.sh again")
    }
    self.init(shim: shim, hook: hook)
  }

  package init(shim: String, hook: String) { (self.shim, self.hook) = (shim, hook) }

  package func install(_ target: InstallationTarget) throws(WireError) -> Installation {
    var result: Installation
    switch target {
    case .docker: result = try docker(removing: false)
    case .containerd: result = try containerd(removing: false)
    case .firewalld: return try firewalld(removing: false)
    case .systemd: return try systemd(removing: false)
    case .podman, .crio, .cdi:
      result = Installation()
      for (path, text) in try ownFiles(target) { result.changes.append(try write(Array(text.utf8), to: path)) }
      result.notes = notes(on: target)
    }
    for rule in LinkRules.files where Files.exists(root + rule.reader) {
      result.changes.append(try write(Array(rule.text.utf8), to: root + rule.path))
    }
    return result
  }

  package func uninstall(_ target: InstallationTarget) throws(WireError) -> Installation {
    var result: Installation
    switch target {
    case .docker: result = try docker(removing: true)
    case .containerd: result = try containerd(removing: true)
    case .firewalld: return try firewalld(removing: true)
    case .systemd: return try systemd(removing: true)
    case .podman, .crio, .cdi:
      result = Installation()
      for (path, _) in try ownFiles(target) { result.changes.append(try write(nil, to: path)) }
    }
    let removed = Set(result.changes.map(\.path))
    guard try !isElsewhere(than: target, removed) else { return result }
    for rule in LinkRules.files { result.changes.append(try write(nil, to: root + rule.path)) }
    return result
  }

  /// Whether an engine other than `target` still has wirehook, at its usual place.
  private func isElsewhere(than target: InstallationTarget, _ removed: Set<String>) throws(WireError) -> Bool {
    var usual = self
    usual.file = nil
    for other in InstallationTarget.allCases where other != target && other.isEngine {
      switch other {
      case .docker:
        if let bytes = try read(usual.dockerFile), try usual.daemonJSON.isInstalled(in: bytes) { return true }
      case .containerd:
        if let text = try read(usual.containerdFile).map({ String(decoding: $0, as: UTF8.self) }),
          usual.containerdConfig.isInstalled(in: text)
        {
          return true
        }
      case .firewalld, .systemd: break
      case .podman, .crio, .cdi:
        if try usual.ownFiles(other).contains(where: { Files.exists($0.path) && !removed.contains($0.path) }) {
          return true
        }
      }
    }
    return false
  }
}

extension Installer {
  /// The files that are ours alone.
  private func ownFiles(_ target: InstallationTarget) throws(WireError) -> [(path: String, text: String)] {
    let definitions = HookDefinitions(hook: hook, configuration: configuration)
    if target == .cdi { return [(file ?? root + HookDefinitions.cdiFile, definitions.cdi())] }
    let folder = if let file { file } else { try hooksDirectory(target) }
    return definitions.ociHooks(always: always).map { ("\(folder)/\($0.name)", $0.text) }
  }

  /// The standard folder, unless the engine's configuration names others.
  private func hooksDirectory(_ target: InstallationTarget) throws(WireError) -> String {
    let files =
      target == .podman
      ? ["/etc/containers/containers.conf", "/usr/share/containers/containers.conf"] : ["/etc/crio/crio.conf"]
    for file in files {
      guard let bytes = try read(root + file) else { continue }
      let named = HooksDirectories.named(in: String(decoding: bytes, as: UTF8.self))
      if !named.isEmpty, !named.contains(HookDefinitions.directory) { return root + named[0] }
    }
    return root + HookDefinitions.directory
  }

  private func notes(on target: InstallationTarget) -> [String] {
    switch target {
    case .podman where !always, .crio where !always:
      ["containers with a wirehook. annotation get the hook; --auto: all of them"]
    case .cdi:
      [
        "podman run --network none --device wirehook.io/net=default …; the same with docker run from Engine 28.2 on, "
          + "and from 25 on with \"features\": {\"cdi\": true} in daemon.json"
      ]
    default: []
    }
  }

  /// A change that makes a file's bytes these, or removes it.
  func write(_ bytes: [UInt8]?, to path: String) throws(WireError) -> FileChange {
    FileChange(path: try target(of: path), before: try read(path), after: bytes)
  }

  /// A file that is to be changed, as it is now; nil where there is none.
  func read(_ path: String) throws(WireError) -> [UInt8]? {
    do throws(SystemError) {
      return try Files.read(path, limit: 4 << 20)
    } catch {
      guard error.errno == ENOENT else { throw Hints.explain(error, while: "reading \(path)") }
      return nil
    }
  }

  /// The file itself, where the path is a link: a link stays one.
  func target(of path: String) throws(WireError) -> String {
    do throws(SystemError) {
      return try Files.resolved(path, mayBeMissing: true)
    } catch {
      // A folder that is missing too is made when the file is.
      guard error.errno == ENOENT, error.path != path else { throw Hints.explain(error, while: "reading \(path)") }
      return path
    }
  }

  /// A change of somebody's file. `variants` are what an installation may have made of a text: where it is the copy's,
  /// the removal brings the copy back to the byte.
  func change(
    _ path: String, removing: Bool, isInstalled: Bool,
    edited: ([UInt8]?, _ copy: [UInt8]?) throws(WireError) -> [UInt8]?,
    variants: ([UInt8]) throws(WireError) -> [[UInt8]]
  ) throws(WireError) -> FileChange {
    let path = try target(of: path)
    let before = try read(path)
    let copyName = FileChange.copyName(of: path)
    let copy = try read(copyName)
    guard removing else {
      let after = try edited(before, copy)
      return FileChange(path: path, before: before, after: after, copy: isInstalled || before == nil ? .none : .keep)
    }
    guard isInstalled, let before else { return FileChange(path: path, before: before, after: before) }
    if let copy, try variants(copy).contains(before) {
      return FileChange(path: path, before: before, after: copy, copy: .drop)
    }
    return FileChange(path: path, before: before, after: try edited(before, copy))
  }
}

/// The value of `hooks_dir` in containers.conf or crio.conf.
enum HooksDirectories {
  static func named(in text: String) -> [String] {
    guard let toml = try? TOMLLines(text, file: ""),
      let start = toml.lines.firstIndex(where: { line in
        if case .key(let name) = line.kind { name.last == "hooks_dir" } else { false }
      })
    else { return [] }
    let more = toml.lines[(start + 1)...].prefix { $0.kind == .other }
    return ([toml.lines[start]] + more).flatMap(\.strings)
  }
}
