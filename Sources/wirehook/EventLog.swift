import Glibc
import WireConfig
import WireCore
import WireEngine
import WireJSON
import WireLinux
import WireView

/// Reads events from where the hook's log is.
struct EventLog {
  /// Seconds since 1970; nil: from the beginning.
  var since: Int64?
  /// Whether to wait for more.
  var follow: Bool

  static func now() -> Int64 { Int64(time(nil)) }

  /// Hands each event to `body`, oldest first, until that says false.
  func read(_ target: LogSettings.Target, _ body: (Event) -> Bool) throws(WireError) {
    switch target {
    case .file(let path): try read(file: path, body)
    case .automatic, .journald: try readJournal(body)
    case .stderr:
      throw WireError(
        "reading events", "the main file sends the log to standard error, which nobody keeps",
        hint: "set \"log\" to \"journald\" or to a file's path")
    }
  }

  private func isWanted(_ event: Event) -> Bool { since.map { event.time >= $0 } ?? true }

  // MARK: a file

  /// A file that is replaced while it is followed, as logrotate(8) does it, is read to its end and then opened anew.
  private func read(file path: String, _ body: (Event) -> Bool) throws(WireError) {
    while true {
      guard let file = try open(path) else {
        guard follow else { return }
        Terminal.wait(seconds: 0.2)
        continue
      }
      guard try read(file, path: path, body), follow else { return }
    }
  }

  /// nil where there is no file yet: nothing was written.
  private func open(_ path: String) throws(WireError) -> Descriptor? {
    let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    if raw >= 0 { return Descriptor(adopting: raw) }
    guard errno == ENOENT else {
      throw Hints.explain(SystemError("open", errno, path: path), while: "reading events")
    }
    return nil
  }

  /// False when the reader has enough.
  private func read(
    _ file: borrowing Descriptor, path: String, _ body: (Event) -> Bool
  ) throws(WireError) -> Bool {
    var lines = Lines()
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let raw = file.raw
      let count = chunk.withUnsafeMutableBytes { buffer in
        retrying { Glibc.read(raw, buffer.baseAddress, buffer.count) }
      }
      guard count >= 0 else { throw Hints.explain(SystemError("read", errno, path: path), while: "reading events") }
      for line in lines.take(chunk.prefix(count)) {
        guard let event = Event(line: line), isWanted(event) else { continue }
        guard body(event) else { return false }
      }
      guard count == 0 else { continue }
      guard follow, isStill(raw, at: path) else { return true }
      Terminal.wait(seconds: 0.2)
    }
  }

  /// Whether the open file is the one at `path`, and was not cut shorter than it was read.
  private func isStill(_ descriptor: Int32, at path: String) -> Bool {
    var (own, named) = (stat(), stat())
    guard fstat(descriptor, &own) == 0, stat(path, &named) == 0 else { return false }
    return own.st_ino == named.st_ino && own.st_dev == named.st_dev && named.st_size >= lseek(descriptor, 0, SEEK_CUR)
  }

  // MARK: the journal

  private func readJournal(_ body: (Event) -> Bool) throws(WireError) {
    var words = ["journalctl", "--output=json", "--no-pager", "--quiet", "--identifier=wirehook"]
    if let since { words.append("--since=@\(since)") }
    // Without it --follow shows the last ten lines alone.
    if follow { words += ["--follow", "--lines=all"] }
    let journal = try Subprocess(words, package: "systemd")
    var lines = Lines()
    while let chunk = try journal.read() {
      for line in lines.take(chunk[...]) {
        guard let event = Self.event(line) else { continue }
        guard body(event) else { return }
      }
    }
    let code = journal.wait()
    guard code == 0 else {
      throw WireError(
        "reading events", "journalctl ended with exit code \(code)",
        hint: "it says why above; where there is no journal, set \"log\" to a file's path")
    }
  }

  private static func event(_ line: String) -> Event? {
    do throws(JSONError) {
      let limits = JSONLimits(size: 1 << 20, depth: 8)
      return Event(journal: try JSONValue.parse(Array(line.utf8), limits: limits, duplicates: .lastWins))
    } catch {
      return nil
    }
  }
}

/// Cuts a stream of bytes into lines.
struct Lines {
  private var rest: [UInt8] = []

  /// The lines that `bytes` complete, without their line feeds; what is left waits for more.
  mutating func take(_ bytes: ArraySlice<UInt8>) -> [String] {
    var lines: [String] = []
    rest += bytes
    var start = 0
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: rest[start..<end], as: UTF8.self))
      start = end + 1
    }
    rest.removeFirst(start)
    return lines
  }
}
