import Foundation
import Testing
import WireCore
import WireEngine

/// Another host's files in a folder of its own, and an installer for them.
final class Host {
  let root: String
  var installer: Installer

  init(_ files: [String: String] = [:]) throws {
    root = "/tmp/wht-host-\(UUID().uuidString)"
    installer = Installer(shim: "/usr/local/bin/wirehook-runc", hook: "/usr/local/bin/wirehook-oci")
    installer.root = root
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    for (path, text) in files { try write(path, text) }
  }
  deinit { try? FileManager.default.removeItem(atPath: root) }

  func write(_ path: String, _ text: String) throws {
    let url = URL(filePath: root + path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func text(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: root + path) else { return nil }
    return String(decoding: data, as: UTF8.self)
  }

  func json(_ path: String) throws -> [String: Any] {
    let data = try #require(FileManager.default.contents(atPath: root + path))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// Kind and mode, and owner, of a file.
  func attributes(_ path: String) throws -> [UInt32] {
    var status = stat()
    guard lstat(root + path, &status) == 0 else { throw CocoaError(.fileNoSuchFile) }
    return [status.st_mode, status.st_uid, status.st_gid]
  }

  /// The names of all files, from the root.
  var files: [String] {
    let found = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return found.filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isFolder) && !isFolder.boolValue
    }.sorted()
  }

  @discardableResult
  func install(_ target: InstallationTarget, asDefault: Bool = false, always: Bool = false) throws -> Installation {
    installer.asDefault = asDefault
    installer.always = always
    let installation = try installer.install(target)
    try FileChange.apply(installation.changes)
    return installation
  }

  @discardableResult
  func uninstall(_ target: InstallationTarget) throws -> Installation {
    let installation = try installer.uninstall(target)
    try FileChange.apply(installation.changes)
    return installation
  }
}
