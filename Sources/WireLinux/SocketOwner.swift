internal import Glibc

extension ProcessIdentity {
  /// A process's name as `ps -o comm` shows it; nil where it is gone.
  package static func name(ofPid pid: Int32) -> String? {
    // It goes into an error message only: why it cannot be read does not matter there.
    do throws(SystemError) { return try ProcessStatus.of(pid: pid)?.name } catch { return nil }
  }

  /// The process that has the socket with this inode open, and its name. Reads /proc/*/fd, so only for error messages; nil
  /// where none is found (in another pid namespace, or the kernel's own).
  package static func owner(ofSocketInode inode: UInt64) -> (pid: Int32, name: String)? {
    let wanted = "socket:[\(inode)]"
    for pid in list("/proc").compactMap({ Int32($0) }) {
      let folder = "/proc/\(pid)/fd"
      for entry in list(folder) where target(of: "\(folder)/\(entry)") == wanted {
        return (pid, name(ofPid: pid) ?? "?")
      }
    }
    return nil
  }

  /// Processes come and go while they are listed: what cannot be read is not there.
  private static func list(_ path: String) -> [String] {
    do throws(SystemError) { return try Files.list(path) } catch { return [] }
  }

  private static func target(of link: String) -> String {
    let bytes = [UInt8](unsafeUninitializedCapacity: 64) { buffer, filled in
      buffer.withMemoryRebound(to: CChar.self) { text in
        guard let start = text.baseAddress else { return }
        filled = max(0, readlink(link, start, text.count))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
