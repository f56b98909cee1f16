internal import Glibc
import WireCore
import WireLinux

/// A daemon of this host, as its command line shows it.
package struct RunningDaemon: Sendable {
  package let pid: Int32
  /// With its own name first.
  package let words: [String]

  package init(pid: Int32, words: [String]) {
    self.pid = pid
    self.words = words
  }

  /// The value of an option that is given as `--name value` or `--name=value`; all of them where it stands several times.
  package func values(of option: String) -> [String] {
    var found: [String] = []
    for (index, word) in words.enumerated().dropFirst() {
      if word == option, index + 1 < words.count { found.append(words[index + 1]) }
      if word.hasPrefix(option + "=") { found.append(String(word.dropFirst(option.count + 1))) }
    }
    return found
  }

  /// The daemons of that name which see the same root folder as we do: one within a container reads files of its own.
  package static func find(_ name: String, in proc: String = "/proc") -> [RunningDaemon] {
    guard let entries = try? Files.list(proc) else { return [] }
    return entries.compactMap { entry -> RunningDaemon? in
      guard let pid = Int32(entry), let comm = text("\(proc)/\(entry)/comm"), comm.dropLast() == name,
        hasSameRoot("\(proc)/\(entry)/root"), let line = text("\(proc)/\(entry)/cmdline")
      else { return nil }
      return RunningDaemon(pid: pid, words: line.split(separator: "\0").map { String($0) })
    }
  }

  private static func text(_ path: String) -> String? {
    guard let bytes = try? Files.read(path, limit: 1 << 20) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func hasSameRoot(_ path: String) -> Bool {
    var own = stat()
    var other = stat()
    return stat("/", &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino
  }
}
