internal import Glibc
import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// Compares a container's settings below /proc/sys, and its resolver files, with its plan.
enum ContainerSettings {
  static func differences(
    _ steps: [Step], _ side: borrowing ContainerSide, on host: borrowing Host
  ) throws(WireError) -> [String] {
    var texts: [String] = []
    try side.namespace.run(
      backTo: host.namespace, mapping: { Hints.explain($0, while: "entering the container's network namespace") }
    ) { () throws(WireError) in
      for step in steps {
        guard case .setting(let path, let value, _) = step, let found = read(path), found != value else { continue }
        texts.append("setting \(path.joined(separator: ".")) is \(found), and not \(value)")
      }
    }
    for step in steps {
      guard case .edit(let edit) = step, !stands(edit) else { continue }
      texts.append("file \(edit.file.directory)/\(edit.file.name) lacks what the container asked for")
    }
    return texts
  }

  /// nil: this kernel has no such setting, or it is not to be read.
  private static func read(_ path: [String]) -> String? {
    do throws(SystemError) { return try Sysctl(path: path).read() } catch { return nil }
  }

  /// An edit that stands changes nothing. A file that cannot be read is the container's own affair.
  private static func stands(_ edit: FileEdit) -> Bool {
    do throws(SystemError) {
      let bytes = try FileEditor.contents(of: edit.file)
      return edit.edited(bytes) == bytes
    } catch {
      return error.errno != ENOENT || !edit.isRequired
    }
  }
}
