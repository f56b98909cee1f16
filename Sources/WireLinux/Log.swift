internal import Glibc
internal import WireCore

/// Where one-line messages go. It never waits, and never fails whoever writes: a log that is full or gone loses lines.
package struct Log: Sendable, Hashable {
  package enum Destination: Sendable, Hashable {
    case journald
    case standardError
    case file(path: String)
  }

  /// The numbers of syslog(3): the smaller, the worse.
  package enum Level: Int, Sendable, Hashable, Comparable, CaseIterable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
    case debug = 7

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  package var destination: Destination
  /// The least bad level that is still written.
  package var threshold: Level
  /// Goes with every line; `WIREHOOK_CONTAINER` for instance. journald takes names of capitals, digits and `_`.
  private var fields: [Field] = []

  private struct Field: Sendable, Hashable {
    var name: String
    var value: String
  }

  package init(_ destination: Destination, threshold: Level = .info) {
    self.destination = destination
    self.threshold = threshold
  }

  /// The same log with one more field.
  package func with(_ name: String, _ value: String) -> Log {
    var log = self
    log.fields.append(Field(name: name, value: value))
    return log
  }

  /// Writes one line; false if it is lost, or not wanted at this level.
  @discardableResult
  package func write(_ level: Level, _ message: String) -> Bool {
    guard level <= threshold else { return false }
    switch destination {
    case .journald: return Self.send(datagram(level, message), to: "/run/systemd/journal/socket")
    case .standardError: return Self.write(line(message), to: STDERR_FILENO)
    case .file(let path):
      let raw = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o640)
      guard raw >= 0 else { return false }
      let file = Descriptor(adopting: raw)
      return Self.write(Self.timestamp() + " \(level) " + line(message), to: file.raw)
    }
  }

  private func line(_ message: String) -> String {
    let text = message.escapingControls(limit: 4000)
    let suffix = fields.map { " \($0.name)=\($0.value.escapingControls(limit: 200))" }.joined()
    return "wirehook: \(text)\(suffix)\n"
  }

  /// One write of the whole line: with `O_APPEND` lines of several processes do not mix.
  private static func write(_ line: String, to descriptor: Int32) -> Bool {
    let count = line.utf8.count
    return retrying { Glibc.write(descriptor, line, count) } == count
  }

  /// UTC, as RFC 3339 writes it.
  package static func timestamp() -> String {
    var seconds = time(nil)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let two = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
  }

  /// The journal's native protocol: `NAME=value` lines. Values have no newline, they are escaped.
  func datagram(_ level: Level, _ message: String) -> String {
    let text = message.escapingControls(limit: 4000)
    var datagram = "MESSAGE=\(text)\nPRIORITY=\(level.rawValue)\nSYSLOG_IDENTIFIER=wirehook\n"
    for field in fields { datagram += "\(field.name)=\(field.value.escapingControls(limit: 200))\n" }
    return datagram
  }

  static func send(_ datagram: String, to path: String) -> Bool {
    let raw = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { return false }
    let socket = Descriptor(adopting: raw)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: name.sun_path)
    guard path.utf8.count < room else { return false }
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let count = datagram.utf8.count
    return withUnsafeBytes(of: &name) { bytes in
      guard let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
      let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
      return sendto(socket.raw, datagram, count, flags, address, socklen_t(bytes.count)) == count
    }
  }
}
