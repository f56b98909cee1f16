internal import Glibc
import WireCore
import WireLinux

extension Installer {
  var containerdFile: String { file ?? root + "/etc/containerd/config.toml" }
  var containerdConfig: ContainerdConfig { ContainerdConfig(file: containerdFile, shim: shim) }

  func containerd(removing: Bool) throws(WireError) -> Installation {
    guard removing || configuration == nil else {
      throw WireError(
        "installing into containerd", "it passes no options on to a runtime",
        hint: "set WIREHOOK_CONFIG in containerd's environment in place of --config")
    }
    let config = containerdConfig
    let asDefault = asDefault
    let before = try read(containerdFile).map { String(decoding: $0, as: UTF8.self) }
    let install = { (bytes: [UInt8]?, asDefault: Bool) throws(WireError) -> [UInt8] in
      Array(try config.installed(in: bytes.map { String(decoding: $0, as: UTF8.self) }, asDefault: asDefault).utf8)
    }
    var result = Installation()
    result.changes.append(
      try change(
        containerdFile, removing: removing, isInstalled: before.map(config.isInstalled) ?? false,
        edited: { (bytes, copy) throws(WireError) in
          guard removing else { return try install(bytes, asDefault) }
          let text = try config.removed(from: String(decoding: bytes ?? [], as: UTF8.self))
          // Without a copy there was no file.
          return copy == nil && text.trimmingSpace().isEmpty ? nil : Array(text.utf8)
        },
        variants: { (copy) throws(WireError) in [try install(copy, false), try install(copy, true)] }))
    if !removing, let before { result.notes = try remarks(config, before) }
    // Another host's files are no running daemon's.
    guard root.isEmpty else { return result }
    result.reload = RunningDaemon.find("containerd").isEmpty ? .atStart("containerd") : .restart("containerd")
    return result
  }

  /// What keeps containerd from using the handler, though the file has it.
  private func remarks(_ config: ContainerdConfig, _ text: String) throws(WireError) -> [String] {
    var remarks: [String] = []
    if try config.isCRIDisabled(in: text) {
      remarks.append(
        "the CRI plugin is disabled in \(containerdFile) (disabled_plugins), and it alone reads runtimes from there; "
          + "ctr and nerdctl name the runtime themselves")
    }
    for pattern in try config.imports(in: text) {
      for path in Self.expand(pattern.hasPrefix("/") ? root + pattern : pattern) where path != containerdFile {
        guard let bytes = try read(path) else { continue }
        let imported = ContainerdConfig(file: path, shim: shim)
        if try imported.hasPlugin(String(decoding: bytes, as: UTF8.self), like: text) {
          remarks.append(
            "\(path) is imported and has settings of the same plugin, which may take the place of these: "
              + "if so, wirehook install containerd --file \(path)")
        }
      }
    }
    return remarks
  }

  /// The files that a pattern stands for (glob(7)).
  private static func expand(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
  }
}
