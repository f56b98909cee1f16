internal import Glibc

extension ProcessIdentity {
  /// A process's name as `ps -o comm` shows it; nil where it is gone.
  package static func name(ofPid pid: Int32) -> String? {
    // It goes into an error message only: why it cannot be read does not matter there.
    do throws(SystemError) { return try ProcessStatus.of(pid: pid)?.name } catch { return nil }
  }

  /// The process that has the socket with this inode open, and its name; of several the oldest, for the others have it from
  /// there. Reads /proc/*/fd, so only for error messages; nil where none is found (in another pid namespace, or the
  /// kernel's own).
  package static func owner(ofSocketInode inode: UInt64) -> (pid: Int32, name: String)? {
    let wanted = "socket:[\(inode)]"
    var oldest: ProcessIdentity?
    for pid in list("/proc").compactMap({ Int32($0) }) {
      let folder = "/proc/\(pid)/fd"
      guard list(folder).contains(where: { target(of: "\(folder)/\($0)") == wanted }), let holder = running(pid) else {
        continue
      }
      if holder.startTime < oldest?.startTime ?? .max { oldest = holder }
    }
    return oldest.map { ($0.pid, name(ofPid: $0.pid) ?? "?") }
  }

  private static func running(_ pid: Int32) -> ProcessIdentity? {
    do throws(SystemError) { return try ProcessIdentity.of(pid: pid) } catch { return nil }
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
