internal import CLinux
internal import Glibc

/// Names a process for good: a pid is given again, a pid with its start time is not.
package struct ProcessIdentity: Sendable, Hashable {
  package let pid: Int32
  /// Clock ticks after boot (/proc/PID/stat, field 22; proc_pid_stat(5)).
  package let startTime: UInt64

  package init(pid: Int32, startTime: UInt64) {
    self.pid = pid
    self.startTime = startTime
  }

  /// The process that has this pid now; nil where there is none, or only a zombie.
  package static func of(pid: Int32) throws(SystemError) -> ProcessIdentity? {
    guard let status = try ProcessStatus.of(pid: pid), !status.isDead else { return nil }
    return ProcessIdentity(pid: pid, startTime: status.startTime)
  }

  /// This very process.
  package static func current() throws(SystemError) -> ProcessIdentity {
    guard let identity = try of(pid: getpid()) else { throw SystemError("read", ESRCH, path: "/proc/self/stat") }
    return identity
  }

  /// Whether this process, and not a later one with its pid, still runs. A zombie does not. What cannot be read counts as
  /// alive: nothing is taken back from a process on a guess.
  package var isAlive: Bool {
    do throws(SystemError) { return try Self.of(pid: pid) == self } catch { return true }
  }

  /// An identifier of this boot (random(4)): start times of different boots do not compare.
  package static func bootID() throws(SystemError) -> String {
    let bytes = try Files.read("/proc/sys/kernel/random/boot_id", limit: 128)
    return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
  }
}

/// What /proc/PID/stat says of a process.
struct ProcessStatus {
  let name: String
  let isDead: Bool
  let startTime: UInt64

  /// Nil where there is no such process.
  static func of(pid: Int32) throws(SystemError) -> ProcessStatus? {
    guard pid > 0 else { return nil }
    let path = "/proc/\(pid)/stat"
    let file: Descriptor
    do throws(SystemError) {
      file = try Descriptor.open(path, O_RDONLY)
    } catch {
      guard error.errno == ENOENT || error.errno == ESRCH else { throw error }
      return nil
    }
    // One read gives the whole line, so that all of it is of one process.
    var failure: Int32 = 0
    let descriptor = file.raw
    let line = [UInt8](unsafeUninitializedCapacity: 1024) { buffer, filled in
      let got = retrying { read(descriptor, buffer.baseAddress, 1024) }
      failure = got < 0 ? errno : 0
      filled = max(0, got)
    }
    guard failure == 0 else {
      guard failure != ESRCH else { return nil }
      throw SystemError("read", failure, path: path)
    }
    guard let status = ProcessStatus(line: line) else {
      throw SystemError("read", EBADMSG, path: path, reason: "it does not have the expected fields")
    }
    return status
  }

  /// Parses `PID (NAME) STATE …`. The name may hold spaces and parentheses: it ends at the last one.
  init?(line: [UInt8]) {
    guard let open = line.firstIndex(of: UInt8(ascii: "(")), let close = line.lastIndex(of: UInt8(ascii: ")")),
      open < close
    else { return nil }
    // Field 3 follows the name, and field 22 is the start time.
    let fields = line[(close + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19, let state = fields[0].first,
      let started = UInt64(String(decoding: fields[19], as: UTF8.self))
    else { return nil }
    name = String(decoding: line[(open + 1)..<close], as: UTF8.self)
    isDead = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") || state == UInt8(ascii: "x")
    startTime = started
  }
}
